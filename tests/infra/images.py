"""The images as their Dockerfiles and locks describe them: what lies in them, and how it is started."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "docker"
APP = PurePosixPath("/opt/dreamfarm")
LOCKS = {
    "api": ["api"],
    "worker": ["worker", "sources"],
    "worker-gpu": ["worker-gpu", "sources"],
}


@dataclass(frozen=True)
class Image:
    """One image: its last stage's settings, and what all its stages take from the repository."""

    name: str
    instructions: list[tuple[str, str]]

    def last(self, word):
        """Return what the last instruction of a kind says; None where there is none."""
        return next((rest for one, rest in reversed(self.instructions) if one == word), None)

    @property
    def copies(self):
        """Yield (source, destination) for what comes from the repository."""
        for word, rest in self.instructions:
            parts = [part for part in shlex.split(rest) if not part.startswith("--chmod")]
            if word == "COPY" and not parts[0].startswith("--from"):
                yield from ((source, APP / parts[-1]) for source in parts[:-1])

    @property
    def environment(self):
        return dict(pair.split("=", 1) for pair in shlex.split(self.last("ENV")))

    @property
    def command(self):
        return json.loads(self.last("CMD"))

    @property
    def health_command(self):
        return json.loads(self.last("HEALTHCHECK").partition(" CMD ")[2])


def read_image(name):
    text = (FOLDER / f"{name}.Dockerfile").read_text()
    lines = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return Image(name, [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line])


def lay_out(image, folder):
    """Put into a folder what the image holds of the repository, as it is laid out in the image's own."""
    for source, destination in image.copies:
        if destination.is_relative_to(APP):
            target = folder / destination.relative_to(APP)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, target)  # with what Python compiled, as in the image
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, target)
    return folder


def pins(file):
    """Return {name: (version, hashes)} of a lock, for this machine alone."""
    entries = re.split(r"\n(?=[a-z0-9])", file.read_text().replace("\\\n", " "))
    found = {}
    for entry in entries:
        lines = [line for line in entry.splitlines() if not line.lstrip().startswith("#")]
        needed, *hashes = re.split(r"\s+--hash=", " ".join(lines).strip())
        requirement = Requirement(needed)
        if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
            found[requirement.name] = (str(requirement.specifier).removeprefix("=="), {one.strip() for one in hashes})
    return found


def locked(name):
    """Return {name: version} of all that an image installs on this machine."""
    return {package: told[0] for lock in LOCKS[name] for package, told in pins(FOLDER / f"{lock}.lock").items()}


def link_packages(image, folder):
    """Fill a folder with links to the installed files of what the image's lock names, and of nothing else."""
    for package, version in locked(image.name).items():
        found = distribution(package)
        assert found.version == version, f"{package} is installed as {found.version}, and locked as {version}"
        for top in {re.split("[/,]", line)[0] for line in found.read_text("RECORD").splitlines()} - {
            "..",
            "__pycache__",
        }:
            link = folder / top
            if not link.exists():
                link.symlink_to(found.locate_file(top))
    return folder

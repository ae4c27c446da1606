"""The fuzzer, for some seconds: it finds nothing in what reads strangers' files, and finds bugs that are planted."""

from __future__ import annotations

import io
import zipfile
from importlib.util import find_spec

import pytest
from PIL import Image, UnidentifiedImageError

from tests.fuzz import seeds
from tests.fuzz.campaign import run
from tests.fuzz.mending import mended
from tests.fuzz.targets import TARGETS, planted

pytestmark = pytest.mark.slow
needs_atheris = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris is not here; its wheels are for Linux on x86-64: pip install atheris"
)


@needs_atheris
def test_nothing_is_found(tmp_path):
    """Three thousand files, changed so that they reach ever more branches, are read or refused, and do nothing else."""
    report = run("everything", tmp_path, executions=3000)

    assert report.findings == {}, report.output[-3000:]
    assert report.executions >= 3000
    assert report.edges[1] >= report.edges[0] > 0


@needs_atheris
def test_planted_bugs_are_found(tmp_path):
    """One that raises, one that prints, one that writes a file, each behind branches that no seed takes."""
    report = run("planted", tmp_path, executions=20_000)

    assert report.is_whole, report.output
    kinds = {name.partition("-")[0] for name in report.findings}
    assert kinds == {"IndexError", "printed", "open"}


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # pytest takes the filters away that modules have set
@pytest.mark.parametrize("target", ["render", "mask"])
def test_what_the_fuzzer_begins_with_is_read_or_refused(target):
    """Sound files and harmful ones pass before any is changed; none takes a planted bug's way."""
    for data in seeds.of(target).values():
        TARGETS[target](data)
        planted(data)


def test_a_changed_png_is_mended():
    """Its checksums are those of what it now holds, so that Pillow reads on."""
    data = bytearray(seeds.pictures()["PNG-RGB"])
    data[24] = 16  # bits

    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(bytes(data)), formats=["PNG"])
    assert Image.open(io.BytesIO(mended(bytes(data))), formats=["PNG"]).size == seeds.SIZE


def test_a_changed_archive_is_mended():
    """Each member's checksum is that of what it now holds."""
    data = seeds.checkpoints()["begun"].replace(b"fingerprint", b"FINGERPRINT")

    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(data)).read("about.npy")
    assert b"FINGERPRINT" in zipfile.ZipFile(io.BytesIO(mended(data))).read("about.npy")

"""The tutorial: its commands run as written, in a reader's folder, against a whole farm."""

from __future__ import annotations

import pytest
from PIL import Image

from bench.tutorial import PAGE, run_commands
from infra.site.examples import commands
from tests.support import picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FOLDERS = ("first", "early", "middle", "late", "both", "mean", "gentle", "wild", "guided")


def test_every_command_runs_and_leaves_what_it_promises(stack, tmp_path):
    """A dream in each folder that the page names, of the photograph's size and unlike the others."""
    (tmp_path / "photo.jpg").write_bytes(picture(96, 80, form="JPEG"))
    (tmp_path / "guide.jpg").write_bytes(picture(80, 96, form="JPEG", seed=1))

    run_commands(tmp_path, stack.child_environment() | {"DREAMFARM_URL": stack.api_url})

    found = {folder: sorted((tmp_path / folder).iterdir()) for folder in FOLDERS}
    assert {folder: len(files) for folder, files in found.items()} == dict.fromkeys(FOLDERS, 1)
    assert {Image.open(file).size for [file] in found.values()} == {(96, 80)}
    assert len({Image.open(file).tobytes() for [file] in found.values()}) == len(FOLDERS)
    assert len(list((tmp_path / "swept").glob("*.png"))) == 2
    assert sorted(Image.open(file).size for file in (tmp_path / "dreams").glob("*.png")) == [(80, 96), (96, 80)]
    assert sum(block.count("dreamfarm ") for block in commands(PAGE)) >= 12

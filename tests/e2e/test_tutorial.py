"""The tutorial and the page on bulk: their commands run as written, in a reader's folder, against a whole farm."""

from __future__ import annotations

import json
import re

import httpx2
import pytest
from PIL import Image

from bench.tutorial import PAGE, run_commands
from infra.site.examples import commands
from tests.support import picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BULK = PAGE.with_name("bulk.md")
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


def test_the_commands_for_bulk_run(stack, tmp_path):
    """A folder's dreams, a sweep's four with their sheet, and the body for HTTP is one that the farm takes."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photo.jpg").write_bytes(picture(96, 80, form="JPEG"))
    for seed in (0, 1):
        (tmp_path / "photos" / f"{seed}.jpg").write_bytes(picture(96, 80, form="JPEG", seed=seed))

    run_commands(tmp_path, stack.child_environment() | {"DREAMFARM_URL": stack.api_url}, page=BULK)

    assert len(list((tmp_path / "dreams").iterdir())) == 2
    assert len(list((tmp_path / "swept").iterdir())) == 4
    assert Image.open(tmp_path / "sheet.jpg").width > 96


def test_the_body_for_bulk_is_understood(stack):
    """The farm knows every field of the body that the page shows; a dry run, so that no picture is needed."""
    [body] = re.findall(r"^```json\n(.*?)^```", BULK.read_text(), re.DOTALL | re.MULTILINE)
    asked = json.loads(body) | {"inputs": [{"url": "https://example.org/sky.jpg", "name": "sky"}]}

    plan = httpx2.post(f"{stack.api_url}/v1/batches", json=asked, trust_env=False)

    assert (plan.status_code, plan.json().get("jobs")) == (200, 4), plan.text

"""`dreamfarm estimate`: asking a farm, and this machine."""

import json

import numpy as np
import pytest
from flask import jsonify
from PIL import Image
from typer.testing import CliRunner

from dreamcore import DreamParams, ZoomParams
from dreamcore.workload import count_work
from dreamfarm.cli import app

ANSWER = {
    "operations": 12.5e9,
    "pixel_steps": 34_000_000,
    "peak_memory_bytes": 1_900_000_000,
    "seconds": 42.0,
    "sweep_seconds": None,
    "queue_s": 7.0,
    "jobs_before": 3,
    "cost": 0.25,
}


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(7).integers(0, 255, (97, 123, 3), dtype=np.uint8)).save(file)
    return file


def run(*args, **environment):
    return CliRunner().invoke(app, ["estimate", *map(str, args)], env={"COLUMNS": "200", **environment})


def answer(fake, **changes):
    with fake.app.app_context():
        fake.answers["POST", "/v1/estimate"].append(jsonify(ANSWER | changes))


def test_a_farm_is_asked_for_the_pictures_size(fake, picture):
    """The farm gets parameters and size, not the picture; what it says is shown for people."""
    answer(fake)

    result = run(picture, "--steps", 3, "--url", fake.url)

    assert result.exit_code == 0, result.output
    told = result.stdout.splitlines()[1].split("  ")
    assert [cell.strip() for cell in told if cell] == ["12.5 G", "34.0 M", "1.9 GB", "42 s", "7.0 s", "0.25"]


def test_what_a_farm_says_as_json(fake, picture):
    """With --json it is the farm's answer, and nothing else."""
    answer(fake, seconds=None, queue_s=None, cost=None)

    result = run(picture, "--json", "--kind", "zoom", "--frames", 5, DREAMFARM_URL=fake.url)

    assert json.loads(result.stdout) == ANSWER | {"seconds": None, "queue_s": None, "cost": None}


def test_time_that_nobody_knows_is_told_as_such(fake, picture):
    """Before a worker has dreamt there is no time, and no cost."""
    answer(fake, seconds=None, queue_s=None, cost=None)

    result = run(picture, "--url", fake.url)

    assert "not known yet" in result.stdout
    assert "COST" not in result.stdout


@pytest.mark.slow
def test_this_machine_is_measured_once(picture, tmp_path):
    """Without a farm the estimate is for this machine; the speed that was measured is kept for the next time."""
    asked = [picture, "--steps", 2, "--octaves", 2, "--kind", "zoom", "--frames", 4, "--json", "--weights", "random"]
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "DREAMFARM_URL": ""}

    first, second = (json.loads(run(*asked, **home).stdout) for _ in range(2))

    work = count_work(DreamParams(steps=2, octaves=2), (97, 123), zoom=ZoomParams(frames=4))
    assert first == second
    assert first["operations"] == work.operations
    assert first["seconds"] > 0
    assert len(list((tmp_path / "cache" / "dreamfarm" / "speeds").iterdir())) == 1

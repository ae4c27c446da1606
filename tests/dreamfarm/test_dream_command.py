"""`dreamfarm dream`, with the real engine."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from dreamcore.pictures import read_recipe
from dreamfarm.cli import app

SMALL = ["--octaves", "2", "--steps", "2"]


@pytest.fixture
def picture(tmp_path):
    noise = np.random.default_rng(7).integers(0, 255, (64, 80, 4), dtype=np.uint8)
    file = tmp_path / "noise.png"
    Image.fromarray(noise, "RGBA").save(file)
    return file


def dream(*args):
    result = CliRunner().invoke(app, ["dream", *map(str, args)])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.slow
def test_picture_in_picture_out(picture):
    """The dream has the picture's size and transparency, other colours, its recipe inside, and is the same again."""
    result = dream(picture, *SMALL)

    target = picture.with_name("noise-dream.png")
    first = target.read_bytes()
    before, after = np.asarray(Image.open(picture)), np.asarray(Image.open(io.BytesIO(first)))
    assert result.stdout == f"{target}\n"
    assert after.shape == before.shape
    assert np.array_equal(after[..., 3], before[..., 3])
    assert not np.array_equal(after[..., :3], before[..., :3])
    assert json.loads(read_recipe(first))["params"]["steps"] == 2
    dream(picture, *SMALL)
    assert target.read_bytes() == first


@pytest.mark.slow
def test_only_what_a_user_wants_to_read(picture):
    """On the terminal there is the bar and the result's path, and nothing of what the engine's libraries say."""
    command = [sys.executable, "-m", "dreamfarm.cli", "dream", str(picture), *SMALL]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == f"{picture.with_name('noise-dream.png')}\n"
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["Loading", "✓"]


@pytest.mark.slow
def test_format_by_name(picture, tmp_path):
    """The output's name decides its format."""
    dream(picture, *SMALL, "-o", tmp_path / "out.jpg")

    assert Image.open(tmp_path / "out.jpg").format == "JPEG"

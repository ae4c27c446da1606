"""`dreamfarm dream`, with the real engine."""

import hashlib
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
def test_guides_and_a_mask_by_files(picture, tmp_path):
    """Guides in their order and a mask steer the dream; its recipe has their hashes, and black is the photo's."""
    mask, guide = tmp_path / "mask.png", tmp_path / "guide.png"
    white = Image.new("L", (80, 64), 255)
    white.paste(0, (0, 0, 30, 64))
    white.save(mask)
    Image.open(picture).resize((50, 50)).save(guide)
    terms = json.dumps([{"layer": "fire6", "kind": "guide-match", "guide": 1}, {"layer": "fire6", "kind": "guide-dot"}])

    told = dream(
        picture,
        *SMALL,
        "--terms",
        terms,
        "--channels",
        "fire4:strongest2",
        "--feather",
        6,
        "--guide",
        picture,
        "--guide",
        guide,
        "--mask",
        mask,
    )

    before, after = (np.asarray(Image.open(file)) for file in (picture, picture.with_name("noise-dream.png")))
    assert np.array_equal(before[:, :30], after[:, :30])
    assert not np.array_equal(before[:, 40:], after[:, 40:])
    recipe = json.loads(read_recipe(picture.with_name("noise-dream.png").read_bytes()))
    files = (picture, guide, mask)
    assert [*recipe["guides_sha256"], *recipe["masks_sha256"]] == [
        hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    ]
    assert [term["layer"] for term in recipe["params"]["terms"]] == ["fire6", "fire6", "fire4"]
    assert "strongest channels of fire4" in told.stderr


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

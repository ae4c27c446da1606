"""`dreamfarm dream`, with the real engine."""

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from dreamcore.pictures import read_recipe
from dreamfarm.cli import app
from tests.dreamfarm.terminal import in_terminal
from tests.support import until

INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from dreamfarm.cli import main; main()"
)
"""Starts the command as a terminal does, also where the tests themselves ignore Ctrl-C."""

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
    dream(picture, *SMALL, "--fresh")
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
@pytest.mark.parametrize("command", ["dream", "zoom"])
def test_dreams_keep_to_the_memory_they_are_given(tmp_path, command):
    """By the option, or by the setting that workers have, too: a picture that may not be tiled is refused."""
    file = tmp_path / "wide.png"
    Image.new("RGB", (1600, 1200)).save(file)
    for given, memory in ((["--memory-gb", "0.8"], None), ([], "0.8")):
        asked = [command, str(file), *given, "--layers", "fire8", "--tiling", "off", "--weights", "random"]
        told = CliRunner().invoke(app, asked, env={"DREAMFARM_MEMORY_GB": memory})
        assert told.exit_code != 0
        assert "may take 0.8 GB" in " ".join(told.output.split())


@pytest.mark.slow
def test_only_what_a_user_wants_to_read(picture):
    """On the terminal there is the bar and the result's path, and nothing of what the engine's libraries say."""
    command = [sys.executable, "-m", "dreamfarm.cli", "dream", str(picture), *SMALL]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == f"{picture.with_name('noise-dream.png')}\n"
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["Loading", "✓"]


@pytest.mark.slow
def test_format_by_name_and_opened(picture, tmp_path, monkeypatch):
    """The output's name decides its format; --open hands the file to the desktop's program."""
    opener, opened = tmp_path / "xdg-open", tmp_path / "opened"
    opener.write_text(f'#!/bin/sh\necho "$@" > {opened}\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    dream(picture, *SMALL, "-o", tmp_path / "out.jpg", "--open")

    until(opened.exists)
    assert opened.read_text() == f"{tmp_path / 'out.jpg'}\n"
    assert Image.open(tmp_path / "out.jpg").format == "JPEG"


@pytest.mark.slow
def test_interrupted_the_same_command_goes_on(picture, tmp_path):
    """After Ctrl-C there is no result and a checkpoint; the same command goes on to the bytes of one that wasn't."""
    options = ["--octaves", "2", "--steps", "30", "--octave-scale", "1.2"]
    dream(picture, *options, "-o", tmp_path / "whole.png")
    target, checkpoint = tmp_path / "out.png", tmp_path / ".out.png.checkpoint"
    command = [sys.executable, "-c", INTERRUPTIBLE, "dream", str(picture), *options, "-o", str(target)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until(checkpoint.exists)
    running.send_signal(signal.SIGINT)
    told = running.communicate(timeout=60)[1].splitlines()[-1]

    assert running.returncode == 130
    assert re.fullmatch(r"Stopped in octave [12] after step \d+\. The same command goes on from there\.", told)
    assert not target.exists()
    assert "Going on in octave" in dream(picture, *options, "-o", target).stderr
    assert target.read_bytes() == (tmp_path / "whole.png").read_bytes()
    assert not checkpoint.exists()


@pytest.mark.slow
def test_a_folder_of_pictures_one_of_them_broken(picture, tmp_path):
    """The others are dreamt and the broken one is named; the second time nothing is left to do, dreams are no input."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.png", "c.png"):
        (photos / name).write_bytes(picture.read_bytes())
    (photos / "b.jpg").write_text("no picture")

    def dream_all():
        result = CliRunner().invoke(app, ["dream", str(photos), *SMALL])
        return result.exit_code, result.stdout.split(), result.stderr

    code, made, told = dream_all()

    assert (code, made) == (2, [str(photos / "a-dream.png"), str(photos / "c-dream.png")])
    assert f"{photos / 'b.jpg'}: The file is no picture" in told
    again = dream_all()
    assert again[:2] == (code, made)
    assert again[2].count("is this very dream already") == 2


@pytest.mark.slow
def test_again_dreams_as_a_result_was_dreamt(picture, tmp_path):
    """With its parameters, guide and picture, found by their bytes; an option given besides changes it."""
    made = tmp_path / "made.png"
    dream(picture, *SMALL, "--guide", picture, "--seed", 5, "-o", made)

    dream("--again", made, "-o", tmp_path / "same.png")
    dream("--again", made, "--seed", 6, "-o", tmp_path / "other.png")

    same, other = (read_recipe((tmp_path / name).read_bytes()) for name in ("same.png", "other.png"))
    assert (tmp_path / "same.png").read_bytes() == made.read_bytes()
    assert json.loads(other) == {**json.loads(same), "params": {**json.loads(same)["params"], "seed": 6}}


@pytest.mark.slow
def test_a_terminal_shows_the_dream(picture):
    """In colours, below the bar and above the path."""
    code, shown = in_terminal("dream", picture, *SMALL)

    result = shown[shown.rindex("100%") :]
    assert code == 0
    assert "▀" in result
    assert len(set(re.findall(r"38;2;\d+;\d+;\d+", result))) > 100
    assert result.rstrip().endswith("noise-dream.png")

"""`dreamfarm zoom`, with the real engine."""

import signal
import subprocess
import sys

import av
import pytest
from PIL import Image
from typer.testing import CliRunner

from dreamfarm.cli import app
from tests.support import picture, until

INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from dreamfarm.cli import main; main()"
)
"""Starts the command as a terminal does, also where the tests themselves ignore Ctrl-C."""

SMALL = ["--octaves", "1", "--steps", "2", "--frame-octaves", "1", "--frame-steps", "1", "--fps", "29.97"]


@pytest.fixture
def photo(tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(picture(71, 65))
    return file


def zoom(*args, code=0):
    result = CliRunner().invoke(app, ["zoom", *map(str, args)])
    assert result.exit_code == code, result.output
    return result


def frames(folder):
    return sorted(folder.glob("frame-*.png"))


@pytest.mark.slow
def test_interrupted_by_ctrl_c_the_same_command_goes_on(photo, tmp_path):
    """After Ctrl-C the whole frames lie there, the same command goes on after them, and the film doesn't show it."""
    zoom(photo, "-o", tmp_path / "whole.mp4", "--frames", 30, "--keep-frames", *SMALL)
    film = tmp_path / "film.mp4"
    folder = tmp_path / ".film.mp4.frames"
    options = [str(photo), "-o", str(film), "--frames", "30", *SMALL]
    running = subprocess.Popen([sys.executable, "-c", INTERRUPTIBLE, "zoom", *options], stderr=subprocess.PIPE)
    until((folder / "frame-00003.png").exists)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    done = len(frames(folder))

    assert running.returncode != 0
    assert not film.exists()
    assert 3 <= done < 30
    again = zoom(*options, "--keep-frames")
    assert f"Going on after frame {done}." in again.stderr
    assert film.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert [f.read_bytes() for f in frames(folder)] == [f.read_bytes() for f in frames(tmp_path / ".whole.mp4.frames")]
    assert film.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    with av.open(str(film)) as opened:
        stream = opened.streams.video[0]
        assert (stream.frames, str(stream.average_rate)) == (30, "30000/1001")


@pytest.mark.slow
def test_a_folder_gets_the_frames(photo, tmp_path):
    """An output without a suffix is a folder of PNGs; other parameters are not mixed in."""
    folder = tmp_path / "frames"
    zoom(photo, "-o", folder, "--frames", 2, "--centre", "0.2,0.8", *SMALL)

    names = sorted(file.name for file in folder.iterdir())
    assert names == ["frame-00001.png", "frame-00002.png", "zoom.json"]
    assert Image.open(folder / names[0]).size == (71, 65)
    refused = zoom(photo, "-o", folder, "--frames", 2, "--centre", "0.3,0.8", *SMALL, code=2)
    assert "holds frames of another zoom" in refused.stderr


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["-o", "film.avi"], "name a .mp4, .webm or .gif file"),
        (["--scale", "3"], "scale"),
        (["--centre", "here"], "no pair of numbers"),
        (["--fps", "quick"], "no frame rate"),
        (["-o", "film.gif", "--fps", "60"], "at most 50"),
    ],
)
def test_what_is_wrong_is_said_before_the_engine_loads(photo, wrong, message, tmp_path, monkeypatch):
    """A wrong option is one clear error."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["zoom", str(photo), *wrong])

    assert result.exit_code != 0
    assert message in " ".join(result.stderr.replace("│", " ").split())

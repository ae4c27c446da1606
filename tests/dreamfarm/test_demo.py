"""``dreamfarm demo``: a picture through a whole farm that is there for this alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from dreamfarm import Farm
from dreamfarm.stack import Stack
from farm.states import JobState
from tests.support import picture

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo(tmp_path):
    """Return a function that starts the demo in a folder of its own."""
    (tmp_path / "photo.png").write_bytes(picture(320, 240))

    def start(*options):
        command = [sys.executable, "-m", "dreamfarm", "demo", "--image", "photo.png", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True)

    return start


def test_the_demo_shows_before_and_after(demo, tmp_path):
    """It ends by itself with both pictures side by side, says where, and nothing else is on the screen."""
    process = demo("--octaves", "2", "--steps", "3")

    said, noise = process.communicate(timeout=200)

    assert process.returncode == 0, noise
    assert "octave 2/2" in said
    assert "dreams/photo-before-after.png" in said
    assert noise == ""
    with Image.open(tmp_path / "dreams" / "photo-before-after.png") as both:
        assert both.width > 2 * 320
        assert both.height == 240


def test_a_demo_that_is_broken_off_leaves_nothing_at_work(demo, tmp_path):
    """Ctrl-C ends all processes and cancels the job, which the next demo would have to wait for otherwise."""
    process = demo("--octaves", "3", "--steps", "100")
    while "octave 1/3" not in process.stdout.readline():
        assert process.poll() is None
    children = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)

    assert process.returncode == 130
    assert not [child for child in children if child.is_running()]
    with Stack(tmp_path / ".dreamfarm", workers=0) as stack, Farm(stack.api_url) as farm:
        assert [job.state for job in farm.jobs()] == [JobState.CANCELED]

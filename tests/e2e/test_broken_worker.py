"""A worker that breaks every job, beside one that renders them."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm.states import JobState
from tests.support import picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SHORT = {"octaves": 1, "steps": 1}
WITHIN_S = 60
JOBS = 8


@contextmanager
def broken_worker(stack):
    """Run one beside the stack's own."""
    command = [sys.executable, "-m", "tests.e2e.broken_worker"]
    with subprocess.Popen(command, env=stack.child_environment(), stderr=subprocess.DEVNULL) as process:
        yield
        process.terminate()


def until(tell):
    """Return what is told as soon as it is true."""
    deadline = time.monotonic() + WITHIN_S
    while not (told := tell()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return told


def test_a_broken_worker_is_set_aside_and_its_jobs_succeed_elsewhere(tmp_path):
    """No job fails by it: another renders them, and it is told why the broken one is given no more."""
    with Stack(tmp_path / "farm", workers=1) as stack, Farm(stack.api_url) as farm, broken_worker(stack):
        stack.wait_for_workers(2)
        jobs = [farm.submit(picture(), params={**SHORT, "seed": seed}) for seed in range(JOBS)]

        ended = [farm.wait(job.id) for job in jobs]
        aside = until(lambda: [worker for worker in farm.workers() if worker.state == "set_aside"])

        assert [job.state for job in ended] == [JobState.SUCCEEDED] * JOBS
        assert len(aside) == 1
        assert "internal_error" in aside[0].why

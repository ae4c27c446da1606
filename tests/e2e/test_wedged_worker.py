"""A worker whose render process hangs before it begins anything."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm.states import JobState
from tests.support import picture, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def renderer(worker):
    """Return the process in which a worker renders."""
    children = psutil.Process(worker.pid).children(recursive=True)
    return next(child for child in children if "spawn_main" in " ".join(child.cmdline()))


def test_a_wedged_worker_ends_and_the_next_does_its_work(tmp_path):
    """A message lies with it and no job begins: it ends by itself, is started anew, and the job is done."""
    with Stack(tmp_path / "farm", environment={"DREAMFARM_WEDGED_S": "2"}) as stack, Farm(stack.api_url) as farm:
        stack.wait_for_workers()
        [worker] = stack.workers
        wedged = worker.pid
        os.kill(renderer(worker).pid, signal.SIGSTOP)

        job = farm.submit(picture(), params={"octaves": 1, "steps": 1})
        until(lambda: worker.is_running() and worker.pid != wedged)
        ended = farm.wait(job.id)

        assert ended.state is JobState.SUCCEEDED
        assert not psutil.pid_exists(wedged)
        assert "worker_wedged" in worker.log.read_text()

"""A worker whose render process hangs before it begins anything, and one whose engine isn't loaded yet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm.states import JobState
from tests.support import picture, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
NAME = "the-worker"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Return a farm whose one worker keeps its name when it is started anew."""
    environment = {"DREAMFARM_WEDGED_S": "2", "DREAMFARM_WORKER_ID": NAME}
    with Stack(tmp_path_factory.mktemp("wedged") / "farm", environment=environment) as running:
        running.wait_for_workers()
        yield running


def renderer(worker):
    """Return the process in which a worker renders, once there is one."""
    children = psutil.Process(worker.pid).children(recursive=True)
    return next((child for child in children if "spawn_main" in " ".join(child.cmdline())), None)


def ready(stack):
    """Return what a probe is told of the worker."""
    environment = {**os.environ, **stack.child_environment(), "DREAMFARM_WORKER_ID": NAME}
    return subprocess.run([sys.executable, "-m", "worker.ready"], env=environment, check=False).returncode


def test_a_wedged_worker_ends_and_the_next_does_its_work(stack):
    """A message lies with it and no job begins: it ends by itself, is started anew, and the job is done."""
    [worker] = stack.workers
    wedged = worker.pid
    os.kill(renderer(worker).pid, signal.SIGSTOP)

    with Farm(stack.api_url) as farm:
        job = farm.submit(picture(), params={"octaves": 1, "steps": 1}, fresh=True)
        until(lambda: worker.is_running() and worker.pid != wedged)
        ended = farm.wait(job.id)

    assert ended.state is JobState.SUCCEEDED
    assert not psutil.pid_exists(wedged)
    assert "worker_wedged" in worker.log.read_text()


def test_a_worker_is_ready_once_it_has_rendered_a_step(stack):
    """One that was killed and started anew under its old name is not, although its card was that of a ready one."""
    [worker] = stack.workers
    killed = worker.pid
    with Farm(stack.api_url) as farm:
        until(lambda: ready(stack) == 0)
        os.kill(killed, signal.SIGKILL)
        until(lambda: worker.is_running() and worker.pid != killed and renderer(worker))
        child = renderer(worker)
        child.suspend()
        until(lambda: any(one.pid == worker.pid for one in farm.workers()))

        assert ready(stack) == 1
        assert [one.device for one in farm.workers()] == ["starting"]
        child.resume()
        until(lambda: ready(stack) == 0)
        assert farm.workers()[0].device != "starting"

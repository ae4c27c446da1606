"""Jobs that need tags, and a real worker that offers some."""

from __future__ import annotations

import pytest

from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm.states import JobState
from tests.support import picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

SHORT = {"octaves": 1, "steps": 1}


def test_a_worker_with_tags_takes_what_needs_them_and_what_needs_none(tmp_path):
    """Its own pool's messages reach it; a job that needs what nobody offers waits, and holds nobody up."""
    with Stack(tmp_path / "farm", workers=1, environment={"DREAMFARM_WORKER_TAGS": "gpu,near"}) as stack:
        farm = Farm(stack.api_url)
        waiting = farm.submit(picture(), params=SHORT, needs=["large"], priority=9)
        wanted = [{"seed": 1, "needs": ["gpu"]}, {"seed": 2, "needs": []}]
        jobs = [farm.submit(picture(), params={**SHORT, "seed": one["seed"]}, needs=one["needs"]) for one in wanted]

        ended = [farm.wait(job.id) for job in jobs]

        assert [job.state for job in ended] == [JobState.SUCCEEDED] * 2
        assert farm.get(waiting.id).state is JobState.QUEUED

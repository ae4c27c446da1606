"""Servers that are away for long: the farm says so to who asks, and goes on by itself once they are back."""

from __future__ import annotations

import io
import time

import httpx2
import pytest

from farm.states import JobState
from tests.chaos.scenarios import PARAMS, PHOTO
from tests.chaos.shaky import ShakyStack
from tests.support import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

AWAY_S, ASK_EVERY_S = 60, 4


def refusals(site, *, lasts_s, every_s):
    """Hand pictures in again and again; return the different answers: status, code, whether a time to wait is told."""
    found, until_s = set(), time.monotonic() + lasts_s
    while time.monotonic() < until_s:
        answer = httpx2.post(f"{site.api_url}/v1/jobs", files={"image": io.BytesIO(PHOTO)}, timeout=60)
        found.add((answer.status_code, answer.json()["code"], int(answer.headers.get("Retry-After", 0)) > 0))
        time.sleep(every_s)
    return found


def test_a_minute_without_redis_and_s3_costs_nothing_but_the_minute(tmp_path):
    """What is handed in is refused with 503 and a time to wait; the dream under way ends in the same bytes after."""
    with ShakyStack(tmp_path / "farm", workers=1) as site, site.client() as farm:
        site.wait_for_workers(1)
        expected = farm.wait(farm.submit(PHOTO, params=PARAMS).id).output.sha256
        job = farm.submit(PHOTO, params=PARAMS, fresh=True)
        until(lambda: farm.get(job.id).progress.octave == 2)

        for link in (site.redis_link, site.s3_link):
            link.cut()
        answers = refusals(site, lasts_s=AWAY_S, every_s=ASK_EVERY_S)
        for link in (site.redis_link, site.s3_link):
            link.heal()
        ended = farm.wait(job.id)
        jobs = [each.id for each in farm.jobs()]

    assert answers == {(503, "service_unavailable", True)}
    assert (ended.state, ended.output.sha256) == (JobState.SUCCEEDED, expected)
    assert len(jobs) == 2

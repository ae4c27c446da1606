"""Faults at the very moment at which a guard is needed: each shows what that guard is for."""

from __future__ import annotations

import os
import signal
import time

from farm.states import ACTIVE, JobState
from tests.chaos import invariants
from tests.chaos.faults import spoil
from tests.support import picture, until

PHOTO = picture(320, 240)
PARAMS = {"octaves": 3, "steps": 40, "jitter": 8}
SILENCE_S = 25
"""After so long a job that has not ended is lost."""


class Stage:
    """A farm on which scenarios are played, and the jobs that it accepted for them."""

    def __init__(self, site):
        self.site = site
        self.services = site.services()
        self.accepted: dict[str, int] = {}
        first = self._hand_in()
        until(lambda: self.services.store.get(first).state is JobState.SUCCEEDED)
        self.expected = {0: self.services.store.get(first).output.sha256}

    def play(self, scenario):
        """Let a job meet the fault in its second octave; return what kinds of wrong came of it."""
        job_id = self._hand_in()
        job = until(lambda: self._in_its_second_octave(job_id))
        pid = next(card.pid for card in self.services.workers.list() if card.id == job.attempts[-1].worker)
        scenario(self.services, job, pid)
        self._wait(job_id)
        wrong = invariants.wrong_jobs(self.services, self.accepted, self.expected)
        return {kind for kind, texts in wrong.items() if texts}

    def _hand_in(self):
        with self.site.client() as farm:
            job = farm.submit(PHOTO, params=PARAMS, fresh=True)
        self.accepted[job.id] = 0
        return job.id

    def _in_its_second_octave(self, job_id):
        job = self.services.store.get(job_id)
        late = job.progress.octave == 2 and job.progress.step >= PARAMS["steps"] // 2
        return job if late and job.checkpoint else None

    def _wait(self, job_id):
        deadline = time.monotonic() + SILENCE_S
        while time.monotonic() < deadline and self.services.store.get(job_id).state in ACTIVE:
            time.sleep(0.1)


def worker_is_away(services, job, pid):
    """Its worker sleeps until another one works on the job, and then goes on as if nothing had been."""
    os.killpg(pid, signal.SIGSTOP)
    try:
        until(lambda: services.store.get(job.id).attempt > job.attempt and services.store.get(job.id).progress.octave)
        until(lambda: services.store.get(job.id).state is JobState.RUNNING)
    finally:
        os.killpg(pid, signal.SIGCONT)


def worker_dies(_services, _job, pid):
    """All of its worker is gone at once."""
    os.killpg(pid, signal.SIGKILL)


def checkpoint_is_another_pictures(services, job, pid):
    """What the next worker would go on from is well-formed, and wrong."""
    spoil(services, services.store.get(job.id))
    os.killpg(pid, signal.SIGKILL)

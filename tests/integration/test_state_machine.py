"""Every order of events: the store against a model, step by step, with clients that are late or call twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from ulid import ULID

from farm import change, keys
from farm.change import Fence, Outcome
from farm.dispatch import Offer
from farm.record import JobSpec
from farm.schema import ErrorView, PictureView, ProgressView
from farm.states import ACTIVE, TERMINAL, JobState
from tests.chaos.invariants import wrong_counts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PICTURE = PictureView(sha256="0" * 64, width=8, height=8)
START = ProgressView(octaves=2, steps=3)
ERROR = ErrorView(code="internal_error", message="It broke.").model_dump_json()
OUTPUT = '{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "k"}'
MAX_ATTEMPTS = 3
LEASE_MS = 600_000
LUCK = st.integers(0, 10**6)


@dataclass
class Model:
    """What a job should be."""

    id: str
    owner: str
    needs: tuple[str, ...]
    priority: int
    state: JobState = JobState.QUEUED
    attempt: int = 1
    lost: int = 0
    fence: Fence | None = None
    """Who holds it; None too where its lease ran out."""
    ended: list[str] = field(default_factory=list)


class Jobs(RuleBasedStateMachine):
    """Clients do what they like; the store must agree with the model about what came of it."""

    services = None

    def __init__(self):
        super().__init__()
        self.store, self.dispatch = self.services.store, self.services.dispatch
        self.jobs: dict[str, Model] = {}
        self.fences: list[tuple[str, Fence]] = []
        self.last: tuple[change.Change, Outcome] | None = None

    @initialize()
    def empty(self):
        self.store.redis.flushdb()

    @rule(owner=st.sampled_from(["ann", "bob"]), priority=st.integers(0, 2), needs=st.sampled_from([(), ("gpu",)]))
    def submit(self, owner, priority, needs):
        spec = JobSpec(
            params={}, format="png", input=PICTURE, owner=owner, priority=priority, needs=needs, work_s=1.5, tags=("t",)
        )
        job_id = str(ULID())
        for _ in range(2):  # the same id again changes nothing
            self.store.create(job_id, spec, START)
        self.jobs[job_id] = Model(job_id, owner, needs, priority)

    @rule(worker=st.sampled_from(["w1", "w2"]), tags=st.sampled_from([(), ("gpu",)]))
    def claim(self, worker, tags):
        """Something is given where there is something to do: of some owner's fitting jobs the most urgent."""
        fitting = [job for job in self._in(JobState.QUEUED) if set(job.needs) <= set(tags)]
        claims = self.dispatch.claim(worker, Offer(tags), lease_ms=LEASE_MS)
        assert len(claims) == bool(fitting)
        for given, fence in claims:
            job = self.jobs[given.id]
            assert job in fitting
            assert job.priority == max(other.priority for other in fitting if other.owner == job.owner)
            assert fence.attempt == job.attempt
            job.state, job.fence = JobState.RUNNING, fence
            self.fences.append((job.id, fence))

    @rule(luck=LUCK, ends=st.sampled_from(["succeed", "fail", "hand_back", "report"]))
    def write(self, luck, ends):
        """Whoever ever held a job writes: the holder is let in, the others are told that they are late."""
        if not self.fences:
            return
        job_id, fence = self.fences[luck % len(self.fences)]
        job, wanted = self.jobs.get(job_id), _written(job_id, fence, ends)
        outcome = self._apply(wanted)
        if job is None:
            assert outcome is Outcome.MISSING
        elif job.state is not JobState.RUNNING:
            assert outcome is Outcome.WRONG_STATE
        elif job.fence != fence:
            assert outcome is Outcome.STALE
        else:
            assert outcome is Outcome.OK
            self._ended(job, ends)

    @rule(luck=LUCK)
    def lose_lease(self, luck):
        """A worker falls silent: its lease runs out, and a janitor takes the job back, or ends it."""
        if not (running := self._in(JobState.RUNNING)):
            return
        job = running[luck % len(running)]
        self.store.redis.delete(keys.lease(job.id))
        assert job.id in {lapsed.id for lapsed in self.store.lapsed()}
        self.services.jobs.lose(self.store.get(job.id), max_attempts=MAX_ATTEMPTS)
        job.fence, job.lost = None, job.lost + 1
        job.state = JobState.FAILED if job.lost == MAX_ATTEMPTS else JobState.QUEUED
        job.attempt += job.state is JobState.QUEUED

    @rule(luck=LUCK)
    def janitor_is_late(self, luck):
        """A janitor that saw a lease run out finds it renewed, or the job elsewhere: nothing is taken from anybody."""
        if not (running := self._in(JobState.RUNNING)):
            return
        job = running[luck % len(running)]
        assert self._apply(change.lose(job.id, attempt=job.attempt)) is Outcome.STALE
        assert self._apply(change.lose(job.id, attempt=job.attempt + 1)) is Outcome.STALE

    @rule(luck=LUCK)
    def cancel(self, luck):
        if job := self._any(luck):
            outcome = self._apply(change.cancel(job.id))
            assert outcome is (Outcome.OK if job.state in ACTIVE else Outcome.WRONG_STATE)
            if outcome is Outcome.OK:
                job.state, job.fence = JobState.CANCELED, None

    @rule(luck=LUCK)
    def retry(self, luck):
        if job := self._any(luck):
            outcome = self._apply(change.retry(job.id, progress=START.model_dump_json()))
            may = job.state in TERMINAL - {JobState.SUCCEEDED}
            assert outcome is (Outcome.OK if may else Outcome.WRONG_STATE)
            if may:
                job.state, job.attempt, job.lost = JobState.QUEUED, job.attempt + 1, 0

    @rule(luck=LUCK)
    def expire(self, luck):
        if job := self._any(luck):
            may = job.state is JobState.SUCCEEDED
            assert self._apply(change.expire(job.id)) is (Outcome.OK if may else Outcome.WRONG_STATE)
            job.state = JobState.EXPIRED if may else job.state

    @rule(luck=LUCK)
    def delete(self, luck):
        if job := self._any(luck):
            outcome = self.store.delete(self.store.get(job.id))
            assert outcome is (Outcome.OK if job.state in TERMINAL else Outcome.WRONG_STATE)
            if outcome is Outcome.OK:
                del self.jobs[job.id]

    @rule()
    def send_again(self):
        """A client that saw no answer sends the same change again: it is told the same, and nothing changes."""
        if self.last and self.last[0].id in self.jobs:
            before = self.store.redis.hgetall(keys.job(self.last[0].id))
            assert self.store.apply(self.last[0]).outcome is self.last[1]
            assert self.store.redis.hgetall(keys.job(self.last[0].id)) == before

    @invariant()
    def records_are_the_models(self):
        for job in self.jobs.values():
            stored = self.store.get(job.id)
            assert (stored.state, stored.attempt, stored.lost) == (job.state, job.attempt, job.lost)
            assert self.store.redis.get(keys.lease(job.id)) == (job.fence.token if job.fence else None)

    @invariant()
    def indexes_are_true(self):
        redis = self.store.redis
        assert list(wrong_counts(self.services)) == []
        for owner in ("ann", "bob"):
            own = {job.id for job in self.jobs.values() if job.owner == owner}
            assert set(redis.zrange(keys.by_owner(owner), 0, -1)) == own
        assert set(redis.zrange(keys.by_tag("t"), 0, -1)) == set(self.jobs)

    @invariant()
    def lanes_are_true(self):
        redis, queued = self.store.redis, self._in(JobState.QUEUED)
        waiting = Counter("+".join(job.needs) for job in queued)
        assert {need: int(count) for need, count in redis.hgetall("dispatch:waiting").items()} == waiting
        lanes = {(owner, needs) for owner in ("ann", "bob") for needs in ("", "gpu")}
        for owner, needs in lanes:
            own = {job.id for job in queued if (job.owner, "+".join(job.needs)) == (owner, needs)}
            assert set(redis.zrange(keys.lane(owner, needs), 0, -1)) == own
            assert (redis.zscore(keys.owners_waiting(needs), owner) is not None) == bool(own)

    @invariant()
    def work_is_true(self):
        work = {name: float(seconds) for name, seconds in self.store.redis.hgetall(keys.WORK).items()}
        states = Counter(str(job.state) for job in self.jobs.values() if job.state in ACTIVE)
        assert work == pytest.approx({state: 1.5 * count for state, count in states.items()})
        needs = Counter("+".join(job.needs) for job in self._in(JobState.QUEUED))
        waiting = {need: float(seconds) for need, seconds in self.store.redis.hgetall(keys.WAITING_WORK).items()}
        assert waiting == pytest.approx({need: 1.5 * count for need, count in needs.items()})

    def _in(self, state):
        return [job for job in self.jobs.values() if job.state is state]

    def _any(self, luck):
        return list(self.jobs.values())[luck % len(self.jobs)] if self.jobs else None

    def _apply(self, wanted):
        outcome = self.store.apply(wanted).outcome
        self.last = (wanted, outcome) if outcome is Outcome.OK else self.last
        return outcome

    def _ended(self, job, ends):
        if ends == "report":
            return
        job.fence = None
        job.attempt += ends == "hand_back"
        job.state = {"succeed": JobState.SUCCEEDED, "fail": JobState.FAILED, "hand_back": JobState.QUEUED}[ends]


def _written(job_id, fence, ends):
    progress = START.model_dump_json()
    return {
        "succeed": lambda: change.succeed(job_id, fence, output=OUTPUT, progress=progress),
        "fail": lambda: change.fail(job_id, fence, error=ERROR),
        "hand_back": lambda: change.hand_back(job_id, fence),
        "report": lambda: change.report(job_id, fence, {"progress": progress}),
    }[ends]()


def test_the_store_agrees_with_the_model(services):
    """Whatever clients do in whatever order: states, attempts, leases, counts, lanes and sums are the model's."""
    machine = type("Jobs", (Jobs,), {"services": services})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


RACES = {
    "claim": lambda services, _job, _fence: bool(services.dispatch.claim("w", Offer(), lease_ms=LEASE_MS)),
    "succeed": lambda services, job, fence: _done(services, _written(job, fence, "succeed")),
    "fail": lambda services, job, fence: _done(services, _written(job, fence, "fail")),
    "hand_back": lambda services, job, fence: _done(services, _written(job, fence, "hand_back")),
    "cancel": lambda services, job, _fence: _done(services, change.cancel(job)),
}


def _done(services, wanted):
    return services.store.apply(wanted).outcome is Outcome.OK


@pytest.mark.parametrize("what", RACES)
def test_of_many_at_once_one_is_let_in(services, what):
    """Eight clients do the same to one job at the same moment, each for itself: one of them has done it."""
    job_id = str(ULID())
    services.store.create(job_id, JobSpec(params={}, format="png", input=PICTURE), START)
    [(_, fence)] = services.dispatch.claim("w", Offer(), lease_ms=LEASE_MS) if what != "claim" else [(None, None)]
    gate, done = Barrier(8), []

    def client():
        gate.wait()
        done.append(RACES[what](services, job_id, fence))

    threads = [Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == [False] * 7 + [True]
    assert list(wrong_counts(services)) == []

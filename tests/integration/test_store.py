"""The store against a real server: every change is atomic, guarded and fenced."""

from __future__ import annotations

import threading
import time

import pytest
from ulid import ULID

from farm import change, keys
from farm.change import Fence, Outcome
from farm.errors import NotFoundError
from farm.record import JobSpec
from farm.schema import PictureView, ProgressView
from farm.states import TRANSITIONS, JobState, Transition

PICTURE = PictureView(sha256="0" * 64, width=8, height=8)
PROGRESS = ProgressView(octaves=2, steps=3)
FENCE = Fence(attempt=1, token="token-1")
ERROR = '{"code": "x", "message": "y"}'
OUTPUT = '{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "k"}'


@pytest.fixture
def store(services):
    return services.store


def spec(*tags):
    return JobSpec(params={}, format="png", input=PICTURE, tags=tags)


def new_job(store, *tags):
    return store.create(str(ULID()), spec(*tags), PROGRESS)


def claim(store, job_id, *, attempt=1, token=FENCE.token, lease_ms=5_000):
    return store.apply(change.claim(job_id, attempt=attempt, token=token, worker="w", lease_ms=lease_ms))


def running_job(store):
    job = new_job(store)
    assert claim(store, job.id).outcome is Outcome.OK
    return store.get(job.id)


def bring_to(store, state):
    """Return the id of a job in that state, reached by real transitions."""
    job = new_job(store) if state is JobState.QUEUED else running_job(store)
    ways = {
        JobState.SUCCEEDED: [change.succeed(job.id, FENCE, output=OUTPUT, progress=PROGRESS.model_dump_json())],
        JobState.FAILED: [change.fail(job.id, FENCE, error=ERROR)],
        JobState.CANCELED: [change.cancel(job.id)],
    }
    for step in ways.get(state, []):
        assert store.apply(step).outcome is Outcome.OK
    return job.id


def changes_for(job_id, attempt):
    """Return one change per transition that the code makes, each with a right that would be good in its time."""
    fence = Fence(attempt, FENCE.token)
    return {
        Transition.CLAIM: change.claim(job_id, attempt=attempt, token="t", worker="w", lease_ms=1000),
        Transition.SUCCEED: change.succeed(job_id, fence, output=OUTPUT, progress="{}"),
        Transition.FAIL: change.fail(job_id, fence, error=ERROR),
        Transition.HAND_BACK: change.hand_back(job_id, fence),
        Transition.CANCEL: change.cancel(job_id),
        Transition.RETRY: change.retry(job_id, progress="{}"),
    }


@pytest.mark.parametrize(
    "state", [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED]
)
@pytest.mark.parametrize("transition", list(changes_for("", 1)))
def test_only_the_tables_transitions_are_applied(store, state, transition):
    """From each state, what the table allows is done and what it doesn't allow changes nothing."""
    job_id = bring_to(store, state)
    before = store.redis.hgetall(keys.job(job_id))

    applied = store.apply(changes_for(job_id, int(before["attempt"]))[transition])

    sources, target = TRANSITIONS[transition]
    if state in sources:
        assert (applied.outcome, applied.state) == (Outcome.OK, target)
        assert store.redis.zscore(keys.by_state(target), job_id) is not None
        assert store.redis.zscore(keys.by_state(state), job_id) is None or state is target
    else:
        assert applied.outcome is Outcome.WRONG_STATE
        assert store.redis.hgetall(keys.job(job_id)) == before


def test_a_job_is_created_whole(store):
    """A new job is queued, listed, and carries what was asked for."""
    job = new_job(store, "sky")

    assert (job.state, job.seq, job.attempt, job.spec.tags) == (JobState.QUEUED, 1, 1, ("sky",))
    assert [found.id for found in store.page(state=None, tag=None, limit=5, before=None)[0]] == [job.id]


def test_creating_a_job_twice_changes_nothing(store):
    """A create that is sent again, because its answer was lost, finds the job as it is."""
    job = running_job(store)

    again = store.create(job.id, spec(), PROGRESS)

    assert again.state is JobState.RUNNING


def test_of_many_claims_one_wins(store):
    """A message delivered to eight workers at once starts one attempt."""
    job = new_job(store)
    outcomes = []
    threads = [
        threading.Thread(target=lambda token=f"t{number}": outcomes.append(claim(store, job.id, token=token).outcome))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(Outcome.OK) == 1


def test_a_change_sent_twice_is_applied_once(store):
    """A client that saw no answer and sends again neither fails nor counts twice."""
    job = new_job(store)
    claimed = change.claim(job.id, attempt=1, token="t", worker="w", lease_ms=1000)

    first, second = store.apply(claimed), store.apply(claimed)

    assert first.outcome is second.outcome is Outcome.OK
    assert first.seq == second.seq


def test_a_change_sent_again_late_is_applied_once(store):
    """Though a worker has claimed the job and reported in between, who retried it is told that it was done."""
    job_id = bring_to(store, JobState.FAILED)
    again = change.retry(job_id, progress=PROGRESS.model_dump_json())
    store.apply(again)
    claim(store, job_id, attempt=2)
    for step in range(5):
        store.apply(change.report(job_id, Fence(2, FENCE.token), {"previews": step}))
    before = store.redis.hgetall(keys.job(job_id))

    assert store.apply(again).outcome is Outcome.OK
    assert store.redis.hgetall(keys.job(job_id)) == before


@pytest.mark.parametrize(
    "fence",
    [
        pytest.param(Fence(attempt=1, token="somebody-else"), id="other-token"),
        pytest.param(Fence(attempt=2, token=FENCE.token), id="other-attempt"),
    ],
)
def test_a_stale_attempt_writes_nothing(store, fence):
    """Progress, result, error and hand-back of an attempt that doesn't own the job are refused."""
    job = running_job(store)
    before = store.redis.hgetall(keys.job(job.id))
    attempts = [
        change.report(job.id, fence, {"progress": "{}"}),
        change.succeed(job.id, fence, output=OUTPUT, progress="{}"),
        change.fail(job.id, fence, error=ERROR),
        change.hand_back(job.id, fence),
    ]

    assert {store.apply(wanted).outcome for wanted in attempts} == {Outcome.STALE}
    assert store.redis.hgetall(keys.job(job.id)) == before


def test_a_lapsed_lease_can_not_write(store):
    """A worker that was away longer than its lease is refused even before anybody noticed."""
    job = new_job(store)
    claim(store, job.id, lease_ms=30)
    time.sleep(0.1)

    assert store.apply(change.report(job.id, FENCE, {"previews": 1})).outcome is Outcome.STALE
    assert not store.renew(job.id, token=FENCE.token, lease_ms=1000)
    assert [found.id for found in store.lapsed()] == [job.id]


def test_a_held_job_can_not_be_taken(store):
    """The janitor can't take a job whose worker is alive."""
    job = running_job(store)

    assert store.lapsed() == []
    assert store.apply(change.lose(job.id, attempt=1)).outcome is Outcome.STALE


def test_a_lost_attempt_is_remembered_and_the_next_one_numbered(store):
    """History shows who lost the job, and the next attempt has a higher number."""
    job = new_job(store)
    claim(store, job.id, lease_ms=20)
    time.sleep(0.05)

    store.apply(change.lose(job.id, attempt=1))

    lost = store.get(job.id)
    assert (lost.state, lost.attempt, lost.lost) == (JobState.QUEUED, 2, 1)
    assert [(one.number, one.outcome) for one in lost.attempts] == [(1, "lost")]
    assert claim(store, job.id, attempt=1).outcome is Outcome.STALE


def test_a_retry_starts_afresh(store):
    """Nothing of the failed life is left but its history."""
    job_id = bring_to(store, JobState.FAILED)
    store.redis.hset(keys.job(job_id), "losses", "[[1.0]]")

    store.apply(change.retry(job_id, progress=PROGRESS.model_dump_json()))

    job = store.get(job_id)
    assert (job.error, job.started_at, job.finished_at, job.lost, job.losses) == (None, None, None, 0, ())
    assert [one.outcome for one in job.attempts] == ["failed"]


def test_the_sequence_number_only_grows(store):
    """Every change has a number of its own, higher than the one before, in record and events alike."""
    job = running_job(store)
    for previews in range(3):
        store.apply(change.report(job.id, FENCE, {"previews": previews}))

    numbers = [int(fields["seq"]) for _, fields in store.redis.xrange(keys.events(job.id))]
    assert numbers == [1, 2, 3, 4, 5]
    assert store.get(job.id).seq == 5


@pytest.mark.parametrize("oldest_first", [False, True])
def test_pages_hold_every_job_once_in_order(store, oldest_first):
    """Following the cursor through a filtered list gives each match once, newest first or oldest first."""
    wanted = [new_job(store, "sky").id for _ in range(7)]
    for _ in range(3):
        new_job(store)
    store.apply(change.cancel(wanted[0]))

    seen, before = [], None
    while True:
        jobs, before = store.page(state=JobState.QUEUED, tag="sky", limit=2, before=before, oldest_first=oldest_first)
        seen += [job.id for job in jobs]
        if before is None:
            break

    assert seen == sorted(wanted[1:], reverse=not oldest_first)


@pytest.mark.parametrize("job_id", ["", "x", "../x", "01ARZ3NDEKTSV4RRFFQ69G5FAV:events", "*"], ids=repr)
def test_no_id_reaches_another_key(store, job_id):
    """Text that is no id is not found, whatever keys there are."""
    with pytest.raises(NotFoundError):
        store.get(job_id)


def test_a_deleted_job_leaves_nothing(store):
    """Record, events, lease and every index entry go together; only that it happened stays counted."""
    job_id = bring_to(store, JobState.CANCELED)
    job = store.get(job_id)

    assert store.delete(job) is Outcome.OK
    assert set(store.redis.keys("*")) == {keys.METRICS_ENDED, keys.TURNS}
    assert store.delete(job) is Outcome.MISSING


def test_an_active_job_is_not_deleted(store):
    """A job in a worker's hands keeps its record."""
    assert store.delete(running_job(store)) is Outcome.WRONG_STATE


def test_a_draining_worker_learns_it_with_its_next_write(services):
    """The answer to a progress report says that the worker is to hand back."""
    job = running_job(services.store)
    report = change.report(job.id, FENCE, {"previews": 0})
    assert not services.store.apply(report, worker="w").draining

    services.workers.drain("w")

    assert services.store.apply(change.report(job.id, FENCE, {"previews": 0}), worker="w").draining

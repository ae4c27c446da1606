"""Who is given which job, against a real server."""

from __future__ import annotations

from collections import Counter

import pytest
from ulid import ULID

from farm import change, keys
from farm.dispatch import Dispatcher, Offer
from farm.pools import pool_name
from farm.queue import queue_name
from farm.record import JobSpec
from farm.schema import PictureView, ProgressView
from farm.states import JobState

PICTURE = PictureView(sha256="0" * 64, width=8, height=8)


@pytest.fixture
def dispatch(services):
    return services.dispatch


@pytest.fixture
def add(services):
    """Queue a job and return its id."""

    def add_job(owner="ann", *, work_s=1.0, model="squeezenet", pack="", **fields):
        spec = JobSpec(
            params={"model": model},
            format="png",
            input=PICTURE,
            owner=owner,
            work_s=work_s,
            pack=f"{model}:{pack}",
            **fields,
        )
        return services.store.create(str(ULID()), spec, ProgressView(octaves=2, steps=3)).id

    return add_job


def take(dispatch, **how):
    """Return the ids of the jobs that a worker is given."""
    return [claim.job.id for claim in dispatch.claim("w", Offer(**how), lease_ms=5000)]


def owners_of(claims):
    return [claim.job.spec.owner for claim in claims]


def test_jobs_of_one_owner_come_in_order(dispatch, add):
    """The oldest first, and each once."""
    ids = [add() for _ in range(5)]

    assert [take(dispatch) for _ in range(6)] == [[job_id] for job_id in ids] + [[]]


def test_a_claim_begins_the_attempt(services, dispatch, add):
    """The job runs under the claim's fence, and waits no more."""
    job_id = add()

    [claim] = dispatch.claim("w", lease_ms=5000)

    assert (claim.job.id, claim.job.state, claim.job.attempts[0].worker) == (job_id, JobState.RUNNING, "w")
    assert services.store.redis.get(keys.lease(job_id)) == claim.fence.token
    assert services.store.redis.exists(keys.lane("ann")) == 0


def test_a_higher_priority_goes_first(dispatch, add):
    """Inside an owner 9 comes before 5 before 0, whichever was first; equal ones by age."""
    low, high, mid, high_too = add(), add(priority=9), add(priority=5), add(priority=9)

    assert [take(dispatch)[0] for _ in range(4)] == [high, high_too, mid, low]


def test_a_priority_says_nothing_to_another_owner(dispatch, add):
    """Nobody gets more of the farm by calling everything urgent."""
    for _ in range(6):
        add("ann", priority=9)
        add("bob")

    claims = [dispatch.claim("w", lease_ms=5000)[0] for _ in range(6)]

    assert Counter(owners_of(claims)) == {"ann": 3, "bob": 3}


def test_one_job_beside_ten_thousand_waits_for_two_at_most(services, dispatch, add):
    """Whoever comes with a single job is given to next, however long the other's queue is."""
    with services.store.redis.pipeline(transaction=False):
        for _ in range(10_000):
            add("ann")
    for _ in range(20):
        take(dispatch)

    only = add("bob")

    assert only in {*take(dispatch), *take(dispatch)}


def test_the_place_in_the_queue_is_that_of_the_turns(services, add):
    """One job beside another owner's nine is told that it comes first; their last one that all others do."""
    anns = [add("ann") for _ in range(9)]
    bobs = add("bob")

    before = [services.line.before(services.store.get(job), []).jobs for job in (bobs, anns[0], anns[2], anns[8])]

    assert before == [0, 0, 4, 10]


def test_owners_share_work_and_not_jobs(dispatch, add):
    """An owner of jobs three times as long is given a third as many."""
    for _ in range(40):
        add("ann", work_s=3.0)
        add("bob", work_s=1.0)

    claims = [dispatch.claim("w", lease_ms=5000)[0] for _ in range(40)]

    assert Counter(owners_of(claims)) == {"ann": 10, "bob": 30}


def test_an_owner_of_twice_the_weight_gets_twice_the_work(services, add):
    """Weights are shares."""
    weighted = Dispatcher(services.store, services.dispatch.queue, {"ann": 2.0})
    for _ in range(30):
        add("ann")
        add("bob")

    claims = [weighted.claim("w", lease_ms=5000)[0] for _ in range(30)]

    assert Counter(owners_of(claims)) == {"ann": 20, "bob": 10}


def test_a_rest_saves_up_nothing(dispatch, add):
    """Whoever was away while others worked starts level with them, and does not take the farm for as long."""
    for _ in range(30):
        add("ann")
    for _ in range(20):
        take(dispatch)
    for _ in range(10):
        add("bob")

    claims = [dispatch.claim("w", lease_ms=5000)[0] for _ in range(8)]

    assert Counter(owners_of(claims)) == {"ann": 4, "bob": 4}


def test_a_worker_gets_only_what_it_has_the_tags_for(dispatch, add):
    """A job that needs tags waits for a worker that offers all of them; such a worker takes other jobs too."""
    both, plain = add(needs=("gpu", "large")), add()

    assert take(dispatch, tags=["gpu"]) == [plain]
    assert take(dispatch, tags=["gpu"]) == []
    assert take(dispatch, tags=["large", "gpu", "far"]) == [both]


def test_the_loaded_model_goes_first_for_a_while(dispatch, add):
    """A worker goes on with its network, and the oldest job of another is passed over eight times at most."""
    other = add(model="inception_v3")
    warm = [add(model="squeezenet") for _ in range(12)]

    taken = [take(dispatch, warm="squeezenet")[0] for _ in range(10)]

    assert taken == [*warm[:8], other, warm[8]]


def test_the_loaded_model_does_not_outweigh_a_priority(dispatch, add):
    """A more urgent job for another network goes first."""
    add(model="squeezenet")
    urgent = add(model="inception_v3", priority=1)

    assert take(dispatch, warm="squeezenet") == [urgent]


def test_a_pack_holds_jobs_that_go_together(dispatch, add):
    """With a job come others of its kind, of any owner, up to as many as the worker wants."""
    first, other = add(pack="a"), add(pack="b")
    same = [add(pack="a"), add("bob", pack="a"), add("bob", pack="a")]

    assert take(dispatch, most=3) == [first, same[0], same[1]]
    assert {*take(dispatch, most=3), *take(dispatch, most=3)} == {other, same[2]}


def test_a_pack_is_no_larger_than_what_fits(dispatch, add):
    """By what its first job takes; one job is given even where none fits."""
    for _ in range(5):
        add(pack="a", bytes=100)

    assert [len(take(dispatch, most=9, room_bytes=room)) for room in (350, 50, 0)] == [3, 1, 1]


def test_whoever_packs_along_is_charged(dispatch, add):
    """An owner whose jobs went with another's pack comes later for it."""
    add("ann", pack="a")
    [add("bob", pack="a", work_s=5.0) for _ in range(3)]
    take(dispatch, most=4)
    of_bob, of_ann = add("bob"), add("ann")

    assert [take(dispatch)[0] for _ in range(2)] == [of_ann, of_bob]


def test_a_job_without_a_pack_comes_alone(dispatch, add):
    """Films and tiled pictures share no pack."""
    first = add()
    add()

    assert take(dispatch, most=4) == [first]


def test_a_canceled_job_is_given_to_nobody(services, dispatch, add):
    """What is not queued stands in no lane."""
    canceled, other = add(), add()
    services.jobs.cancel(canceled)

    assert take(dispatch) == [other]


def test_a_job_handed_back_goes_first(services, dispatch, add):
    """It keeps its age: others that came after it wait."""
    job_id, _ = add(), add()
    [claim] = dispatch.claim("w", lease_ms=5000)
    services.jobs.hand_back(job_id, claim.fence)

    [again] = dispatch.claim("w", lease_ms=5000)

    assert (again.job.id, again.fence.attempt) == (job_id, 2)


def test_a_worker_that_is_to_leave_gets_no_more(services, dispatch, add):
    """From the moment of the call on, so that it doesn't take back what it hands back."""
    job_id = add()
    services.workers.beat("w", {"host": "h", "pid": 1, "version": "0", "started_at": "2026-01-01T00:00:00Z"})
    services.workers.drain_alive("w")
    services.workers.drain("stopping")

    assert take(dispatch) == []
    assert dispatch.claim("stopping", lease_ms=5000) == []
    assert [claim.job.id for claim in dispatch.claim("other", lease_ms=5000)] == [job_id]


def test_a_claim_sent_twice_gives_the_same(services, dispatch, add):
    """A worker whose answer was lost asks again and gets its job, not a second one."""
    add(), add()
    begin = change.claim("", attempt=None, token="t", worker="w", lease_ms=5000)
    text = begin.model_dump_json(by_alias=True, exclude_none=True)
    script = dispatch._claim  # the client sends it again by itself; here that is done by hand

    answers = [script(args=[text, "w", "[]", "", 1, "{}", 0]) for _ in range(2)]

    assert answers[0] == answers[1]
    assert services.store.count(JobState.QUEUED) == 1


def test_messages_are_as_many_as_workers_can_take(services, dispatch, add):
    """Ten workers and a hundred jobs: ten messages wait, and no more however often somebody rings."""
    for number in range(10):
        dispatch.beat(f"w{number}", ())
    for _ in range(100):
        add()

    for _ in range(3):
        dispatch.ring()

    assert services.store.redis.llen(queue_name("")) == 10


def test_a_lost_message_is_made_up_for(services, dispatch, add):
    """The next ring sends what the broker forgot; with nothing to do it sends nothing."""
    dispatch.beat("w", ())
    job_id = add()
    dispatch.ring()
    services.store.redis.delete(queue_name(""))

    dispatch.ring()
    assert services.store.redis.llen(queue_name("")) == 1

    services.store.redis.delete(queue_name(""))
    services.jobs.cancel(job_id)
    dispatch.ring()
    assert services.store.redis.llen(queue_name("")) == 0


def test_each_pool_is_told_of_its_own_work(services, dispatch, add):
    """Workers without the tag are not called for what they can't do."""
    dispatch.beat("plain", ())
    dispatch.beat("big", ("gpu", "large"))
    add(needs=("gpu",))

    dispatch.ring()

    lengths = [services.store.redis.llen(queue_name(pool)) for pool in ("", pool_name(("large", "gpu")))]
    assert lengths == [0, 1]

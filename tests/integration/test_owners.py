"""Every job and batch belongs to somebody, whatever made it."""

from __future__ import annotations

import json

import pytest
from ulid import ULID

from dreamcore.params import DreamParams
from farm import keys
from farm.batch_store import BatchInput, BatchSpec
from farm.states import JobState
from farm.sweep import Sweep
from tests.support import picture


@pytest.fixture
def seen(services):
    found = services.pictures.look_at(picture())
    services.pictures.keep(found, owner="ada")
    return found


def submitted(services, seen, owner, **options):
    return services.jobs.create(seen, DreamParams(octaves=1), owner=owner, **options)


def batch_of(services, owner, *inputs):
    spec = BatchSpec(owner=owner, params={"octaves": 1}, sweep=Sweep(product={"steps": [1, 2]}))
    made = services.batches.create(spec, inputs)
    services.batches.expand_some(seconds=10)
    return made


def test_a_job_belongs_to_who_made_it(services, seen):
    """Record, view and hash, which scripts in the store read, say the same."""
    job = submitted(services, seen, "ada")

    assert services.store.get(job.id).view().owner == "ada"
    assert services.store.redis.hget(keys.job(job.id), "owner") == "ada"


def test_a_batchs_jobs_belong_to_its_owner(services, seen):
    """Also those that fail before they are queued."""
    batch = batch_of(services, "ada", BatchInput(sha256=seen.view.sha256), BatchInput(sha256="f" * 64))

    assert services.batches.store.get(batch.id).view().owner == "ada"
    jobs = list(services.batches.results(batch.id))
    assert {(job.state, job.spec.owner) for job in jobs} == {(JobState.QUEUED, "ada"), (JobState.FAILED, "ada")}


def test_an_owners_list_holds_that_owners_alone(services, seen):
    """With every filter, across pages; no owner means all."""
    mine = [submitted(services, seen, "ada", tags=("sky",)).id for _ in range(3)]
    others = [submitted(services, seen, "bob", tags=("sky",)).id for _ in range(3)]

    first, cursor = services.store.page(state=None, tag=None, limit=2, before=None, owner="ada")
    rest, _ = services.store.page(state=None, tag=None, limit=2, before=cursor, owner="ada")
    assert [job.id for job in first + rest] == mine[::-1]
    for wanted in ({"state": JobState.QUEUED, "tag": None}, {"state": None, "tag": "sky"}):
        found, _ = services.store.page(**wanted, limit=9, before=None, owner="bob")
        assert [job.id for job in found] == others[::-1]
    everybodys, _ = services.store.page(state=None, tag=None, limit=9, before=None)
    assert len(everybodys) == 6


def test_an_owners_batches_are_listed_alone(services, seen):
    """Each owner sees a list of their own; no owner means all."""
    mine, _ = (batch_of(services, owner, BatchInput(sha256=seen.view.sha256)) for owner in ("ada", "bob"))

    page = services.batches.store.page
    assert [batch.id for batch in page(limit=9, before=None, owner="ada")[0]] == [mine.id]
    assert len(page(limit=9, before=None)[0]) == 2


def test_a_deleted_job_is_in_no_owners_index(services, seen):
    """Nothing of it stays behind."""
    job = submitted(services, seen, "ada")

    services.jobs.delete(job.id)

    assert services.store.redis.zcard(keys.by_owner("ada")) == 0


def test_a_record_older_than_owners_is_local(services, seen):
    """It can be read, listed and deleted as if it had been made without a key."""
    job = submitted(services, seen, "local")
    spec = json.loads(services.store.redis.hget(keys.job(job.id), "spec"))
    del spec["owner"]
    services.store.redis.hset(keys.job(job.id), "spec", json.dumps(spec))
    services.store.redis.hdel(keys.job(job.id), "owner")
    services.store.redis.delete(keys.by_owner("local"))

    assert services.store.get(job.id).view().owner == "local"
    assert services.store.page(state=None, tag=None, limit=9, before=None, owner="local")[0][0].id == job.id
    services.jobs.delete(job.id)
    assert not services.store.redis.exists(keys.job(job.id))


def test_an_owner_can_not_reach_another_key(services, seen):
    """A name that is no owner's is refused before anything is stored."""
    for name in ("", "Ada", "a:b", "a" * 65, "-a", str(ULID())):
        with pytest.raises(ValueError, match="owner"):
            submitted(services, seen, name)

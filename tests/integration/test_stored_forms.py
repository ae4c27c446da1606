"""What is stored, pinned: the versions before and after this one work on the same queue during an upgrade.

Where one of these tests fails, the stored form has changed: what older workers and apis have written must still be
read, and what this version writes must be read by them. Add the new form here, and keep the old.
"""

from __future__ import annotations

import json

from ulid import ULID

from farm import change, keys
from farm.batch_store import BatchInput, BatchSpec
from farm.dispatch import Offer
from farm.record import JobSpec
from farm.schema import PictureView, ProgressView
from farm.states import JobState
from farm.sweep import Sweep
from tests.chaos.invariants import wrong_counts

SHA256 = "0" * 64
JOB = "01M85QP9D5D3ZDV9E0VQMK3DAK"
BATCH = "01M85QPAE75YE67AS0Q5FQSZFS"
SPEC = {
    "owner": "local",
    "kind": "dream",
    "params": {"octaves": 2},
    "zoom": None,
    "format": "png",
    "input": {"sha256": SHA256, "width": 8, "height": 8},
    "guides": [],
    "masks": [],
    "name": None,
    "tags": ["t"],
    "needs": [],
    "priority": 0,
    "expires_in": None,
    "notices": [],
}
PROGRESS = {
    "fraction": 0.0,
    "frame": 0,
    "frames": 0,
    "octave": 0,
    "octaves": 2,
    "step": 0,
    "steps": 3,
    "loss": None,
    "eta_s": None,
}
QUEUED = {
    "v": "1",
    "state": "queued",
    "seq": "1",
    "attempt": "1",
    "lost": "0",
    "created_ms": "1795488949781",
    "spec": SPEC,
    "progress": PROGRESS,
    "owner": "local",
    "work_s": "0",
    "pack": "",
}
BEGUN = {"op", "started_ms", "attempt.1.started_ms", "attempt.1.worker"}
BATCH_SPEC = {
    "owner": "local",
    "params": {"octaves": 1},
    "sweep": {"product": {"steps": [1]}, "zip": []},
    "guides": [],
    "masks": [],
    "zoom": None,
    "format": "png",
    "name": None,
    "tags": [],
    "expires_in": None,
    "needs": [],
    "priority": 0,
    "fresh": False,
}


def stored(fields, **more):
    """Return a hash as it is stored: what is not text is JSON; `more` is what a later version may write."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in {**fields, **more}.items()}


def lay_in(redis, fields):
    """Store a queued job with the indexes that it stands in."""
    redis.hset(keys.job(JOB), mapping=fields)
    for index in (keys.INDEX, keys.by_state(JobState.QUEUED), keys.by_owner("local"), keys.by_tag("t")):
        redis.zadd(index, {JOB: 0})
    redis.hset(keys.COUNTS, "local:queued", 1)
    redis.hset("dispatch:waiting", "", 1)
    redis.zadd(keys.owners_waiting(""), {"local": 0})
    redis.zadd(keys.lane("local"), {JOB: 91_795_488_949_781})


def test_a_job_that_another_version_queued_is_rendered(services):
    """It is read, claimed, and committed, and every index is right; fields that a later version adds are no matter."""
    spec = {**SPEC, "mood": "later", "input": {**SPEC["input"], "depth": 16}}
    lay_in(services.store.redis, stored(QUEUED, spec=spec, progress={**PROGRESS, "watts": 3}, mood="later"))

    [(job, fence)] = services.dispatch.claim("w", Offer(), lease_ms=5000)
    output = {"format": "png", "sha256": SHA256, "bytes": 1, "width": 8, "height": 8, "key": "k", "mood": "later"}
    done = change.succeed(JOB, fence, output=json.dumps(output), progress=json.dumps(PROGRESS))
    services.store.apply(done)

    assert (job.id, job.spec.params) == (JOB, {"octaves": 2})
    assert services.store.get(JOB).view().state is JobState.SUCCEEDED
    assert list(wrong_counts(services)) == []


def test_what_is_written_of_a_job_is_what_was_written(services):
    """A worker and an api of the version before find each field under the name they know, and none is missing."""
    job_spec = JobSpec(
        params={"octaves": 2}, format="png", input=PictureView(sha256=SHA256, width=8, height=8), tags=("t",)
    )
    job = services.store.create(str(ULID()), job_spec, ProgressView(octaves=2, steps=3))
    written = services.store.redis.hgetall(keys.job(job.id))

    assert set(written) == set(QUEUED)
    assert json.loads(written["spec"]) == SPEC
    assert json.loads(written["progress"]) == PROGRESS
    services.dispatch.claim("w", Offer(), lease_ms=5000)
    assert set(services.store.redis.hgetall(keys.job(job.id))) == set(QUEUED) | BEGUN


def test_a_batch_that_another_version_stored_is_made(services):
    """Its inputs and its sweep are read, whatever a later version adds to them."""
    redis = services.store.redis
    spec = {**BATCH_SPEC, "mood": "later"}
    fields = {"id": BATCH, "owner": "local", "spec": spec, "total": "1", "cursor": "0", "created_ms": "1795488950737"}
    redis.hset(keys.batch(BATCH), mapping=stored(fields))
    redis.rpush(keys.batch_inputs(BATCH), json.dumps({"sha256": SHA256, "mood": "later"}))
    redis.zadd(keys.EXPANDING, {BATCH: 0})

    services.batches.expand_some(seconds=5)

    [job] = services.batches.results(BATCH)
    assert job.spec.params == {"octaves": 1, "steps": 1}
    assert "upload it first" in job.error.message


def test_what_is_written_of_a_batch_is_what_was_written(services):
    """Field by field."""
    spec = BatchSpec(params={"octaves": 1}, sweep=Sweep(product={"steps": [1]}))
    batch = services.batches.store.create(str(ULID()), spec, [BatchInput(sha256=SHA256)])

    written = services.store.redis.hgetall(keys.batch(batch.id))

    assert set(written) == {"id", "owner", "spec", "total", "cursor", "created_ms"}
    assert json.loads(written["spec"]) == BATCH_SPEC
    assert services.store.redis.lrange(keys.batch_inputs(batch.id), 0, -1) == [f'{{"sha256":"{SHA256}"}}']


def test_a_message_says_that_there_is_work_and_nothing_else(services):
    """Whichever version sends it, any worker can take it: a task's name, and no arguments."""
    services.dispatch.queue.ring("", 1)

    [message] = (json.loads(text) for text in services.store.redis.lrange("renders", 0, -1))

    headers = message["headers"]
    assert (headers["task"], headers["argsrepr"], headers["kwargsrepr"]) == ("farm.render", "()", "{}")
    assert message["content-type"] == "application/json"

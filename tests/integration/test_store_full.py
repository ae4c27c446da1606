"""A job store that takes nothing new: nothing is half done, people are told when to try again, and it goes on after."""

from __future__ import annotations

import pytest
from ulid import ULID

from api.app import create_app
from farm import change, keys
from farm.dispatch import Offer
from farm.errors import TransientError
from farm.record import JobSpec
from farm.schema import PictureView, ProgressView
from farm.services import Services
from farm.states import JobState
from tests.chaos.invariants import wrong_counts
from tests.servers import valkey
from tests.support import assert_problem, picture, submit

SPEC = JobSpec(params={}, format="png", input=PictureView(sha256="0" * 64, width=8, height=8), tags=("t",))
START = ProgressView(octaves=2, steps=3)
OUTPUT = '{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "k"}'
FULL = {"memory": {"maxmemory": "1"}, "disk": {"min-replicas-to-write": "1"}}
"""A disk that is full refuses writes as a lost replica does, and needs no full disk."""


@pytest.fixture
def full(tmp_path, settings):
    """Services on a server of their own, and two calls: fill it, and make room."""
    with valkey(tmp_path, base=settings, appendonly="yes") as own:
        services = Services.connect(own)
        yield services, own


def refuse(services, way):
    services.store.redis.config_set(*next(iter(FULL[way].items())))


def allow(services):
    services.store.redis.config_set("maxmemory", "0")
    services.store.redis.config_set("min-replicas-to-write", "0")


def everything(services):
    """Return all that is stored, as it is."""
    redis = services.store.redis
    return {key: redis.dump(key) for key in redis.scan_iter()}


@pytest.mark.parametrize("way", FULL)
def test_every_change_is_whole_or_not_at_all(full, way):
    """What a full store refuses has written nothing, what it lets through all; the same call goes through later."""
    services, _ = full
    store, dispatch = services.store, services.dispatch
    first, second = str(ULID()), str(ULID())
    for job_id in (first, second):
        store.create(job_id, SPEC, START)
    [(job, fence)] = dispatch.claim("w", Offer(), lease_ms=600_000)
    calls = {
        "create": lambda: store.create(str(ULID()), SPEC, START),
        "claim": lambda: dispatch.claim("w", Offer(), lease_ms=600_000),
        "report": lambda: store.apply(change.report(job.id, fence, {"progress": START.model_dump_json()})),
        "succeed": lambda: store.apply(change.succeed(job.id, fence, output=OUTPUT, progress=START.model_dump_json())),
        "cancel": lambda: store.apply(change.cancel(second)),
    }
    refuse(services, way)

    refused = []
    for name, call in calls.items():
        before = everything(services)
        try:
            call()
        except TransientError:
            refused.append(name)
            assert everything(services) == before

    allow(services)
    for name in refused:
        calls[name]()
    assert "create" in refused
    assert store.get(job.id).state is JobState.SUCCEEDED
    assert list(wrong_counts(services)) == []


@pytest.mark.parametrize("way", FULL)
def test_the_api_says_when_to_try_again(full, way):
    """503 with Retry-After while nothing can be stored; what is stored can be read; then it goes on by itself."""
    services, own = full
    client = create_app(own).test_client()
    job_id = submit(client, picture()).json["id"]
    refuse(services, way)

    refused = submit(client, picture(seed=1))

    assert_problem(refused, 503, "service_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get(f"/v1/jobs/{job_id}").json["state"] == "queued"
    allow(services)
    assert submit(client, picture(seed=1)).status_code == 202
    assert services.store.redis.zcard(keys.INDEX) == 2

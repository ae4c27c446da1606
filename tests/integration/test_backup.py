"""A farm copied while it runs, and brought back elsewhere."""

from __future__ import annotations

import shutil
import time

import pytest
from ulid import ULID

from dreamcore.params import DreamParams
from farm import change, keys
from farm.dispatch import Offer
from farm.record import StoredCheckpoint, StoredOutput
from farm.services import Services
from farm.states import JobState
from tests.chaos.invariants import wrong_counts
from tests.servers import valkey
from tests.support import picture, until

PNG = "image/png"


@pytest.fixture
def farm(tmp_path, settings):
    """A farm with a job that is done, one that runs and has a checkpoint, and one that waits."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with valkey(folder, base=settings, appendonly="yes") as own:
        services = Services.connect(own)
        seen = services.pictures.look_at(picture())
        ids = [services.jobs.create(seen, params_of(seed), job_id=str(ULID())).id for seed in range(3)]
        done, running = (services.dispatch.claim("w", Offer(), lease_ms=60_000)[0] for _ in range(2))
        finish(services, *done)
        keep(services, *running)
        yield services, folder, ids


def params_of(seed):
    return DreamParams(octaves=2, steps=3, seed=seed)


def finish(services, job, fence):
    key = keys.result(job.id, fence.attempt, "png")
    services.storage.put(key, b"a dream", content_type=PNG)
    output = StoredOutput(format="png", sha256="0" * 64, bytes=7, width=8, height=8, key=key)
    done = change.succeed(job.id, fence, output=output.model_dump_json(), progress=job.progress.model_dump_json())
    services.store.apply(done)


def keep(services, job, fence):
    key = keys.checkpoint(job.id, fence.attempt, 1, 3)
    services.storage.put(key, b"half a dream", content_type=PNG)
    stored = StoredCheckpoint(key=key, sha256="0" * 64)
    services.store.apply(change.report(job.id, fence, {"checkpoint": stored.model_dump_json()}))


def backed_up(services, folder, backup):
    """Copy Redis, then the bucket, as the page on backups says."""
    redis = services.store.redis
    before = redis.lastsave()
    time.sleep(1)  # LASTSAVE tells whole seconds
    redis.bgsave()
    until(lambda: redis.lastsave() > before)
    shutil.copy(folder / "dump.rdb", backup)
    return {name: services.storage.get(name) for name in services.storage.names("")}


def test_a_copy_holds_every_job_and_every_picture(farm, tmp_path):
    """What was done is there, what ran goes on from its checkpoint, what waited waits."""
    services, folder, (done, running, waiting) = farm
    backup = tmp_path / "backup"
    backup.mkdir()
    objects = backed_up(services, folder, backup)
    services.store.apply(change.cancel(waiting))

    with valkey(backup, base=services.settings.model_copy(update={"s3_bucket": "restored"}), appendonly="no") as own:
        restored = Services.connect(own)
        restored.storage.create_bucket()
        for name, data in objects.items():
            restored.storage.put(name, data, content_type=PNG)
        restored.store.redis.config_set("appendonly", "yes")

        jobs = {job_id: restored.store.get(job_id) for job_id in (done, running, waiting)}
        states = [job.state for job in jobs.values()]
        assert states == [JobState.SUCCEEDED, JobState.RUNNING, JobState.QUEUED]
        assert restored.storage.get(jobs[done].output.key) == b"a dream"
        assert list(wrong_counts(restored)) == []

        restored.store.redis.delete(keys.lease(running))  # as it does by itself, in time
        restored.jobs.lose(restored.store.get(running), max_attempts=3)
        given = [restored.dispatch.claim("v", Offer(), lease_ms=60_000)[0].job for _ in range(2)]
        assert {job.id for job in given} == {running, waiting}
        [again] = [job for job in given if job.id == running]
        assert restored.storage.get(again.checkpoint.key) == b"half a dream"

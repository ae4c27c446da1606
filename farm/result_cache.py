"""Results that are served again: the same picture, parameters, engine and weights make the same picture."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dreamcore.catalog import MODELS
from dreamcore.networks.weight_hashes import weights_id
from dreamcore.version import __version__
from farm import keys
from farm.errors import NotFoundError
from farm.new_job import Served
from farm.redis import redis_errors
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm.new_job import NewJob
    from farm.record import JobRecord, JobSpec
    from farm.storage import ObjectStore
    from farm.store import JobStore

COPIES = 8
"""Results that are copied at once for a batch."""

KEY_DIGITS = 32


def cache_key(spec: JobSpec, *, engine: str = __version__) -> str | None:
    """Return what jobs have in common whose results are the same; None where nobody can tell.

    It is a digest of the files' SHA-256s (picture, guides, masks), all parameters, kind, path of a film and format, the
    version of this process' engine and what tells the network's weights: the SHA-256 of a user's own network, else the
    hash that the engine checks its file by. A network whose weights nothing checks has no key.

    The worker that rendered makes the key of its result, by its own engine and networks; who looks for one makes the
    key by theirs. So while a farm is brought up to date nothing is served across versions. Device, library and
    pack are not part of it: they change a result by rounding, as a render on the farm's next worker would too.
    """
    model = MODELS.get(str(spec.params.get("model")))
    weights = weights_id(model) if model else None
    if weights is None:
        return None
    told = {
        "engine": engine,
        "weights": weights,
        "kind": spec.kind,
        "params": spec.params,
        "zoom": spec.zoom,
        "format": spec.format,
        "pictures": [[each.sha256 for each in pictures] for pictures in ((spec.input,), spec.guides, spec.masks)],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:KEY_DIGITS]


class ResultCache:
    """Knows by their keys an owner's results that are there, and gives them to new jobs.

    A job gets an object of its own, copied within the object store. So the first job's end, be it expiry or removal,
    takes nothing from the others, and no counting of users can go wrong. Who dies after the copy leaves one object
    under the id of a job that the next try makes.
    """

    def __init__(self, store: JobStore, storage: ObjectStore) -> None:
        self.store = store
        self.redis = store.redis
        self.storage = storage

    def serve(self, jobs: Sequence[NewJob]) -> list[NewJob]:
        """Return the jobs, all of one owner, those queued ones succeeded that an earlier result is there for."""
        wanted = {job.id: key for job in jobs if job.state is JobState.QUEUED and (key := cache_key(job.spec))}
        found = self._find(jobs[0].spec.owner, list(dict.fromkeys(wanted.values()))) if wanted else {}
        if not found:
            return list(jobs)
        with ThreadPoolExecutor(COPIES) as pool:
            return list(pool.map(lambda job: self._served(job, wanted.get(job.id), found), jobs))

    @redis_errors()
    def _find(self, owner: str, cache_keys: list[str]) -> dict[str, JobRecord]:
        ids = self.redis.hmget(keys.results_of(owner), cache_keys)
        known = {job_id: key for key, job_id in zip(cache_keys, ids, strict=True) if job_id}
        return {known[job.id]: job for job in self.store.many(list(known)) if job.output}

    def _served(self, job: NewJob, key: str | None, found: dict[str, JobRecord]) -> NewJob:
        first = found.get(key) if key else None
        if key is None or first is None or first.output is None or first.id == job.id:
            return job
        own = first.output.model_copy(update={"key": keys.result(job.id, 1, first.output.format)})
        try:
            self.storage.copy(first.output.key, own.key)
        except NotFoundError:
            return job  # it was removed at this moment, or lost
        return job.given(Served(own, first.progress, first.notices, key, first.losses))

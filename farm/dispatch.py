"""Whose job a worker takes next.

Queued jobs wait in lanes, one for each owner and set of tags that they need. Messages only say that there is work:
which job it is, is decided when a worker asks.

- *Between owners:* each has a turn, in seconds of work that it was given, divided by its weight. The one who is least
  far comes next. Whoever waits stands still while the others move on, so that nobody waits for ever.
- *Inside an owner:* the highest priority first, then the oldest.
- *Warm:* of an owner's jobs of equal priority those for the network that the worker has loaded, while the first of them
  is passed over at most 8 times in a row.
- *Packs:* with a job come others, of any owner, that may share its pack.

Everything is read and written by one Lua script, so that no job is given twice and none is lost in between.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import structlog

from farm import change, keys
from farm.change import Fence
from farm.pools import pool_name
from farm.queue import QUEUE
from farm.redis import lua, redis_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from farm.queue import RenderQueue
    from farm.record import JobRecord
    from farm.store import JobStore

log = structlog.get_logger()

SILENT_S = 10
"""After so long without a heartbeat a worker counts no more."""


class Claim(NamedTuple):
    """A job that a worker was given, and what it proves its right with."""

    job: JobRecord
    fence: Fence


class Offer(NamedTuple):
    """What a worker would take.

    Attributes
    ----------
    tags : what it has; jobs that need others are not for it.
    warm : the model that it has loaded.
    most : how many jobs it would render as one pack.
    room_bytes : what the pack's steps may take together; one job is given in any case.
    """

    tags: Sequence[str] = ()
    warm: str = ""
    most: int = 1
    room_bytes: float = 0


class Dispatcher:
    """Gives jobs to workers, and tells them when there are some.

    Parameters
    ----------
    weights : owner's name to its share of the farm, where it isn't 1.
    """

    def __init__(self, store: JobStore, queue: RenderQueue, weights: Mapping[str, float]) -> None:
        self.store = store
        self.redis = store.redis
        self.queue = queue
        self.weights = json.dumps(dict(weights))
        self._claim = self.redis.register_script(lua("lanes", "notes", "results", "blame", "change", "claim"))
        self._doors = self.redis.register_script(lua("doors"))

    @redis_errors()
    def claim(self, worker: str, offer: Offer | None = None, *, lease_ms: int) -> list[Claim]:
        """Begin the attempts that are next for a worker, and are its own for so many ms unless it renews."""
        tags, warm, most, room_bytes = offer or Offer()
        token = uuid4().hex
        begin = change.claim("", attempt=None, token=token, worker=worker, lease_ms=lease_ms)
        text = begin.model_dump_json(by_alias=True, exclude_none=True)
        ids = self._claim(args=[text, worker, json.dumps(list(tags)), warm, most, self.weights, int(room_bytes)])
        jobs = self.store.many([str(job_id) for job_id in ids])
        for job in jobs:
            log.info("job_given", job=job.id, attempt=job.attempt, owner=job.spec.owner, worker=worker, pack=len(jobs))
        return [Claim(job, Fence(job.attempt, token)) for job in jobs]

    def ring(self) -> None:
        """Send the messages that the workers' queues lack: about as many wait there as there are workers, no more."""
        for pool, lacking in self._lacking():
            self.queue.ring(pool, lacking)

    @redis_errors()
    def beat(self, worker: str, tags: Iterable[str]) -> None:
        """Count a worker as alive, among those that offer the same tags."""
        pool, now = pool_name(tags), int(self.redis.time()[0])
        with self.redis.pipeline() as pipe:
            pipe.zadd(keys.POOLS, {pool: now})
            pipe.zadd(keys.pool(pool), {worker: now})
            pipe.zremrangebyscore(keys.pool(pool), "-inf", now - SILENT_S)
            pipe.execute()

    @redis_errors()
    def leave(self, worker: str, tags: Iterable[str]) -> None:
        """Count a worker no more."""
        self.redis.zrem(keys.pool(pool_name(tags)), worker)

    @redis_errors()
    def has_others(self, worker: str, needs: Sequence[str]) -> bool:
        """Tell whether another worker is alive that may be given a job that needs these tags."""
        since = int(self.redis.time()[0]) - SILENT_S
        pools = [pool for pool in self.redis.zrange(keys.POOLS, 0, -1) if set(needs) <= set(pool.split("+"))]
        return any(
            other != worker
            for pool in pools
            for other in self.redis.zrange(keys.pool(pool), since, "+inf", byscore=True, offset=0, num=2)
        )

    @redis_errors()
    def _lacking(self) -> list[tuple[str, int]]:
        answer = self._doors(args=[SILENT_S, QUEUE])
        return [(str(pool), int(count)) for pool, count in zip(answer[::2], answer[1::2], strict=True)]

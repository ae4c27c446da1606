"""How fast the farm's workers are: what they took for work of known weight, and what they will take for more."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from farm import keys
from farm.redis import lua, redis_errors
from farm.states import JobState

if TYPE_CHECKING:
    from farm.redis import TextRedis

KEPT_S = 30 * 86_400
NEWEST_SHARE = 0.3
"""How much a render counts against what was known before: one of many that shared its machine in other ways."""


class PaceStore:
    """For each model, what a second of work on the reference device takes each worker, in seconds.

    A worker learns it from its renders. Work is what `JobRecord.work_s` says.
    """

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis
        self._learn = redis.register_script(lua("learn"))

    @redis_errors()
    def learn(self, worker_id: str, model: str, *, seconds: float, work_s: float) -> None:
        """Note what a worker took for a piece of work."""
        self._learn(keys=[keys.paces(model)], args=[worker_id, seconds / work_s, NEWEST_SHARE, KEPT_S])

    @redis_errors()
    def pace(self, model: str) -> float | None:
        """Return what a second of work takes, in s: the median of the workers; None where none has dreamt with it."""
        known = self.redis.hvals(keys.paces(model))
        return median(map(float, known)) if known else None

    @redis_errors()
    def of_worker(self, model: str, worker_id: str) -> float | None:
        """Return a worker's own pace; None where it hasn't dreamt with the model."""
        known = self.redis.hget(keys.paces(model), worker_id)
        return float(known) if known else None

    def seconds(self, model: str, work_s: float) -> float | None:
        """Return what work takes a worker, in s; None where none has dreamt with the model."""
        pace = self.pace(model)
        return None if pace is None else round(pace * work_s, 1)

    @redis_errors()
    def backlog_s(self) -> float:
        """Return the work of all queued jobs together, in s on the reference device."""
        return max(0.0, float(self.redis.hget(keys.WORK, JobState.QUEUED) or 0))

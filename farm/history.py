"""The farm's last two hours, minute by minute: what waited, what was done, who worked."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from farm import keys
from farm.redis import redis_errors
from farm.schema import HistoryMinute
from farm.states import JobState

if TYPE_CHECKING:
    from farm.redis import TextRedis
    from farm.workers import WorkerRegistry

KEPT_MINUTES = 120
MINUTE_S = 60


class HistoryStore:
    """Notes how the farm stands, once a minute, whoever asks first; and tells it again."""

    def __init__(self, redis: TextRedis, workers: WorkerRegistry) -> None:
        self.redis = redis
        self.workers = workers
        self._noted = 0

    @redis_errors()
    def note(self, *, now: datetime | None = None) -> None:
        """Note how the farm stands, unless that was done in this minute."""
        minute = int((now or datetime.now(UTC)).timestamp()) // MINUTE_S
        if minute == self._noted:
            return
        if self.redis.hsetnx(keys.HISTORY, str(minute), json.dumps(self._now())):
            self._forget(minute - KEPT_MINUTES)
        self._noted = minute

    @redis_errors()
    def read(self, *, now: datetime | None = None) -> list[HistoryMinute]:
        """Return the minutes that were noted, oldest first; none for those in which nobody was there to."""
        oldest = int((now or datetime.now(UTC)).timestamp()) // MINUTE_S - KEPT_MINUTES
        found = {int(minute): text for minute, text in self.redis.hgetall(keys.HISTORY).items()}
        return [
            HistoryMinute(at=datetime.fromtimestamp(minute * MINUTE_S, UTC), **json.loads(found[minute]))
            for minute in sorted(found)
            if minute >= oldest
        ]

    def _now(self) -> dict[str, float]:
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.COUNTS)
            pipe.hgetall(keys.METRICS_ENDED)
            pipe.hget(keys.WORK, JobState.QUEUED)
            counts, ended, backlog_s = pipe.execute()
        jobs: Counter[str] = Counter()
        for field, number in counts.items():
            jobs[field.rpartition(":")[2]] += int(number)
        workers = self.workers.list()
        return {
            "queued": jobs[JobState.QUEUED],
            "running": jobs[JobState.RUNNING],
            "backlog_s": round(max(0.0, float(backlog_s or 0)), 1),
            "succeeded": int(ended.get("ended:succeeded", 0)),
            "failed": int(ended.get("ended:failed", 0)),
            "work_s": round(float(ended.get("work_s", 0)), 1),
            "workers": len(workers),
            "busy": sum(worker.state == "busy" for worker in workers),
        }

    def _forget(self, oldest: int) -> None:
        old = [minute for minute in self.redis.hkeys(keys.HISTORY) if int(minute) < oldest]
        if old:
            self.redis.hdel(keys.HISTORY, *old)

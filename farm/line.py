"""What waits before a job: how many jobs, and how much work for the workers that could do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from farm import keys
from farm.pools import HIGHEST_PRIORITY, pool_name
from farm.redis import redis_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from farm.record import JobRecord
    from farm.redis import TextRedis
    from farm.schema import WorkerView

PER_PRIORITY = 10**13
"""How far apart neighbouring priorities lie in a lane; `lua/lanes.lua` has the same."""


class Before(NamedTuple):
    """What comes before a job.

    Attributes
    ----------
    jobs : how many.
    work_s : their work, in s on the reference device.
    hands : workers that take what this job needs, and share that work.
    """

    jobs: int
    work_s: float
    hands: int


class WaitingLine:
    """Reads the lanes that the dispatcher keeps.

    Before a job come all that stand before it in its owner's lane, and as many of each other owner's, as owners take
    turns; of what needs other tags only that which the same workers could do.
    """

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis

    @redis_errors()
    def before(self, job: JobRecord, workers: Iterable[WorkerView]) -> Before:
        """Return what comes before a job that waits."""
        rank = self.redis.zrank(keys.lane(job.spec.owner, pool_name(job.spec.needs)), job.id)
        return self._before(int(rank or 0), job.spec.needs, workers)

    @redis_errors()
    def before_next(
        self, owner: str, workers: Iterable[WorkerView], *, needs: Sequence[str] = (), priority: int = 0
    ) -> Before:
        """Return what would come before a job that was handed in now."""
        end = (HIGHEST_PRIORITY - priority + 1) * PER_PRIORITY
        rank = self.redis.zcount(keys.lane(owner, pool_name(needs)), "-inf", f"({end}")
        return self._before(int(rank), needs, workers)

    @redis_errors()
    def work_s(self) -> dict[str, float]:
        """Return the work that waits, in s on the reference device, by the tags that it needs."""
        return {need: float(work_s) for need, work_s in self.redis.hgetall(keys.WAITING_WORK).items()}

    def _before(self, rank: int, needs: Sequence[str], workers: Iterable[WorkerView]) -> Before:
        need = pool_name(needs)
        able = [set(worker.tags) for worker in workers if _works(worker) and set(needs) <= set(worker.tags)]
        waiting = {one: int(many) for one, many in self.redis.hgetall(keys.WAITING).items()}
        shared = [one for one in waiting if one == need or any(_tags(one) <= tags for tags in able)]
        owners = max(1, self.redis.zcard(keys.owners_waiting(need)))
        all_jobs, work = sum(waiting[one] for one in shared), self.work_s()
        jobs = min(rank * owners, all_jobs)
        all_work_s = sum(work.get(one, 0.0) for one in shared)
        return Before(jobs, all_work_s * jobs / max(1, all_jobs), len(able))


def _tags(need: str) -> set[str]:
    return set(filter(None, need.split("+")))


def _works(worker: WorkerView) -> bool:
    return worker.state in {"idle", "busy"}

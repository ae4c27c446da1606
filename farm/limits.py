"""How much an owner may ask for: requests a minute, jobs in the queue, pixel-steps a day; and how much all may."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from farm import keys
from farm.errors import LimitError, QueueFullError
from farm.owners import LOCAL
from farm.redis import lua, redis_errors
from farm.states import JobState

if TYPE_CHECKING:
    from farm.redis import TextRedis
    from farm.settings import Settings

MINUTE_MS = 60_000
DAY_S = 86_400
LOOK_AGAIN_S = 60
"""When a queue that is full may have room; nobody knows."""


class Rate(NamedTuple):
    """How one request stands against its limit."""

    allowed: bool
    limit: int
    left: int
    retry_after_s: int
    reset_s: int


class Limits:
    """Counts and refuses. A farm without keys limits its queue alone."""

    def __init__(self, redis: TextRedis, settings: Settings) -> None:
        self.redis = redis
        self.settings = settings
        self._rate = redis.register_script(lua("rate"))
        self._admit = redis.register_script(lua("admit"))

    @redis_errors()
    def count_request(self, key_id: str) -> Rate:
        """Count a request by a key."""
        limit = self.settings.requests_per_minute
        allowed, left, wait_ms, reset_ms = self._rate(keys=[keys.rate(key_id)], args=[limit, MINUTE_MS])
        return Rate(bool(allowed), limit, int(left), ceil(int(wait_ms) / 1000), ceil(int(reset_ms) / 1000))

    @redis_errors()
    def admit(self, owner: str, *, jobs: int, pixel_steps: int) -> None:
        """Let new jobs in and charge what they will cost.

        Calls that come at the same moment are let in one after the other, each before the jobs of the one before are
        in the queue: it may get longer than its limit by what is on its way.

        Raises
        ------
        QueueFullError
            The farm holds as many queued jobs as it may.
        LimitError
            The owner does, or has used up the day's pixel-steps.
        """
        outcome, *found = self._admit(
            keys=[keys.COUNTS, keys.by_state(JobState.QUEUED), keys.EXPANDING, usage_key(owner)],
            args=[owner, jobs, pixel_steps, *map(_or_nothing, self._most(owner))],
        )
        if outcome == "farm":
            raise QueueFullError(
                f"The farm holds {found[0]} queued jobs and takes {self.settings.max_queued_jobs}. Send them later."
            )
        if outcome == "owner":
            raise self._too_many_queued(owner, int(found[0]), jobs)
        if outcome == "quota":
            raise self._quota_exceeded(owner, int(found[0]), pixel_steps)

    def pixel_steps_a_day(self, owner: str) -> int | None:
        """Return how many pixel-steps the owner may ask for in a day; None without limit."""
        return None if owner == LOCAL else self.settings.pixel_steps_per_day

    def _most(self, owner: str) -> tuple[int | None, int | None, int | None]:
        own = None if owner == LOCAL else self.settings.max_queued_jobs_per_owner
        return own, self.settings.max_queued_jobs, self.pixel_steps_a_day(owner)

    def _too_many_queued(self, owner: str, queued: int, jobs: int) -> LimitError:
        most = self.settings.max_queued_jobs_per_owner
        return LimitError(
            f"{owner} has {queued} queued jobs and may have {most}: {jobs} more don't fit. Send them later.",
            code="too_many_queued_jobs",
            policy=f'"queued-jobs";q={most}',
            left=max(0, (most or 0) - queued),
            retry_after_s=LOOK_AGAIN_S,
        )

    def _quota_exceeded(self, owner: str, used: int, wanted: int) -> LimitError:
        return LimitError(
            f"{quota_text(owner, self.settings.pixel_steps_per_day)} {used} are used, and this takes {wanted}. "
            "A pixel-step is a pixel moved once: fewer steps, fewer octaves or a smaller picture take fewer.",
            code="quota_exceeded",
            policy=f'"pixel-steps";q={self.settings.pixel_steps_per_day};w={DAY_S}',
            left=max(0, (self.settings.pixel_steps_per_day or 0) - used),
            retry_after_s=seconds_of_today(),
        )


def usage_key(owner: str) -> str:
    """Return where an owner's pixel-steps of this day are counted."""
    return keys.usage(owner, datetime.now(UTC).date().isoformat())


def quota_text(owner: str, limit: int | None) -> str:
    """Say what the quota is."""
    return f"{owner} may use {limit} pixel-steps a day, from midnight to midnight UTC."


def seconds_of_today() -> int:
    """Return how long this day has yet to go, in s, in UTC."""
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return ceil((midnight - now).total_seconds())


def _or_nothing(limit: int | None) -> int | str:
    return "" if limit is None else limit

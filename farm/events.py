"""A job's changes as they happen, read from its stream in Redis.

There is a stream from a job's first change until it is tidied up after; before and later its record tells the one
event that there is.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

from farm import keys
from farm.record import event_from_hash
from farm.redis import redis_errors
from farm.states import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm.redis import TextRedis
    from farm.schema import EventView

STREAM_START = "0-0"
STREAM_ID = re.compile(r"\d{1,20}-\d{1,20}")


class Event(NamedTuple):
    """One change, and the id from which a reader can go on."""

    id: str
    data: EventView

    def is_after(self, event_id: str) -> bool:
        """Tell whether this happened after another event."""
        return _order(self.id) > _order(event_id)


class EventReader:
    """Reads the events of jobs."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis

    def follow(self, job_id: str, *, after: str, life_s: float, pause_s: float) -> Iterator[Event | None]:
        """Yield events after the one with that id until the job comes to rest or `life_s` is over.

        None is yielded when nothing happened for `pause_s`, so that a caller can tell its reader that it is there.
        """
        deadline = time.monotonic() + life_s
        while time.monotonic() < deadline and not self.is_over(job_id, after=after):
            events = self._read(job_id, after, pause_s)
            if not events:
                yield None
            for event in events:
                yield event
                after = event.id

    @redis_errors()
    def is_over(self, job_id: str, *, after: str) -> bool:
        """Tell whether nothing will come after that event: the job has come to rest, or is gone."""
        newest = self._newest(job_id)
        return newest is None or (newest.data.state in TERMINAL and not newest.is_after(after))

    @redis_errors()
    def _read(self, job_id: str, after: str, wait_s: float) -> list[Event]:
        if not self.redis.exists(keys.events(job_id)):
            told = self._from_record(job_id)
            if told and told.is_after(after):
                return [told]
        answer = self.redis.xread({keys.events(job_id): after}, block=int(wait_s * 1000), count=100)
        return [Event(entry_id, event_from_hash(fields)) for _, entries in answer or [] for entry_id, fields in entries]

    def _newest(self, job_id: str) -> Event | None:
        newest = self.redis.xrevrange(keys.events(job_id), count=1)
        return Event(newest[0][0], event_from_hash(newest[0][1])) if newest else self._from_record(job_id)

    def _from_record(self, job_id: str) -> Event | None:
        """Return the event that a job without a stream has come to: that it waits, or how it ended."""
        fields = self.redis.hgetall(keys.job(job_id))
        if not fields:
            return None
        return Event(f"{fields.get('finished_ms', 0)}-1", event_from_hash(fields))


def _order(event_id: str) -> tuple[int, ...]:
    """Return what stream ids are ordered by: milliseconds, then a running number."""
    return tuple(int(part) for part in event_id.split("-"))


def valid_event_id(text: str | None) -> str:
    """Return what a `Last-Event-ID` header asks for; anything that is no id means from the start."""
    return text if text and STREAM_ID.fullmatch(text) else STREAM_START

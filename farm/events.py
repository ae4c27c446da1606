"""A job's changes as they happen, read from its stream in Redis."""

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


class EventReader:
    """Reads the events of jobs."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis

    def follow(self, job_id: str, *, after: str, life_s: float, pause_s: float) -> Iterator[Event | None]:
        """Yield events after the one with that id until the job comes to rest or `life_s` is over.

        None is yielded when nothing happened for `pause_s`, so that a caller can tell its reader that it is there.
        """
        deadline = time.monotonic() + life_s
        while time.monotonic() < deadline:
            events = self._read(job_id, after, pause_s)
            if events is None:
                return
            if not events:
                yield None
            for event in events:
                yield event
                after = event.id
            if events and events[-1].data.state in TERMINAL and self._is_last(job_id, after):
                return

    @redis_errors()
    def _read(self, job_id: str, after: str, wait_s: float) -> list[Event] | None:
        """Return what came after that id, an empty list when nothing did, None when the job is gone."""
        stream = keys.events(job_id)
        answer = self.redis.xread({stream: after}, block=int(wait_s * 1000), count=100)
        if not answer:
            return [] if self.redis.exists(stream) else None
        [(_, entries)] = answer
        return [Event(entry_id, event_from_hash(fields)) for entry_id, fields in entries]

    @redis_errors()
    def _is_last(self, job_id: str, event_id: str) -> bool:
        newest = self.redis.xrevrange(keys.events(job_id), count=1)
        return not newest or newest[0][0] == event_id


def valid_event_id(text: str | None) -> str:
    """Return what a `Last-Event-ID` header asks for; anything that is no id means from the start."""
    return text if text and STREAM_ID.fullmatch(text) else STREAM_START

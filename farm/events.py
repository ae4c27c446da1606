"""A job's changes as they happen, read from its stream in Redis.

There is a stream from a job's first change until it is tidied up after; before and later its record tells the one
event that there is.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from farm import keys
from farm.event_hub import EventHub
from farm.record import event_from_hash
from farm.redis import redis_errors
from farm.states import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm.event_hub import Entry, Inbox
    from farm.redis import TextRedis
    from farm.schema import EventView

STREAM_START = "0-0"
STREAM_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
STREAM_NUMBERS = 2**64
"""Each half of a stream's id is below it; the highest id of all is kept out, as nothing comes after it."""


@dataclass(frozen=True)
class Event:
    """One change, and the id from which a reader can go on."""

    id: str
    data: EventView

    @cached_property
    def json(self) -> str:
        """The change as JSON, made once for all who read it."""
        return self.data.model_dump_json()

    def is_after(self, event_id: str) -> bool:
        """Tell whether this happened after another event."""
        return _order(self.id) > _order(event_id)


class EventReader:
    """Reads the events of jobs."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis
        self.hub = EventHub(redis)

    def follow(self, job_id: str, *, after: str, life_s: float, pause_s: float) -> Iterator[list[Event]]:
        """Yield the events after the one with that id, as they come, until the job is at rest or `life_s` is over.

        None are yielded when nothing happened for `pause_s`, so that a caller can tell its reader that it is there.

        Raises
        ------
        TransientError
            The store is away.
        """
        deadline = time.monotonic() + life_s
        with redis_errors(), self.hub.inbox(job_id) as inbox:
            for found in chain([self._past(job_id, after)], self._coming(inbox, deadline, pause_s)):
                events = [event for event in found if event.is_after(after)]  # some came while the past was read
                if events or not found:
                    yield events
                after = events[-1].id if events else after
                may_be_over = not events or events[-1].data.state in TERMINAL
                if may_be_over and self.is_over(job_id, after=after):
                    return

    @staticmethod
    def _coming(inbox: Inbox, deadline: float, pause_s: float) -> Iterator[list[Event]]:
        while (left := deadline - time.monotonic()) > 0:
            yield [_event(entry) for entry in inbox.get(min(pause_s, left))]

    @redis_errors()
    def is_over(self, job_id: str, *, after: str) -> bool:
        """Tell whether nothing will come after that event: the job has come to rest, or is gone."""
        newest = self._newest(job_id)
        return newest is None or (newest.data.state in TERMINAL and not newest.is_after(after))

    def _past(self, job_id: str, after: str) -> list[Event]:
        entries = self.redis.xrange(keys.events(job_id), f"({after}", "+")
        if entries or self.redis.exists(keys.events(job_id)):
            return [Event(entry_id, event_from_hash(fields)) for entry_id, fields in entries]
        told = self._from_record(job_id)
        return [told] if told else []

    def _newest(self, job_id: str) -> Event | None:
        newest = self.redis.xrevrange(keys.events(job_id), count=1)
        return Event(newest[0][0], event_from_hash(newest[0][1])) if newest else self._from_record(job_id)

    def _from_record(self, job_id: str) -> Event | None:
        """Return the event that a job without a stream has come to: that it waits, or how it ended."""
        fields = self.redis.hgetall(keys.job(job_id))
        if not fields:
            return None
        return Event(f"{fields.get('finished_ms', 0)}-1", event_from_hash(fields))


def _event(entry: Entry) -> Event:
    """Return what an entry says; whoever comes first makes it, the others find it made."""
    if not isinstance(entry.made, Event):
        entry.made = Event(entry.id, event_from_hash(entry.fields))
    return entry.made


def _order(event_id: str) -> tuple[int, ...]:
    """Return what stream ids are ordered by: milliseconds, then a running number."""
    return tuple(int(part) for part in event_id.split("-"))


def valid_event_id(text: str | None) -> str:
    """Return what a `Last-Event-ID` header asks for; anything that is no id means from the start."""
    return text if text and is_stream_id(text) else STREAM_START


def is_stream_id(text: str) -> bool:
    """Tell whether a text is an id that Redis takes, for what comes before it or after."""
    found = STREAM_ID.fullmatch(text)
    return found is not None and all(int(part) < STREAM_NUMBERS - 1 for part in found.groups())

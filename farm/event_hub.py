"""Reads the streams of all jobs that are followed in a process, in one thread, and tells everybody who follows one."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import redis
import structlog

from farm import keys
from farm.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm.redis import TextRedis

BLOCK_MS = 50
"""How long one who begins to follow may wait for the thread to look for his job too."""
AT_ONCE = 500
TOLD_AT_ONCE = 4
REST_S = 0.004
"""Pause after so many followers were told; what comes meanwhile is told together."""

log = structlog.get_logger()


class Entry:
    """An entry of a job's stream; what its readers make of it is kept, as each makes the same."""

    __slots__ = ("fields", "id", "made")

    def __init__(self, entry_id: str, fields: dict[str, str]) -> None:
        self.id = entry_id
        self.fields = fields
        self.made: object = None


class Inbox:
    """What one follower is yet to read."""

    def __init__(self) -> None:
        self._entries: SimpleQueue[Entry | None] = SimpleQueue()

    def put(self, entry: Entry | None) -> None:
        """Add an entry; None says that no more will come, as the store is away."""
        self._entries.put(entry)

    def get(self, timeout_s: float) -> list[Entry]:
        """Return the entries that have come, at least one; none where none comes in time.

        Raises
        ------
        TransientError
            The store is away.
        """
        found: list[Entry] = []
        with suppress(Empty):
            found.append(self._checked(self._entries.get(timeout=timeout_s)))
            while True:
                found.append(self._checked(self._entries.get_nowait()))
        return found

    @staticmethod
    def _checked(entry: Entry | None) -> Entry:
        if entry is None:
            raise TransientError("The job store (Redis)")
        return entry


class EventHub:
    """One reader for all followers; its thread lives as long as there are some."""

    def __init__(self, store: TextRedis) -> None:
        self.redis = store
        self._lock = threading.Lock()
        self._inboxes: dict[str, set[Inbox]] = defaultdict(set)
        self._read_to: dict[str, str] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def inbox(self, job_id: str) -> Iterator[Inbox]:
        """Collect what happens to a job from now on, until the body ends."""
        stream, inbox = keys.events(job_id), Inbox()
        newest = self.redis.xrevrange(stream, count=1)
        with self._lock:
            self._inboxes[stream].add(inbox)
            self._read_to.setdefault(stream, newest[0][0] if newest else "0-0")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()
        try:
            yield inbox
        finally:
            with self._lock:
                self._inboxes[stream].discard(inbox)
                if not self._inboxes[stream]:
                    del self._inboxes[stream], self._read_to[stream]

    def _run(self) -> None:
        while True:
            with self._lock:
                wanted = dict(self._read_to)
                if not wanted:
                    self._thread = None
                    return
            try:
                found = self.redis.xread(wanted, block=BLOCK_MS, count=AT_ONCE)
            except redis.RedisError as error:
                log.warning("events_not_read", reason=str(error))
                self._give_up()
                return
            for stream, entries in found or []:
                self._tell(stream, entries)

    def _tell(self, stream: str, found: list[tuple[str, dict[str, str]]]) -> None:
        """Give entries to all who follow their stream, some at a time: all at once they would hold up every call."""
        entries = [Entry(entry_id, fields) for entry_id, fields in found]
        with self._lock:
            inboxes = list(self._inboxes.get(stream, ()))
            if stream in self._read_to:
                self._read_to[stream] = entries[-1].id
        for first in range(0, len(inboxes), TOLD_AT_ONCE):
            for inbox in inboxes[first : first + TOLD_AT_ONCE]:
                for entry in entries:
                    inbox.put(entry)
            time.sleep(REST_S)

    def _give_up(self) -> None:
        """End, and let every follower end: they come back with the id that they got to."""
        with self._lock:
            self._thread = None
            for inboxes in self._inboxes.values():
                for inbox in inboxes:
                    inbox.put(None)

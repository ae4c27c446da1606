"""A job's changes as they happen: by server-sent events, and by polling where there is no stream."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dreamfarm.answers import backoff_s
from dreamfarm.errors import FarmUnreachableError
from farm.schema import EventView, JobView
from farm.states import TERMINAL, JobState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx2

    from dreamfarm.transport import Transport

# The farm sends a comment every 15 s: a stream silent for three times as long is dead.
SILENCE_S = 45.0


class EventFollower:
    """Follows one job to its end; an instance is used once.

    A stream that breaks or reaches its lifetime is opened again where it ended, so no change is missed and none comes
    twice. After each stream the job itself is asked for, which is all there is where streams are refused.

    Parameters
    ----------
    transport, job_id : what to follow, and through what.
    poll_s : pause between two looks at the job, in s.
    patience_s : how long the farm may be away before following ends with `FarmUnreachableError`, in s.
    """

    def __init__(self, transport: Transport, job_id: str, *, poll_s: float, patience_s: float) -> None:
        self.transport = transport
        self.path = f"/v1/jobs/{job_id}"
        self.poll_s = poll_s
        self.patience_s = patience_s
        self.latest: EventView | None = None
        self._event_id = ""
        self._silent_since: float | None = None
        self._failures = 0

    async def changes(self) -> AsyncIterator[EventView]:
        """Yield the changes, oldest first; the last one is to a state in which a job rests."""
        while not self._at_rest():
            try:
                async for event in self._streamed():
                    yield event
                if not self._at_rest():
                    for event in await self._polled():
                        yield event
                    await self.transport.sleep(0 if self._at_rest() else self.poll_s)
            except FarmUnreachableError as error:
                await self._bear_silence(error)

    def _at_rest(self) -> bool:
        return self.latest is not None and self.latest.state in TERMINAL

    async def _streamed(self) -> AsyncIterator[EventView]:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self._event_id} if self._event_id else {})
        async with self.transport.stream(f"{self.path}/events", headers=headers, timeout=SILENCE_S) as response:
            if not _is_stream(response):
                return  # the look at the job that follows tells whether it is there at all
            self._heard()
            async for sent in self.transport.events(response):
                self._event_id = sent.id or self._event_id
                for event in self._fresh(_parsed(sent.data)):
                    yield event

    async def _polled(self) -> Iterator[EventView]:
        job = await self.transport.read(JobView, "GET", self.path)
        self._heard()
        return self._fresh(event_of(job))

    def _fresh(self, event: EventView | None) -> Iterator[EventView]:
        if event is not None and (self.latest is None or event.seq > self.latest.seq):
            self.latest = event
            yield event

    def _heard(self) -> None:
        self._silent_since = None
        self._failures = 0

    async def _bear_silence(self, error: FarmUnreachableError) -> None:
        self._failures += 1
        self._silent_since = self._silent_since or time.monotonic()
        if self._at_rest():
            return
        if time.monotonic() - self._silent_since >= self.patience_s:
            raise error
        await self.transport.sleep(backoff_s(self._failures))


def event_of(job: JobView) -> EventView:
    """Return what the job's latest event says."""
    done = job.progress.octave if job.state is JobState.SUCCEEDED else max(job.progress.octave - 1, 0)
    previews = done if "preview" in job.links else 0
    return EventView(state=job.state, seq=job.seq, progress=job.progress, error=job.error, previews=previews)


def _is_stream(response: httpx2.Response) -> bool:
    kind = response.headers.get("Content-Type", "")
    return response.status_code == HTTPStatus.OK and kind.startswith("text/event-stream")


def _parsed(data: str) -> EventView | None:
    try:
        return EventView.model_validate_json(data)
    except ValidationError:
        return None  # another kind of event, from a newer farm

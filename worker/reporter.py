"""Tells the store how far a render is, from a thread of its own, so that no step waits for the store."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Self

from farm.errors import LeaseLostError, TransientError

if TYPE_CHECKING:
    from types import TracebackType

    from farm.schema import ProgressView
    from worker.lease import Lease

LOOK_EVERY_S = 0.15
"""How soon a render learns that it may not go on."""

WRITE_EVERY = 3
"""Looks to a write: each write wakes the store, the api and all who watch, on the processors that the render needs."""


class Reporter:
    """Looks whether the attempt still holds its job, and writes the newest progress every so often.

    Milestones are written all and in order, however fast they come. A context manager; what it learns shows in the
    lease's `should_stop`.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._lock = threading.Lock()
        self._milestones: list[ProgressView] = []
        self._newest: ProgressView | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if kind is None:
            self._write(self._taken())

    def note(self, progress: ProgressView, *, milestone: bool = False) -> None:
        """Remember how far the render is, to be written next."""
        with self._lock:
            self._newest = None if milestone else progress
            self._milestones += [progress] if milestone else []

    def _run(self) -> None:
        for looks in itertools.count():
            if self._done.wait(LOOK_EVERY_S) or self._lease.lost.is_set():
                return
            is_due = looks % WRITE_EVERY == 0 or self._milestones
            self._write(self._taken() if is_due else [])

    def _taken(self) -> list[ProgressView]:
        """Return what is to be written, in order, and forget it."""
        with self._lock:
            taken = [*self._milestones, *([self._newest] if self._newest else [])]
            self._milestones, self._newest = [], None
            return taken

    def _write(self, noted: list[ProgressView]) -> None:
        try:
            for progress in noted:
                self._lease.report(progress)
            if not noted:
                self._lease.look()
        except LeaseLostError as error:
            self._lease.log.info("hold_lost", reason=str(error))
        except TransientError:
            self._lease.log.warning(
                "progress_not_written"
            )  # the render goes on; what counts is fenced when it is committed

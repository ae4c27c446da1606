"""Work done beside the render, in order, so that storing an octave doesn't keep the next one waiting."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Aside:
    """Runs one call at a time in a thread; a context manager. An error is raised by the next call to it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")
        self._pending: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def do(self, call: Callable[[], None]) -> None:
        """Start the call once the one before it has ended; at most one is ever waited for."""
        self.finish()
        self._pending = self._pool.submit(call)

    def finish(self) -> None:
        """Wait for the call that was started last, and raise what it raised."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

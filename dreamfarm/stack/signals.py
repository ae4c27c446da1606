"""How a stack in the foreground is ended: by Ctrl-C or SIGTERM, once and in order."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)


def treat_signals_as_interrupt() -> None:
    """Let SIGINT and SIGTERM end the program by a `KeyboardInterrupt`.

    A script's background programs ignore SIGINT unless they say otherwise; a whole farm must always be stoppable.
    """
    for number in ENDING:
        signal.signal(number, _interrupt)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold off Ctrl-C and SIGTERM, so that an orderly end is not broken off by an impatient one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, signal.SIG_IGN) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in zip(ENDING, before, strict=True):
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

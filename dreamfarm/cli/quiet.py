"""Silence for native libraries that write to stderr whatever they are told; stdout for data alone."""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

STDERR = 2
FETCHES = "Downloading"
"""How Keras begins to say what it fetches; its bars follow, a line for each move where there is no terminal."""


class _Told(io.TextIOBase):
    """What a library prints, on its way to a person: all of it to a terminal, that it fetches something to a log."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def isatty(self) -> bool:
        """Tell whether it is drawn on a terminal."""
        return self._out.isatty()

    def write(self, text: str) -> int:
        """Pass on what is for people."""
        passed = text if self.isatty() else f"{text.rstrip()}\n" if text.startswith(FETCHES) else ""
        self._out.write(passed)
        self._out.flush()
        return len(text)


@contextmanager
def stdout_for_data() -> Iterator[None]:
    """Send to stderr what libraries print meanwhile."""
    with redirect_stdout(_Told(sys.stderr)):
        yield


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drop what is written to the process's stderr meanwhile, unless with --debug; what is printed goes there."""
    if logging.getLogger("dreamfarm").isEnabledFor(logging.DEBUG):
        with stdout_for_data():
            yield
        return
    kept = os.dup(STDERR)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  # a device, no path
            os.dup2(nowhere.fileno(), STDERR)
        with open(kept, "w", encoding="utf-8", closefd=False) as people, redirect_stdout(_Told(people)):
            yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)

"""Silence for native libraries that write to stderr whatever they are told."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STDERR = 2


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drop what is written to the process's stderr meanwhile; with --debug, let it through."""
    if logging.getLogger("dreamfarm").isEnabledFor(logging.DEBUG):
        yield
        return
    kept = os.dup(STDERR)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  # a device, no path
            os.dup2(nowhere.fileno(), STDERR)
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)

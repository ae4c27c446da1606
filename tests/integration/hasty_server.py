"""The api's server with less patience, so that tests of it are short."""

from __future__ import annotations

from typing import ClassVar

from api.server import Worker


class HastyWorker(Worker):
    """Gives up after 1 s, and asks for 2 kB/s."""

    head_s: ClassVar[float] = 1
    body_s: ClassVar[float] = 1
    bytes_per_s: ClassVar[float] = 2000

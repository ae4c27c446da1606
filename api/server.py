"""How gunicorn serves the api: ``gunicorn --config python:api.server 'api.app:create_app()'``.

A few clients can stop gunicorn's own worker. It gives a connection a thread as soon as it is made, and waits for the
request for as long as it takes: clients that send a byte a minute hold every thread. And the loop that accepts
connections waits itself, up to 2 s for each, until clients have closed theirs. The worker here does neither.
"""

from __future__ import annotations

import socket
import struct
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, ClassVar, Literal

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker
from werkzeug.exceptions import RequestTimeout

STALLED_S = 60
"""How long a client may take nothing of its answer."""

LINGER_S, LINGER_BYTES = 2, 65_536
"""How long, and for how much, a connection is read to its end before it is closed."""

Part = Literal["head", "body", "rest"]


class PacedSocket(socket.socket):
    """A connection whose client has to keep a pace."""

    part: Part = "head"
    left_s: float = 0
    """How long the client may keep us waiting from now on, all in all."""
    bytes_per_s: float = 1
    """What has come earns so much more time."""

    def begin(self, part: Part, *, grace_s: float) -> None:
        """Allow so much for a part of a request, however little comes."""
        self.part, self.left_s = part, grace_s

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what has come, or wait for it as long as the pace allows."""
        bound = self.gettimeout()
        if bound is not None and bound <= self.left_s:
            return super().recv(size, flags)
        begun = time.monotonic()
        self.settimeout(max(self.left_s, 0.001))
        try:
            data = super().recv(size, flags)
        except TimeoutError:
            return self._give_up()
        finally:
            self.settimeout(bound)
        self.left_s += len(data) / self.bytes_per_s - (time.monotonic() - begun)
        return data

    def part_with(self) -> None:
        """Say that no more comes, and wait a little for the client to have read all: a closed socket forgets it."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            self.begin("rest", grace_s=LINGER_S)
            left_bytes = LINGER_BYTES
            while left_bytes > 0 and (got := self.recv(min(left_bytes, 65_536))):
                left_bytes -= len(got)
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def _give_up(self) -> bytes:
        if self.part == "head":
            return b""  # as if the client had left: there is nothing to answer yet
        if self.part == "body":
            raise RequestTimeout("The body came too slowly. Send it faster, or PUT the picture to an upload's URL.")
        raise TimeoutError


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's worker with threads, for clients that keep a pace."""

    head_s: ClassVar[float] = 10
    body_s: ClassVar[float] = 20
    bytes_per_s: ClassVar[float] = 20_000

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to a thread; a new one only once something has come."""
        if not isinstance(conn.sock, PacedSocket):
            conn.sock = _paced(conn.sock, bytes_per_s=self.bytes_per_s)
        if conn.initialized or conn.wait_for_data(0):
            super().enqueue_req(conn)
        else:
            self.finish_request(conn, _nothing_yet())

    def handle(self, conn: TConn) -> Any:
        """Read a request, and answer it."""
        conn.sock.begin("head", grace_s=self.head_s)
        goes_on = super().handle(conn)
        if not goes_on:
            conn.sock.part_with()
        return goes_on

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answer a request whose head is there."""
        conn.sock.begin("body", grace_s=self.body_s)
        try:
            return super().handle_request(req, conn)
        finally:
            conn.sock.begin("rest", grace_s=self.head_s)


def _nothing_yet() -> Future[object]:
    """Return what tells gunicorn to wait for a connection's first byte, without a thread."""
    told: Future[object] = Future()
    told.set_result(_DEFER)
    return told


def _paced(sock: socket.socket, *, bytes_per_s: float) -> PacedSocket:
    paced = PacedSocket(fileno=sock.detach())
    paced.bytes_per_s = bytes_per_s
    paced.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALLED_S, 0))
    return paced


worker_class = "api.server.Worker"
threads = 560
"""One for each event stream, `DREAMFARM_MAX_EVENT_STREAMS`, and some for calls; they are made when they are needed."""

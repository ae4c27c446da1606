"""A TCP proxy that does to a link what networks do: cuts, stalls, half-open connections, delays, resets."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

HOST = "127.0.0.1"
CHUNK = 65_536
LOOK_EVERY_S = 0.02


@dataclass(eq=False)
class Link:
    """One connection through the proxy: the caller's side and the server's."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    lost_an_answer: bool = False
    """Bytes that were swallowed never come: nothing that follows them may."""

    def close(self, *, reset: bool = False) -> None:
        for side in (self.near, self.far):
            sock = side.get_extra_info("socket")
            if reset and sock is not None:
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            side.transport.abort()


@dataclass
class Weather:
    """What happens to the links."""

    is_cut: bool = False
    is_stalled: bool = False
    swallows_answers: bool = False
    delay_s: float = 0.0


@dataclass
class Proxy:
    """Stands before one server; a context manager. Its faults may be called from any thread."""

    target: int
    weather: Weather = field(default_factory=Weather)
    port: int = 0
    tls: ssl.SSLContext | None = None
    """Before callers; the server behind it is spoken to in plain text."""

    def __enter__(self):
        self._links: set[Link] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, HOST, self.port, ssl=self.tls))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_error):
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self):
        """Break all links, and refuse new ones until `heal`."""
        self.weather = Weather(is_cut=True)
        self._run(self._break())

    def reset(self):
        """Break all links with a TCP reset; new ones are let through."""
        self._run(self._break(reset=True))

    def stall(self):
        """Let nothing through until `heal`; no link breaks, and nothing is lost."""
        self.weather = Weather(is_stalled=True)

    def swallow_answers(self):
        """Let requests through and no answers: links that lost one stay silent for ever."""
        self.weather = Weather(swallows_answers=True)

    def slow_down(self, delay_s):
        """Hold every packet up for so long."""
        self.weather = Weather(delay_s=delay_s)

    def heal(self):
        """Let everything through."""
        self.weather = Weather()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _close(self):
        self._server.close()
        await self._break()
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _break(self, *, reset=False):
        for link in list(self._links):
            link.close(reset=reset)

    async def _serve(self, reader, writer):
        try:
            answers, far = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        link = Link(near=writer, far=far)
        self._links.add(link)
        try:
            if not self.weather.is_cut:
                await asyncio.gather(self._carry(reader, far, link), self._carry(answers, writer, link, is_answer=True))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._links.discard(link)
            link.close()

    async def _carry(self, reader, writer, link, *, is_answer=False):
        while data := await reader.read(CHUNK):
            while self.weather.is_stalled:  # noqa: ASYNC110  # set by other threads
                await asyncio.sleep(LOOK_EVERY_S)
            if self.weather.delay_s:
                await asyncio.sleep(self.weather.delay_s)
            link.lost_an_answer |= is_answer and self.weather.swallows_answers
            if not (is_answer and link.lost_an_answer):
                writer.write(data)
                await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()

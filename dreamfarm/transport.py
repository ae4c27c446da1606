"""HTTP as the client needs it: patient where a call may be repeated; for programs that wait and for those that don't.

Calls are coroutines, written once. Over `AsyncTransport` they are awaited; over `BlockingTransport` nothing in them
ever waits for an event loop, so that `finished` and `each` run them as they are.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import httpx2

from dreamfarm.address import checked_address
from dreamfarm.answers import Answer, accepted, backoff_s, is_busy, parsed, retry_after_s, unreachable
from dreamfarm.errors import FarmError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterable, Iterator

T = TypeVar("T")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Transport(ABC):
    """One farm's HTTP connection pool.

    Parameters
    ----------
    url : the farm's address.
    timeout_s : longest wait for a connection, or for the next bytes, in s.
    tries : how often a call that may be repeated is made before it fails.
    key : shown to the farm, and to nobody else.
    """

    def __init__(self, url: str, *, timeout_s: float, tries: int, key: str | None = None) -> None:
        self.url = checked_address(url)
        self.tries = tries
        self._settings: dict[str, Any] = {
            "base_url": self.url,
            "auth": _KeyAuth(self.url, key),
            "timeout": timeout_s,
            # A proxy from the environment can't lead to a farm on this machine.
            "trust_env": httpx2.URL(self.url).host not in LOOPBACK,
        }

    async def call(self, method: str, path: str, *, once: str | None = None, **request: Any) -> httpx2.Response:
        """Make a call and return its answer, which is no error.

        A POST carries an Idempotency-Key, `once` or one of its own, so that however often it is sent, it acts once.

        Raises
        ------
        FarmError
            The farm refused it.
        FarmUnreachableError
            It didn't get through, however often it was tried.
        """
        if method == "POST":
            request["headers"] = {**request.get("headers", {}), "Idempotency-Key": once or uuid4().hex}
        for attempt in range(1, self.tries + 1):
            last = attempt == self.tries
            try:
                response = await self.send(method, path, **request)
            except httpx2.TransportError as error:
                if last:
                    raise unreachable(self.url, error) from error
                await self.sleep(backoff_s(attempt))
                continue
            if method == "DELETE" and attempt > 1 and response.status_code == HTTPStatus.NOT_FOUND:
                return response  # an earlier try did it, and its answer was lost
            if last or not is_busy(response):
                return accepted(response)
            asked_s = retry_after_s(response)
            await self.sleep(backoff_s(attempt) if asked_s is None else asked_s)
        raise AssertionError  # the last attempt returns or raises

    async def read(self, answer: type[Answer], method: str, path: str, **request: Any) -> Answer:
        """Make a call as `call` does and return what its answer says."""
        return parsed(answer, await self.call(method, path, **request))

    @asynccontextmanager
    async def stream(self, path: str, **request: Any) -> AsyncIterator[httpx2.Response]:
        """Open an answer of any status to read bit by bit, errors included; made once."""
        try:
            async with self.opened(path, **request) as response:
                yield response
        except httpx2.TransportError as error:
            raise unreachable(self.url, error) from error

    @asynccontextmanager
    async def accepted_stream(self, path: str, **request: Any) -> AsyncIterator[httpx2.Response]:
        """Open an answer that is no error to read bit by bit; made once."""
        async with self.stream(path, **request) as response:
            if response.is_error:
                await self.load(response)
                accepted(response)
            yield response

    @abstractmethod
    async def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Make a call once."""

    @abstractmethod
    def opened(self, path: str, **request: Any) -> Any:
        """Open an answer, as an asynchronous context manager."""

    @abstractmethod
    async def load(self, response: httpx2.Response) -> None:
        """Read an opened answer whole."""

    @abstractmethod
    def chunks(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        """Yield an opened answer's bytes as they come."""

    @abstractmethod
    def lines(self, response: httpx2.Response) -> AsyncIterator[str]:
        """Yield an opened answer's lines."""

    @abstractmethod
    def events(self, response: httpx2.Response) -> AsyncIterator[httpx2.ServerSentEvent]:
        """Yield an opened answer's server-sent events."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    @abstractmethod
    async def aside(self, work: Callable[[], T]) -> T:
        """Do what holds a thread up, such as work with files, and return what it returns."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""


class BlockingTransport(Transport):
    """For programs that wait: its coroutines never do so for an event loop."""

    def __init__(self, url: str, **settings: Any) -> None:
        super().__init__(url, **settings)
        self._client = httpx2.Client(**self._settings)

    async def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Make a call once."""
        return self._client.request(method, path, **request)

    @asynccontextmanager
    async def opened(self, path: str, **request: Any) -> AsyncIterator[httpx2.Response]:
        """Open an answer."""
        with self._client.stream("GET", path, **request) as response:
            yield response

    async def load(self, response: httpx2.Response) -> None:
        """Read an opened answer whole."""
        response.read()

    def chunks(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        """Yield an opened answer's bytes as they come."""
        return _one_by_one(response.iter_bytes())

    def lines(self, response: httpx2.Response) -> AsyncIterator[str]:
        """Yield an opened answer's lines."""
        return _one_by_one(response.iter_lines())

    def events(self, response: httpx2.Response) -> AsyncIterator[httpx2.ServerSentEvent]:
        """Yield an opened answer's server-sent events."""
        return _one_by_one(httpx2.EventSource(response))

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)  # noqa: ASYNC251  # no event loop waits

    async def aside(self, work: Callable[[], T]) -> T:
        """Do it here and now."""
        return work()

    async def close(self) -> None:
        """Close the connections."""
        self._client.close()


class AsyncTransport(Transport):
    """For programs with an event loop."""

    def __init__(self, url: str, **settings: Any) -> None:
        super().__init__(url, **settings)
        self._client = httpx2.AsyncClient(**self._settings)

    async def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Make a call once."""
        return await self._client.request(method, path, **request)

    def opened(self, path: str, **request: Any) -> Any:
        """Open an answer."""
        return self._client.stream("GET", path, **request)

    async def load(self, response: httpx2.Response) -> None:
        """Read an opened answer whole."""
        await response.aread()

    def chunks(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        """Yield an opened answer's bytes as they come."""
        return response.aiter_bytes()

    def lines(self, response: httpx2.Response) -> AsyncIterator[str]:
        """Yield an opened answer's lines."""
        return response.aiter_lines()

    def events(self, response: httpx2.Response) -> AsyncIterator[httpx2.ServerSentEvent]:
        """Yield an opened answer's server-sent events."""
        return aiter(httpx2.EventSource(response))

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and others work."""
        await asyncio.sleep(seconds)

    async def aside(self, work: Callable[[], T]) -> T:
        """Do it in a thread."""
        return await asyncio.to_thread(work)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for no event loop, and return its result."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError  # over a blocking transport nothing is waited for


def each(items: AsyncGenerator[T]) -> Iterator[T]:
    """Yield what a generator does that waits for no event loop."""
    try:
        while True:
            try:
                item = finished(_next(items))
            except StopAsyncIteration:
                return
            yield item
    finally:
        finished(items.aclose())


async def _next(items: AsyncGenerator[T]) -> T:
    return await anext(items)


async def _one_by_one(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


class _KeyAuth(httpx2.Auth):
    """Shows a key to the farm alone: never to the store that presigned links lead to."""

    def __init__(self, url: str, key: str | None) -> None:
        self._origin = _origin(httpx2.URL(url))
        self._header = f"Bearer {_checked_key(key)}" if key else None

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Add the key where it belongs."""
        if self._header and _origin(request.url) == self._origin:
            request.headers["Authorization"] = self._header
        yield request


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _checked_key(key: str) -> str:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise FarmError("bad_key", "The key has characters that no key has. Copy it again, without spaces or quotes.")
    return key

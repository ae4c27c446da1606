"""Calls that the farm makes for a user: to the address that was checked, within a time, up to a size, by no proxy."""

from __future__ import annotations

import ssl
import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin

import httpcore2

from dreamcore.version import __version__
from farm.address_guard import DEFAULT_PORTS, AddressGuard, Target, check_url
from farm.errors import AddressError, CallError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
CONNECT_S = 5.0


class Answer(NamedTuple):
    """What a server said; the body is cut off where its length is of no interest."""

    status: int
    body: bytes


class Outbound:
    """Calls addresses that users name.

    Parameters
    ----------
    guard : says which addresses may be called.
    timeout_s : longest time of one call, from the lookup of the name to the last byte, redirects included, in s.
    tls : whose certificates to trust; the public authorities if None.
    """

    def __init__(self, guard: AddressGuard, *, timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        self.guard = guard
        self.timeout_s = timeout_s
        self._tls = tls or ssl.create_default_context()

    def get(self, url: str, *, max_bytes: int) -> bytes:
        """Return what lies at a URL; redirects are followed, each to an address that is checked again.

        Raises
        ------
        AddressError
            It, or a redirect, leads to where the farm doesn't call.
        CallError
            It doesn't answer in time, doesn't answer 200, or with more than `max_bytes`.
        """
        deadline = time.monotonic() + self.timeout_s
        for _ in range(MOST_REDIRECTS + 1):
            with self._open("GET", url, deadline) as response:
                if response.status in REDIRECTS:
                    url = _redirected(url, response)
                    continue
                if response.status != HTTPStatus.OK:
                    raise CallError(f"The server answered {response.status}, not 200.")
                return _read(response, max_bytes)
        raise CallError(f"The server redirects more than {MOST_REDIRECTS} times.")

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, max_bytes: int = 1000) -> Answer:
        """Send a body and return the answer, whatever its status, with at most the first `max_bytes` of its body.

        Raises
        ------
        AddressError
            The farm doesn't call such an address.
        CallError
            It doesn't answer in time.
        """
        deadline = time.monotonic() + self.timeout_s
        with self._open("POST", url, deadline, headers=headers, body=body) as response:
            return Answer(response.status, _first(response.iter_stream(), max_bytes))

    @contextmanager
    def _open(
        self, method: str, url: str, deadline: float, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Iterator[httpcore2.Response]:
        target = check_url(url)
        length = {"Content-Length": str(len(body))} if method == "POST" else {}
        own = {
            "Host": _host_header(target),
            "User-Agent": f"dreamfarm/{__version__}",
            "Accept-Encoding": "identity",
            **length,
            **(headers or {}),
        }
        backend = _PinnedBackend(self.guard, deadline)
        with (
            _call_errors(),
            httpcore2.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool,
            pool.stream(
                method,
                httpcore2.URL(
                    scheme=target.scheme.encode(),
                    host=target.host.encode(),
                    port=target.port,
                    target=target.path.encode(),
                ),
                headers=[(name.encode(), value.encode()) for name, value in own.items()],
                content=body,
            ) as response,
        ):
            yield response


class _PinnedBackend(httpcore2.NetworkBackend):
    """Looks a name up once, and connects to what was checked; the certificate is still asked for by the name."""

    def __init__(self, guard: AddressGuard, deadline: float) -> None:
        self._guard = guard
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # one deadline stands for all
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first of the host's addresses that answers."""
        failure: Exception = AddressError(f"The name {host!r} has no address.")
        for address in self._guard.addresses(host, port):
            wait_s = min(CONNECT_S, _left_s(self._deadline))
            try:
                stream = self._sockets.connect_tcp(str(address), port, wait_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends with the whole call's time, however slowly its bytes drip."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # see connect_tcp
        return self._stream.read(max_bytes, _left_s(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # see connect_tcp
        self._stream.write(buffer, _left_s(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # see connect_tcp
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left_s(self._deadline))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left_s(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise httpcore2.ReadTimeout
    return left_s


def _host_header(target: Target) -> str:
    """Return the host as a browser would write it: presigned links cover it with their signature."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if DEFAULT_PORTS[target.scheme] == target.port else f"{host}:{target.port}"


def _redirected(url: str, response: httpcore2.Response) -> str:
    for name, value in response.headers:
        if name.lower() == b"location":
            try:
                return urljoin(url, value.decode("latin-1"))
            except ValueError:
                raise AddressError("The server redirects to what is no URL.") from None
    raise CallError(f"The server answered {response.status} without saying where to.")


def _read(response: httpcore2.Response, max_bytes: int) -> bytes:
    data = _first(response.iter_stream(), max_bytes + 1)
    if len(data) > max_bytes:
        raise CallError(f"The file has more than {max_bytes} bytes, which are allowed.")
    return data


def _first(chunks: Iterable[bytes], most: int) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) >= most:
            break
    return bytes(data[:most])


@contextmanager
def _call_errors() -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException:
        raise CallError("The server doesn't answer in time.") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError) as error:
        raise CallError(f"The server can't be reached: {error}.") from None

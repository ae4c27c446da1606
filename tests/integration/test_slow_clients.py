"""Clients that take their time: they hold no thread for good, and keep nobody else waiting."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from tests.integration.hostile_http import JSON, request
from tests.real_api import real_api

pytestmark = pytest.mark.slow

SLOW = 20
ENDLESS = {
    "a head": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ",
    "a body": request(method="POST", headers={**JSON, "Content-Length": "100000"}, body=b"{"),
    "a chunk": request(method="POST", headers={**JSON, "Transfer-Encoding": "chunked"}, body=b"ffff\r\n{"),
}
PARTING = request("/healthz")


@pytest.fixture(scope="module")
def api(servers, tmp_path_factory):
    """Fewer threads than slow clients; they are given 1 s."""
    environment = {**servers.environment(), "DREAMFARM_AUTH": "off"}
    worker = "tests.integration.hasty_server.HastyWorker"
    with real_api(tmp_path_factory.mktemp("api"), environment, worker=worker, threads=16) as running:
        yield running
        assert running.unexpected() == []
        assert "WORKER TIMEOUT" not in running.log.read_text()


@pytest.fixture
def connections(api):
    with ExitStack() as stack:
        yield [stack.enter_context(api.connect()) for _ in range(SLOW)]


def answer_to(connection, sent):
    connection.sendall(sent)
    return connection.recv(65_536)


def drip_until_told(connection):
    """Send a byte now and then; return what comes back, and b"" where the connection ends."""
    connection.settimeout(0.1)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection.sendall(b"1")
            return connection.recv(65_536)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    return None


@pytest.mark.parametrize(("what", "told"), [("a head", b""), ("a body", b"HTTP/1.1 408"), ("a chunk", b"HTTP/1.1 408")])
def test_a_request_that_comes_byte_by_byte_is_ended(api, what, told):
    """However faithfully the bytes come: a head's connection is closed, a body's client is told that it is too slow."""
    with api.connect() as connection:
        connection.sendall(ENDLESS[what])

        assert drip_until_told(connection)[: len(told) or None] == told


@pytest.mark.parametrize("what", ENDLESS)
def test_slow_clients_keep_nobody_out(api, connections, what):
    """Though they are more than there are threads, others are answered while the slow are still connected."""
    for connection in connections:
        connection.sendall(ENDLESS[what])

    with api.connect() as other:
        assert answer_to(other, request("/healthz")).startswith(b"HTTP/1.1 200")


def test_clients_that_send_nothing_cost_no_thread(api, connections):
    """A connection alone is no request; one that comes later is answered on it, if it comes in time."""
    with api.connect() as other:
        assert answer_to(other, request("/healthz")).startswith(b"HTTP/1.1 200")
    assert answer_to(connections[-1], request("/healthz")).startswith(b"HTTP/1.1 200")


def test_clients_that_do_not_close_keep_nobody_out(api, connections):
    """Who has the answer and stays connected stops nothing: the process isn't taken for dead (`WORKER TIMEOUT`)."""
    for connection in connections:
        connection.sendall(PARTING)

    answers = [connection.recv(12) for connection in connections]
    with api.connect(timeout_s=10) as other:
        assert answer_to(other, request("/healthz")).startswith(b"HTTP/1.1 200")
    assert answers == [b"HTTP/1.1 200"] * SLOW


def test_a_body_that_keeps_the_pace_is_taken(api):
    """Longer than the grace, and no slower than it has to be: what has come earns time."""
    body = b'{"width": 64, "height": 64}' + b" " * 70_000
    with api.connect() as connection:
        connection.sendall(request("/v1/estimate", method="POST", headers={**JSON, "Content-Length": str(len(body))}))
        for start in range(0, len(body), 10_000):
            connection.sendall(body[start : start + 10_000])
            time.sleep(0.25)

        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")

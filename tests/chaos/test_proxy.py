"""The proxy does what it says, to a server that echoes."""

from __future__ import annotations

import socket
import socketserver
import threading

import pytest

from tests.chaos.proxy import HOST, Proxy


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it gets."""

    def handle(self):
        while data := self.request.recv(1024):
            self.request.sendall(data)


@pytest.fixture
def proxy():
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with Proxy(server.server_address[1]) as running:
            yield running
        server.shutdown()


def call(proxy):
    """Connect, with a short patience."""
    return socket.create_connection((HOST, proxy.port), timeout=0.5)


def echo(link, data=b"hello"):
    """Return what comes back for some bytes; nothing where the other side hangs up."""
    link.sendall(data)
    return link.recv(1024)


def is_broken(link):
    """Tell whether the other side hung up."""
    try:
        return not echo(link)
    except TimeoutError:
        return False
    except OSError:
        return True


def test_bytes_pass_both_ways(proxy):
    """In fair weather nobody notices it."""
    with call(proxy) as link:
        assert echo(link) == b"hello"


def test_a_cut_breaks_links_and_refuses_new_ones(proxy):
    """Until it is healed."""
    with call(proxy) as link:
        echo(link)
        proxy.cut()
        assert is_broken(link)
    with call(proxy) as link:
        assert is_broken(link)
    proxy.heal()
    with call(proxy) as link:
        assert echo(link) == b"hello"


def test_a_reset_breaks_links_alone(proxy):
    """The next one is let through."""
    with call(proxy) as link:
        echo(link)
        proxy.reset()
        assert is_broken(link)
    with call(proxy) as link:
        assert echo(link) == b"hello"


def test_a_stall_loses_nothing(proxy):
    """What was sent in the meantime comes afterwards."""
    with call(proxy) as link:
        proxy.stall()
        with pytest.raises(TimeoutError):
            echo(link)
        proxy.heal()
        assert link.recv(1024) == b"hello"


def test_a_link_that_lost_an_answer_stays_silent(proxy):
    """As behind a router that forgot it: the caller alone can end it."""
    with call(proxy) as link:
        proxy.swallow_answers()
        with pytest.raises(TimeoutError):
            echo(link)
        proxy.heal()
        with pytest.raises(TimeoutError):
            echo(link)
    with call(proxy) as link:
        assert echo(link) == b"hello"


def test_slow_links_are_slow(proxy):
    """A delay longer than the caller's patience is a time-out, a shorter one is not."""
    with call(proxy) as link:
        proxy.slow_down(0.1)
        assert echo(link) == b"hello"
        proxy.slow_down(2)
        with pytest.raises(TimeoutError):
            echo(link)

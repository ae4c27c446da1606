"""Free ports, and the ones that a data folder used last."""

from __future__ import annotations

import errno
import json
import socket
from typing import TYPE_CHECKING

from dreamfarm.files import whole_file
from dreamfarm.stack.process import StackError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 32_000
"""Below the range from which systems hand out ports to clients, and so low that a gRPC port 10,000 higher exists."""

GRPC_OFFSET = 10_000


def is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """Tell whether a server can listen on a port.

    Raises
    ------
    StackError
        It can't for another reason than that somebody does: no such address here, no permission.
    """
    try:
        with _probe(host) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise StackError(f"Nothing can listen on {host}, port {port}: {error.strerror}. Name another.") from error
    return True


def any_free_port(*, host: str = LOOPBACK) -> int:
    """Return a port that nobody listens on, from the system."""
    with _probe(host) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def in_url(host: str) -> str:
    """Return how an address to listen on is written in a URL that a browser here can open."""
    reachable = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104  # read, not listened on
    return f"[{reachable}]" if ":" in reachable else reachable


def _probe(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)


def lasting_ports(file: Path, names: Sequence[str]) -> dict[str, int]:
    """Return a free port per name, and free ones 10,000 higher: those used last if they are still free.

    A server that keeps its own address in its data is spared a new one.
    """
    known = json.loads(file.read_text()) if file.exists() else {}
    ports = {name: int(known[name]) for name in names if name in known}
    if set(ports) != set(names) or not all(_both_free(port) for port in ports.values()):
        ports = _block_of_ports(names)
        with whole_file(file) as whole:
            whole.write(json.dumps(ports).encode())
    return ports


def _block_of_ports(names: Sequence[str]) -> dict[str, int]:
    """Return neighbouring free ports; the search starts where chance says, so that two stacks rarely meet."""
    start = LOWEST + any_free_port() % (HIGHEST - LOWEST - len(names))
    for offset in range(HIGHEST - LOWEST):
        first = LOWEST + (start - LOWEST + offset) % (HIGHEST - LOWEST)
        if all(_both_free(first + index) for index in range(len(names))):
            return {name: first + index for index, name in enumerate(names)}
    raise OSError(f"No {len(names)} neighbouring ports are free between {LOWEST} and {HIGHEST}.")


def _both_free(port: int) -> bool:
    return is_free(port) and is_free(port + GRPC_OFFSET)

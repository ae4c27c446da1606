"""Follows jobs in one thread: `python -m bench.watchers URL SECONDS JOB…`, with a connection for each JOB.

Prints how many connections were served, and the fewest and the most changes that one of them was told.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from urllib.parse import urlsplit


def watch(url: str, seconds: float, jobs: list[str]) -> list[int]:
    """Return how many changes each connection was told; -1 for one that was refused."""
    where = urlsplit(url)
    told = dict.fromkeys(range(len(jobs)), 0)
    with selectors.DefaultSelector() as selector:
        for number, job in enumerate(jobs):
            connection = socket.create_connection((where.hostname, where.port))
            connection.sendall(f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
            selector.register(connection, selectors.EVENT_READ, number)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                _read(selector, key, told)
    return list(told.values())


def _read(selector: selectors.BaseSelector, key: selectors.SelectorKey, told: dict[int, int]) -> None:
    connection: socket.socket = key.fileobj  # type: ignore[assignment]  # nothing else was registered
    data = connection.recv(65_536)
    if not data or data.startswith(b"HTTP/1.1 4"):
        told[key.data] = -1 if data else told[key.data]
        selector.unregister(connection)
        connection.close()
        return
    told[key.data] += data.count(b"event: update")


if __name__ == "__main__":
    counts = watch(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
    print(sum(count > 0 for count in counts), min(counts), max(counts))  # read by bench.farm_work

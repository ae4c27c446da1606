"""``python -m worker.health``: whether this machine's worker is alive, for whoever keeps it running."""

from __future__ import annotations

import socket
import sys

from farm.errors import TransientError
from farm.redis import connect_redis
from farm.settings import Settings, SettingsError, load_settings
from farm.workers import WorkerRegistry

ALIVE, SILENT, UNUSABLE = 0, 1, 2


def main() -> int:
    """Look for the card of a worker of this host; a container has a host name of its own, and one worker.

    A worker that waits for Redis counts as alive: starting it anew would bring Redis back no sooner.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201  # read by people and probes
        return UNUSABLE
    try:
        alive = is_alive(WorkerRegistry(connect_redis(settings)), settings, host=socket.gethostname())
    except TransientError as error:
        print(f"{error} The worker waits for it.", file=sys.stderr)  # noqa: T201
        return ALIVE
    if not alive:
        print("No worker of this host has been heard of in the last seconds.", file=sys.stderr)  # noqa: T201
    return ALIVE if alive else SILENT


def is_alive(workers: WorkerRegistry, settings: Settings, *, host: str) -> bool:
    """Tell whether the worker that the settings name is alive; where they name none, whether one of the host is."""
    wanted = settings.worker_id
    return any(worker.id == wanted if wanted else worker.host == host for worker in workers.list())


if __name__ == "__main__":
    raise SystemExit(main())

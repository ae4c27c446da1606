"""``python -m worker.ready``: whether this machine's worker has rendered its warm-up step, for probes."""

from __future__ import annotations

import socket
import sys

from farm.errors import TransientError
from farm.redis import connect_redis
from farm.settings import SettingsError, load_settings
from farm.workers import STARTING, WorkerRegistry

READY, NOT_READY, UNUSABLE = 0, 1, 2


def main() -> int:
    """Look at the card of the worker that the settings name; where they name none, at those of this host."""
    try:
        settings = load_settings()
    except SettingsError as error:
        return _said(str(error), UNUSABLE)
    host = socket.gethostname()
    try:
        workers = WorkerRegistry(connect_redis(settings)).list()
    except TransientError as error:
        return _said(str(error), NOT_READY)
    own = [one for one in workers if (one.id == settings.worker_id if settings.worker_id else one.host == host)]
    if not own:
        return _said(f"No worker {settings.worker_id or f'of {host}'} has been heard of lately.", NOT_READY)
    if all(one.device == STARTING for one in own):
        return _said("The worker has not rendered its warm-up step yet.", NOT_READY)
    return READY


def _said(text: str, status: int) -> int:
    print(text, file=sys.stderr)  # noqa: T201  # read by people and probes
    return status


if __name__ == "__main__":
    raise SystemExit(main())

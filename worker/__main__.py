"""``python -m worker``: start one worker, for one GPU or CPU slot."""

from __future__ import annotations

import socket
import sys
from importlib.util import find_spec

from ulid import ULID

from farm.pools import pool_name
from farm.queue import queue_name
from farm.settings import SettingsError, engine_library, load_settings, name_worker

EXTRAS = {"tensorflow": "dreamfarm[cpu] or dreamfarm[gpu]", "jax": "dreamfarm[jax]"}


def main(*extensions: str) -> int:
    """Check what can be checked without the engine, then hand over to Celery.

    `extensions` are further modules that the worker imports, where other kinds of renders can be registered.
    """
    name_worker(f"{socket.gethostname()}-{str(ULID())[-8:].lower()}")
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201  # logs are not set up yet
        return 2
    library = engine_library()
    if library not in EXTRAS or find_spec(library) is None:
        ways = "; ".join(f"with KERAS_BACKEND={name}, install {extra}" for name, extra in EXTRAS.items())
        print(f"The engine can't run on KERAS_BACKEND={library}: {ways}.", file=sys.stderr)  # noqa: T201
        return 2
    from worker.app import app  # noqa: PLC0415  # reads the settings that were just checked

    app.conf.include = [*app.conf.include, *extensions]
    app.worker_main(
        [
            "worker",
            "--pool=prefork",
            "--concurrency=1",
            f"--queues={queue_name(pool_name(settings.worker_tags))}",
            f"--hostname={settings.worker_id}@%h",
            f"--loglevel={settings.log_level}",
            "--without-gossip",
            "--without-mingle",
        ]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What runs in a worker's parent process: its card, the janitor, and the orderly end. No TensorFlow here."""

from __future__ import annotations

import os
import signal
import socket
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down

from dreamcore.version import __version__
from farm.errors import TransientError
from worker.app import services
from worker.janitor import Janitor
from worker.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT_EVERY_S = 2
JANITOR_EVERY_S = 1

log = structlog.get_logger()
stopping = threading.Event()
leaving = threading.Event()


@worker_init.connect
def on_init(**_: object) -> None:
    """Begin with an empty card, before the child writes on it; a worker that keeps its name may have left one."""
    _quietly(lambda: services.workers.begin(services.settings.worker_id))


@worker_ready.connect
def on_ready(**_: object) -> None:
    """Show the worker's card and start the janitor."""
    worker = services.settings.worker_id
    card: dict[str, str | int] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "version": __version__,
        "tags": ",".join(services.settings.worker_tags),
        "started_at": datetime.now(UTC).isoformat(),
    }
    janitor = Janitor(services, worker)
    _every(BEAT_EVERY_S, lambda: _beat(worker, card), name="heartbeat")
    _every(BEAT_EVERY_S, Watchdog(services, worker).look, name="watchdog")
    _every(JANITOR_EVERY_S, services.dispatch.ring, name="messages")
    _every(JANITOR_EVERY_S, janitor.round, name="janitor")
    _every(JANITOR_EVERY_S, janitor.make_jobs, name="batches")
    _every(JANITOR_EVERY_S, janitor.tell, name="webhooks")
    log.info("worker_ready", worker=worker)


@worker_shutting_down.connect
def on_shutting_down(**_: object) -> None:
    """Ask the child to hand its job back at its next step; end it where it doesn't in time.

    Celery's own soft shutdown sleeps through its whole time before it tells anybody. This worker is told at once, ends
    within a step, and is ended by force only after `soft_shutdown_s`.
    """
    leaving.set()
    deadline = threading.Timer(services.settings.soft_shutdown_s, os.kill, (os.getpid(), signal.SIGQUIT))
    deadline.daemon = True
    deadline.start()
    # A signal handler must not wait for Redis.
    threading.Thread(target=_drain, name="drain", daemon=True).start()


@worker_shutdown.connect
def on_shutdown(**_: object) -> None:
    """Take the worker's card away."""
    stopping.set()
    _quietly(lambda: services.workers.leave(services.settings.worker_id))


def _beat(worker: str, card: dict[str, str | int]) -> None:
    """Say that the worker is alive; end it where it was asked to drain."""
    services.workers.beat(worker, card)
    if services.workers.is_aside(worker):
        services.dispatch.leave(worker, services.settings.worker_tags)  # messages are for those that take jobs
    elif not leaving.is_set():
        services.dispatch.beat(worker, services.settings.worker_tags)
    if services.workers.is_to_leave(worker) and not leaving.is_set():
        leaving.set()
        os.kill(os.getpid(), signal.SIGTERM)


def _drain() -> None:
    _quietly(lambda: services.dispatch.leave(services.settings.worker_id, services.settings.worker_tags))
    _quietly(lambda: services.workers.drain(services.settings.worker_id))


def _every(seconds: float, call: Callable[[], None], *, name: str) -> None:
    def loop() -> None:
        _quietly(call)
        while not stopping.wait(seconds):
            _quietly(call)

    threading.Thread(target=loop, name=name, daemon=True).start()


def _quietly(call: Callable[[], None]) -> None:
    try:
        call()
    except TransientError as error:
        log.warning("store_away", reason=str(error))
    except Exception:
        log.exception("background_work_failed")

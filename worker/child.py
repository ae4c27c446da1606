"""What runs in a worker's child process at its start: the engine is loaded and warmed up before the first job comes."""

from __future__ import annotations

import sys

import structlog
from celery.signals import worker_process_init, worker_process_shutdown

from farm.errors import TransientError
from worker.app import services

SWITCH_S = 0.0005
"""How long the threads that store and report may keep the render from starting its next step."""

log = structlog.get_logger()


@worker_process_init.connect
def on_start(**_: object) -> None:
    """Load the engine and the default model, and say which device there is."""
    sys.setswitchinterval(SWITCH_S)
    from worker.warmup import about_engine, warm_up  # noqa: PLC0415  # TensorFlow stays out of the parent, which imports this

    device = warm_up(services.settings)
    log.info("renderer_ready", device=device)
    try:
        services.workers.note(services.settings.worker_id, **about_engine())
    except TransientError as error:
        log.warning("store_away", reason=str(error))


@worker_process_shutdown.connect
def on_end(**_: object) -> None:
    """Send the traces of what was rendered last."""
    services.traces.close()

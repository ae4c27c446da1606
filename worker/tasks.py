"""The one task: render what comes next."""

from __future__ import annotations

import structlog
from celery import Task

from farm.errors import TransientError
from farm.queue import RENDER_TASK
from worker.app import app, services
from worker.lease import leased

log = structlog.get_logger()


class RenderTask(Task):  # type: ignore[type-arg]  # not generic at run time
    """Remembers which network is loaded."""

    warm = ""


@app.task(bind=True, base=RenderTask, name=RENDER_TASK)
def render(self: RenderTask) -> None:
    """Render what the dispatcher gives; a message too many finds nothing to do."""
    try:
        with leased(services, worker=services.settings.worker_id, warm=self.warm) as leases:
            for lease in leases:
                services.dispatch.ring()  # for what waits behind it
                from worker.render import run_render  # noqa: PLC0415  # TensorFlow stays out of the parent

                with structlog.contextvars.bound_contextvars(job=lease.job.id, attempt=lease.fence.attempt):
                    self.warm = lease.job.spec.params["model"]
                    run_render(lease)
    except TransientError as error:
        log.warning("render_put_off", reason=str(error))

"""The one task: render what comes next."""

from __future__ import annotations

import structlog
from celery import Task

from farm.dispatch import Offer
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
    from worker import renders, room  # noqa: PLC0415  # TensorFlow stays out of the parent, which imports this

    settings = services.settings
    offer = Offer(settings.worker_tags, self.warm, *room.room(settings))
    try:
        with leased(services, offer, worker=settings.worker_id) as leases:
            if leases:
                services.dispatch.ring()  # for what waits behind them
                self.warm = leases[0].job.spec.params["model"]
                renders.run(leases)
    except TransientError as error:
        log.warning("render_put_off", reason=str(error))

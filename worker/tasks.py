"""The one task: render what comes next."""

from __future__ import annotations

import time

import structlog
from celery import Task

from farm.dispatch import Offer
from farm.errors import TransientError
from farm.queue import RENDER_TASK
from farm.traces import HEADER
from worker.app import app, services
from worker.lease import leased

TURN_S = 1.0
"""A message is good for all that can be begun in so long: small jobs need not wait for one each."""

ASIDE_S = 1.0
"""How long a worker that is set aside leaves messages to the others."""

log = structlog.get_logger()


class RenderTask(Task):  # type: ignore[type-arg]  # not generic at run time
    """Remembers which network is loaded."""

    warm = ""

    def render_next(self, message: str = "") -> bool:
        """Render what the dispatcher gives; False where there is nothing to do."""
        from worker import renders, room  # noqa: PLC0415  # TensorFlow stays out of the parent, which imports this

        settings = services.settings
        offer = Offer(settings.worker_tags, self.warm, *room.room(settings))
        with leased(services, offer, worker=settings.worker_id, message=message) as leases:
            if leases:
                services.dispatch.ring()  # for what waits behind them
                self.warm = leases[0].job.spec.params["model"]
                renders.run(leases)
            elif services.workers.is_aside(settings.worker_id):
                time.sleep(ASIDE_S)
        return bool(leases)


@app.task(bind=True, base=RenderTask, name=RENDER_TASK)
def render(self: RenderTask) -> None:
    """Render for a while; a message too many finds nothing to do."""
    until = time.monotonic() + TURN_S
    told = {"messaging.system": "celery", "dreamfarm.worker": services.settings.worker_id}
    turn = services.traces.start("turn", told, kind="consumer", parent=self.request.get(HEADER) or "")
    try:
        while self.render_next(turn.context) and time.monotonic() < until:
            pass
    except TransientError as error:
        log.warning("render_put_off", reason=str(error))
    finally:
        turn.end()

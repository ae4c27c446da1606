"""The one task: render an attempt of a job."""

from __future__ import annotations

import structlog
from celery import Task
from celery.exceptions import Reject

from farm.errors import TransientError
from farm.queue import RENDER_TASK
from worker.app import app, services
from worker.lease import leased

log = structlog.get_logger()


class RenderTask(Task):  # type: ignore[type-arg]  # not generic at run time
    """Puts the job on every log line; gives the message back where the farm's own servers are away."""

    def __call__(self, job_id: str, attempt: int) -> None:
        """Run the task."""
        with structlog.contextvars.bound_contextvars(job=job_id, attempt=attempt):
            try:
                self.run(job_id, attempt)
            except TransientError as error:
                log.warning("render_put_off", reason=str(error))
                raise Reject(str(error), requeue=True) from error


@app.task(bind=True, base=RenderTask, name=RENDER_TASK)
def render(self: RenderTask, job_id: str, attempt: int) -> None:
    """Render one attempt; a second delivery of it does nothing."""
    worker = services.settings.worker_id
    tag = (self.request.properties or {}).get("delivery_tag")
    with leased(services, job_id, attempt, worker=worker, delivery_tag=tag) as lease:
        if lease is None:
            return  # somebody else owns it, or it is finished: at-least-once delivery made harmless
        from worker.render import run_render  # noqa: PLC0415  # TensorFlow stays out of the parent, which imports this

        run_render(lease)

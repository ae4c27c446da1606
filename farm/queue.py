"""The message queue: Celery on Redis. A message says that there is work, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from farm.traces import HEADER, Traces, caller

if TYPE_CHECKING:
    from farm.settings import Settings

QUEUE = "renders"
RENDER_TASK = "farm.render"
RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}

log = structlog.get_logger()


def make_celery(settings: Settings, *, include: tuple[str, ...] = ()) -> Celery:
    """Return the Celery application; the api sends with it, the workers run it.

    A message is forgotten as soon as a worker has it: what it was sent for stands in the record. One that comes twice
    finds nothing to do, and one that is lost is made up for within a second.
    """
    app = Celery("dreamfarm", broker=broker_url(settings), include=list(include))
    app.conf.update(
        task_default_queue=QUEUE,
        task_default_priority=0,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=120,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,  # nobody commands a worker by way of the broker
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(),
    )
    return app


def broker_url(settings: Settings) -> str:
    """Return Redis' address for the queue, whose library checks no certificate unless it is told to."""
    url = settings.redis_url
    if url.scheme != "rediss" or "ssl_cert_reqs" in dict(url.query_params()):
        return str(url)
    return f"{url}{'&' if url.query else '?'}ssl_cert_reqs=required"


def _transport_options() -> dict[str, Any]:
    return {
        "priority_steps": [0],
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }


class RenderQueue:
    """Tells workers that there is work."""

    def __init__(self, celery: Celery, traces: Traces | None = None) -> None:
        self.celery = celery
        self.traces = traces or Traces()

    def ring(self, pool: str, times: int) -> None:
        """Send messages to a pool of workers; where the broker is away, every worker tries again each second."""
        try:
            for _ in range(times):
                self._send(queue_name(pool))
        except (OperationalError, OSError):
            log.warning("message_not_sent", pool=pool)

    def _send(self, queue: str) -> None:
        told = {"messaging.system": "celery", "messaging.destination.name": queue}
        span = self.traces.start(f"send {queue}", told, kind="producer", parent=caller.get())
        try:
            self.celery.send_task(
                RENDER_TASK,
                queue=queue,
                headers={HEADER: span.context} if span.context else None,
                retry=True,
                retry_policy=RETRY_POLICY,
                ignore_result=True,
            )
        finally:
            span.end()


def queue_name(pool: str) -> str:
    """Return where a pool's messages wait."""
    return f"{QUEUE}.{pool}" if pool else QUEUE

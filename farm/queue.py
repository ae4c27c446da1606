"""The message queue: Celery on Redis, set up for renders that take minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from farm.redis import redis_errors

if TYPE_CHECKING:
    from farm.redis import TextRedis
    from farm.settings import Settings

QUEUE = "renders"
RENDER_TASK = "farm.render"
UNACKED = "unacked"
UNACKED_INDEX = "unacked_index"

log = structlog.get_logger()


def make_celery(settings: Settings, *, include: tuple[str, ...] = ()) -> Celery:
    """Return the Celery application; the api sends with it, the workers run it.

    The visibility timeout decides nothing: a message that comes twice is refused by the attempt's fence, and one that
    is lost is sent again by the janitor. It is kept short all the same, and renewed while a render runs.
    """
    app = Celery("dreamfarm", broker=str(settings.redis_url), include=list(include))
    app.conf.update(
        task_default_queue=QUEUE,
        task_default_priority=0,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=120,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(),
    )
    return app


def _transport_options() -> dict[str, Any]:
    return {
        "priority_steps": [0],
        "visibility_timeout": 120,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }


class RenderQueue:
    """Sends the message of a render: the job's id and the attempt's number, nothing else."""

    def __init__(self, celery: Celery, redis: TextRedis) -> None:
        self.celery = celery
        self.redis = redis

    def send(self, job_id: str, attempt: int) -> bool:
        """Send the message; False when the broker is away, and then the janitor sends it later."""
        try:
            self.celery.send_task(
                RENDER_TASK, args=[job_id, attempt], retry=True, retry_policy={"max_retries": 1, "interval_start": 0.1}
            )
        except (OperationalError, OSError):
            log.warning("message_not_sent", job=job_id, attempt=attempt)
            return False
        return True

    @redis_errors()
    def depth(self) -> int:
        """Return how many messages the broker holds, waiting or with a worker."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.llen(QUEUE)
            pipe.hlen(UNACKED)
            return sum(int(count) for count in pipe.execute())

    @redis_errors()
    def renew(self, delivery_tag: str) -> None:
        """Keep a message that is being worked on from being delivered again."""
        self.redis.zadd(UNACKED_INDEX, {delivery_tag: time.time()}, xx=True)

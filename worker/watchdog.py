"""Ends a worker that has been given a message and begins nothing, so that whoever keeps it starts it anew."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import psutil
import structlog
from celery.worker import state as consumer

if TYPE_CHECKING:
    from farm.services import Services

EXIT_STATUS = 70
"""Of a program that found itself broken, by sysexits.h."""

log = structlog.get_logger()


class Watchdog:
    """Looks from the parent at a child that should be at work.

    A message is held by the child until it has ended what it began; while it renders, the worker's card names the job.
    A child that holds a message and names none for long is stuck: stopped, or waiting for what never comes.
    """

    def __init__(self, services: Services, worker: str) -> None:
        self.services = services
        self.worker = worker
        self.since: float | None = None

    def look(self) -> None:
        """End the worker if it has been stuck for too long."""
        if not self._seems_stuck():
            self.since = None
            return
        self.since = self.since or time.monotonic()
        stuck_s = time.monotonic() - self.since
        if stuck_s > self.services.settings.wedged_s:
            log.error("worker_wedged", worker=self.worker, stuck_s=round(stuck_s))
            end_at_once()

    def _seems_stuck(self) -> bool:
        card = self.services.workers.card(self.worker)
        return bool(consumer.reserved_requests) and "device" in card and not card.get("job")


def end_at_once() -> None:
    """End this process and its children, which may not be able to listen."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(EXIT_STATUS)

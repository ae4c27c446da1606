"""Puts right what died half-way. Every worker runs one; a lock lets one at a time work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from farm import keys
from farm.errors import FarmError

if TYPE_CHECKING:
    from farm.services import Services

LOCK_LIFE_MS = 5_000
RELAY_LOCK_LIFE_MS = 60_000
TIDY_AFTER_S = 30
"""Time for a canceled job's worker to notice, and to write no more."""

JOBS_PER_ROUND = 100
EXPAND_S = 2.0
"""Time for making a batch's jobs in one round: less than the lock's life."""

log = structlog.get_logger()


class Janitor:
    """Takes lapsed jobs from dead workers, tidies up, makes batches' jobs."""

    def __init__(self, services: Services, worker: str, *, tidy_after_s: float = TIDY_AFTER_S) -> None:
        self.services = services
        self.worker = worker
        self.tidy_after_s = tidy_after_s

    def round(self) -> None:
        """Do what there is to do, if no other janitor is at it; what a server refuses is left for the next round."""
        try:
            if self.services.store.hold_lock(keys.JANITOR_LOCK, self.worker, life_ms=LOCK_LIFE_MS):
                self.reap()
                self.tidy()
                self.expire()
                self.services.history.note()
        except FarmError as error:
            log.warning("janitor_waits", reason=str(error))

    def make_jobs(self) -> None:
        """Make batches' jobs, if no other janitor is at it; pictures that are fetched for it may take their time."""
        try:
            if self.services.store.hold_lock(keys.EXPANDER_LOCK, self.worker, life_ms=LOCK_LIFE_MS):
                self.services.batches.expand_some(seconds=EXPAND_S)
        except FarmError as error:
            log.warning("batches_wait", reason=str(error))

    def tell(self) -> None:
        """Deliver webhooks, if no other janitor is at it; endpoints may take their time."""
        try:
            if self.services.store.hold_lock(keys.RELAY_LOCK, self.worker, life_ms=RELAY_LOCK_LIFE_MS):
                self.services.relay.round()
        except FarmError as error:
            log.warning("webhooks_wait", reason=str(error))

    def reap(self) -> None:
        """Take every job whose lease has run out back from its worker."""
        for job in self.services.store.lapsed():
            outcome = self.services.jobs.lose(job, max_attempts=self.services.settings.max_attempts)
            log.warning("attempt_lost", job=job.id, attempt=job.attempt, outcome=outcome)

    def tidy(self) -> None:
        """Drop what ended jobs left behind."""
        for job_id in self.services.store.untidy(int(self.tidy_after_s * 1000), JOBS_PER_ROUND):
            self.services.jobs.tidy(job_id)

    def expire(self) -> None:
        """Remove results that were kept for as long as was asked."""
        for job_id in self.services.store.expiring(JOBS_PER_ROUND):
            self.services.jobs.expire(job_id)

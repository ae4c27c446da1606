"""The right to work on a job, and the only door through which an attempt writes."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import structlog

from farm import change
from farm.change import Fence, Outcome
from farm.errors import LeaseLostError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farm.change import Applied
    from farm.record import JobRecord
    from farm.schema import ErrorView, ProgressView
    from farm.services import Services

RENEWALS_PER_LEASE = 4

log = structlog.get_logger()


class Lease:
    """An attempt's hold on a job. Every write through it is refused once the hold is lost."""

    def __init__(self, services: Services, job: JobRecord, fence: Fence, *, worker: str) -> None:
        self.services = services
        self.job = job
        self.fence = fence
        self.worker = worker
        self.draining = False
        self.lost = threading.Event()

    @classmethod
    def claim(cls, services: Services, job_id: str, attempt: int, *, worker: str) -> Self | None:
        """Begin the attempt; None when it is not to be had: begun, finished, canceled, or gone."""
        token = uuid4().hex
        lease_ms = int(services.settings.lease_s * 1000)
        applied = services.store.apply(
            change.claim(job_id, attempt=attempt, token=token, worker=worker, lease_ms=lease_ms)
        )
        if applied.outcome is not Outcome.OK:
            log.info("attempt_refused", outcome=applied.outcome, state=applied.state)
            return None
        return cls(services, services.store.get(job_id), Fence(attempt, token), worker=worker)

    def should_stop(self) -> bool:
        """Tell between two steps whether to stop: the hold is lost, the job canceled, or the worker draining."""
        return self.lost.is_set() or self.draining

    def report(self, progress: ProgressView) -> None:
        """Write progress.

        Raises
        ------
        LeaseLostError
            The job is canceled, or somebody else's.
        TransientError
            The store is away.
        """
        self.write({"progress": progress.model_dump_json()})

    def look(self) -> None:
        """Learn whether to go on, and write nothing; raises as `report` does."""
        hold = self.services.store.hold(self.job.id, token=self.fence.token, worker=self.worker)
        if not hold.held:
            self.lost.set()
            raise LeaseLostError("The job was canceled, or is somebody else's by now.")
        self.draining = self.draining or hold.draining

    def write(self, fields: dict[str, str | int]) -> None:
        """Write fields of the running attempt's record."""
        self._checked(self.services.store.apply(change.report(self.job.id, self.fence, fields), worker=self.worker))

    def succeed(self, *, output: str, progress: ProgressView, notices: Sequence[str] = ()) -> None:
        """Commit the result; of the notices those that the job has not had from the start."""
        own = [notice for notice in notices if notice not in self.job.spec.notices]
        done = change.succeed(self.job.id, self.fence, output=output, progress=progress.model_dump_json(), notices=own)
        self._checked(self.services.store.apply(done))

    def fail(self, error: ErrorView) -> None:
        """End the job with an error."""
        self._checked(self.services.store.apply(change.fail(self.job.id, self.fence, error=error.model_dump_json())))

    def hand_back(self) -> None:
        """Put the job back into the queue."""
        self._checked(self.services.jobs.hand_back(self.job.id, self.fence))

    def renew(self) -> None:
        """Lengthen the hold; when it is gone, say so to the renderer. A store that is away is asked again later."""
        try:
            held = self.services.store.renew(
                self.job.id, token=self.fence.token, lease_ms=int(self.services.settings.lease_s * 1000)
            )
        except TransientError:
            return
        if not held:
            self.lost.set()

    def _checked(self, applied: Applied) -> None:
        if applied.outcome is not Outcome.OK:
            self.lost.set()
            raise LeaseLostError(f"The job is {applied.state}; attempt {self.fence.attempt} no longer owns it.")
        self.draining = self.draining or applied.draining


@contextmanager
def leased(
    services: Services, job_id: str, attempt: int, *, worker: str, delivery_tag: str | None = None
) -> Iterator[Lease | None]:
    """Hold the job while the body runs, and keep its message from being delivered again; None if it can't be had."""
    lease = Lease.claim(services, job_id, attempt, worker=worker)
    if lease is None:
        yield None
        return
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lease, delivery_tag, done), name="lease", daemon=True)
    keeper.start()
    _note_job(services, worker, job_id)
    try:
        yield lease
    finally:
        done.set()
        keeper.join()
        _note_job(services, worker, "")


def _keep(lease: Lease, delivery_tag: str | None, done: threading.Event) -> None:
    while not done.wait(lease.services.settings.lease_s / RENEWALS_PER_LEASE):
        lease.renew()
        if delivery_tag is not None:
            _renew_message(lease.services, delivery_tag)


def _renew_message(services: Services, delivery_tag: str) -> None:
    try:
        services.queue.renew(delivery_tag)
    except TransientError:
        log.warning("message_not_renewed")


def _note_job(services: Services, worker: str, job_id: str) -> None:
    try:
        services.workers.note(worker, job=job_id)
    except TransientError:
        log.warning("worker_card_not_written")

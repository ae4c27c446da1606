"""The right to work on a job, and the only door through which an attempt writes."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from dreamcore.version import __version__
from farm import change
from farm.change import Outcome
from farm.errors import LeaseLostError, TransientError
from farm.result_cache import cache_key
from worker.attempt_trace import AttemptTrace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farm.change import Applied, Fence
    from farm.dispatch import Offer
    from farm.record import JobRecord
    from farm.schema import ErrorView, ProgressView
    from farm.services import Services

RENEWALS_PER_LEASE = 4
WORKERS_OWN = frozenset({"internal_error", "out_of_memory", "weights_unavailable", "bad_model_file"})
"""Codes of errors that another worker may not meet."""

log = structlog.get_logger()


class Lease:
    """An attempt's hold on a job. Every write through it is refused once the hold is lost."""

    def __init__(self, services: Services, job: JobRecord, fence: Fence, *, worker: str, message: str = "") -> None:
        self.services = services
        self.job = job
        self.fence = fence
        self.worker = worker
        self.draining = False
        self.lost = threading.Event()
        self.trace = AttemptTrace(services.traces, job, worker=worker, link=message)
        self.log = log.bind(job=job.id, attempt=fence.attempt)

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
        began = self.job.checkpoint.engine if self.job.checkpoint else __version__
        key = cache_key(self.job.spec) if began == __version__ else None
        own = [notice for notice in notices if notice not in self.job.spec.notices]
        done = change.succeed(
            self.job.id, self.fence, output=output, progress=progress.model_dump_json(), notices=own, cache_key=key
        )
        self._checked(self.services.store.apply(done), outcome="succeeded")

    def fail(self, error: ErrorView) -> None:
        """End the job with an error; one that may be this worker's own fault leaves it to another worker, once."""
        doubtful = error.code in WORKERS_OWN and all(one.outcome != "failed" for one in self.job.attempts)
        if doubtful and self.services.dispatch.has_others(self.worker, self.job.spec.needs):
            self.log.warning("render_left_to_others", code=error.code)
            left = self.services.jobs.leave_to_others(self.job.id, self.fence, worker=self.worker, code=error.code)
            self._checked(left, outcome="left_to_others")
            return
        failed = self.services.store.apply(change.fail(self.job.id, self.fence, error=error.model_dump_json()))
        self._checked(failed, outcome="failed")
        self.log.warning("job_failed", code=error.code, reason=error.message)

    def hand_back(self) -> None:
        """Put the job back into the queue."""
        self._checked(self.services.jobs.hand_back(self.job.id, self.fence), outcome="handed_back")

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

    def _checked(self, applied: Applied, *, outcome: str = "") -> None:
        if applied.outcome is not Outcome.OK:
            self.lost.set()
            raise LeaseLostError(f"The job is {applied.state}; attempt {self.fence.attempt} no longer owns it.")
        self.draining = self.draining or applied.draining
        self.trace.outcome = outcome or self.trace.outcome


@contextmanager
def leased(services: Services, offer: Offer | None = None, *, worker: str, message: str = "") -> Iterator[list[Lease]]:
    """Take the worker's next jobs, and hold them while the body runs; none where there is nothing to do.

    `message` is the trace's context of what called the worker.
    """
    claims = services.dispatch.claim(worker, offer, lease_ms=int(services.settings.lease_s * 1000))
    leases = [Lease(services, job, fence, worker=worker, message=message) for job, fence in claims]
    if not leases:
        yield leases
        return
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(leases, done), name="lease", daemon=True)
    keeper.start()
    _note_job(services, worker, leases[0].job.id)
    try:
        yield leases
    finally:
        done.set()
        keeper.join()
        for lease in leases:
            lease.trace.end()
        _note_job(services, worker, "")


def _keep(leases: list[Lease], done: threading.Event) -> None:
    while not done.wait(leases[0].services.settings.lease_s / RENEWALS_PER_LEASE):
        for lease in leases:
            lease.renew()


def _note_job(services: Services, worker: str, job_id: str) -> None:
    try:
        services.workers.note(worker, job=job_id)
    except TransientError:
        log.warning("worker_card_not_written")

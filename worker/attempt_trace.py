"""An attempt's part of its job's trace: the wait for it, the attempt, and each of its octaves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from farm.traces import NOTHING

if TYPE_CHECKING:
    from farm.record import JobRecord
    from farm.traces import Traces

FAILED = frozenset({"failed", "left_to_others"})


class AttemptTrace:
    """Spans of one attempt; they belong to the trace of the call that made the job.

    Parameters
    ----------
    link : the context of the message that called the worker.
    """

    def __init__(self, traces: Traces, job: JobRecord, *, worker: str, link: str = "") -> None:
        told: dict[str, str | int] = {"dreamfarm.job": job.id, "dreamfarm.attempt": job.attempt}
        told["dreamfarm.worker"] = worker
        self.traces = traces
        self.outcome = "abandoned"
        self._attempt = traces.start("attempt", told, parent=job.spec.trace, link=link)
        self._octave = NOTHING
        self._at = (0, 0)
        self._last_ns = time.time_ns()

    def step(self, octave: int, *, frame: int = 0) -> None:
        """Note that a step is done; an octave begins when the one before has ended."""
        if not self.traces.on:
            return
        if (octave, frame) != self._at:
            self._octave.end()
            told = {"dreamfarm.octave": octave} | ({"dreamfarm.frame": frame} if frame else {})
            self._octave = self.traces.start(
                f"octave {octave}", told, parent=self._attempt.context, began_ns=self._last_ns
            )
            self._at = (octave, frame)
        self._last_ns = time.time_ns()

    def end(self) -> None:
        """Note how the attempt ended."""
        self._octave.end()
        self._attempt.end({"dreamfarm.outcome": self.outcome}, failed=self.outcome in FAILED)

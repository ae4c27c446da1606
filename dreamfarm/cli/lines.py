"""Progress in lines, where there is no terminal to draw bars on: a log, a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import TaskID

from dreamfarm.cli.output import counts_text, duration_text, loss_text, octave_text
from farm.batch_schema import BatchView
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from farm.schema import EventView, JobView

TENTHS = 10


class Lines:
    """Tells of each change of state, each octave, each tenth of a batch; a context manager as bars are."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._labels: list[str] = []
        self._told: dict[int, object] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the lines."""

    def add(self, label: str) -> TaskID:
        """Add what is to be told of."""
        self._labels.append(label)
        return TaskID(len(self._labels) - 1)

    def show(self, row: TaskID, thing: JobView | EventView | BatchView) -> None:
        """Tell how far it is, unless the last line says about the same."""
        mark, text = _batch(thing) if isinstance(thing, BatchView) else _job(thing)
        if self._told.get(row) != mark:
            self._told[row] = mark
            self._say(f"{self._labels[row]}: {text}")


def _batch(batch: BatchView) -> tuple[object, str]:
    left = f", {duration_text(batch.eta_s)} left" if batch.eta_s else ""
    return int(batch.fraction * TENTHS), f"{batch.fraction:.0%} of {batch.total}: {counts_text(batch)}{left}"


def _job(job: JobView | EventView) -> tuple[object, str]:
    progress = job.progress
    if job.state is not JobState.RUNNING:
        return job.state, job.state.value
    loss = f", loss {loss_text(progress.loss)}" if progress.loss is not None else ""
    left = f", {duration_text(progress.eta_s)} left" if progress.eta_s else ""
    return (progress.frame, progress.octave), f"{octave_text(progress) or 'starting'}{loss}{left}"

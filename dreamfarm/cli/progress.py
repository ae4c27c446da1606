"""Live progress bars, one per picture, drawn on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from dreamfarm.cli.output import STATE_STYLES, duration_text, loss_text, octave_text
from farm.states import TERMINAL, JobState

if TYPE_CHECKING:
    from types import TracebackType

    from farm.schema import ProgressView

MARKS = {
    JobState.QUEUED: "…",
    JobState.RUNNING: "▶",
    JobState.SUCCEEDED: "✓",
    JobState.FAILED: "✗",
    JobState.CANCELED: "■",
    JobState.EXPIRED: "∅",
}
LONGEST_LABEL = 32


class Bars:
    """Progress bars; a context manager that owns the terminal's last lines."""

    def __init__(self, *, hidden: bool = False) -> None:
        self._bars = Progress(
            TextColumn("{task.fields[mark]}"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[octave]}", style="dim"),
            TextColumn("{task.fields[loss]}", style="dim"),
            TextColumn("{task.fields[eta]}", style="dim"),
            console=Console(stderr=True),
            disable=hidden,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def add(self, label: str) -> TaskID:
        """Add a bar."""
        short = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
        return self._bars.add_task(short, total=1.0, mark=_mark(JobState.QUEUED), octave="queued", loss="", eta="")

    def show(self, bar: TaskID, state: JobState, progress: ProgressView) -> None:
        """Draw how far a render is."""
        resting = state in TERMINAL
        self._bars.update(
            bar,
            completed=1.0 if state is JobState.SUCCEEDED else progress.fraction,
            mark=_mark(state),
            octave=(octave_text(progress) or "starting") if state is JobState.RUNNING else state.value,
            loss="" if progress.loss is None else f"loss {loss_text(progress.loss)}",
            eta="" if resting or progress.eta_s is None else f"{duration_text(progress.eta_s)} left",
        )


def _mark(state: JobState) -> str:
    return f"[{STATE_STYLES[state]}]{MARKS[state]}[/]"

"""Live progress bars, one per picture, drawn on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.text import Text

from dreamfarm.cli.output import STATE_STYLES, duration_text, loss_text, octave_text
from dreamfarm.cli.terminal import can_show, half_blocks
from farm.batch_schema import BatchView
from farm.states import TERMINAL, JobState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from PIL import Image
    from rich.console import RenderableType

    from farm.schema import EventView, JobView, ProgressView

MARKS = {
    JobState.QUEUED: "…",
    JobState.RUNNING: "▶",
    JobState.SUCCEEDED: "✓",
    JobState.FAILED: "✗",
    JobState.CANCELED: "■",
    JobState.EXPIRED: "∅",
}
LONGEST_LABEL = 32
SPARE_ROWS = 2
RUNNING, WAITING, RESTING = range(3)


class _PicturedBars(Progress):
    """Bars below a picture; where there are more than fit, those at work go first."""

    picture: RenderableType | None = None
    screen: Console | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield what is drawn, from top to bottom."""
        if self.picture is not None:
            yield self.picture
        tasks, room = self.tasks, self.screen.height - SPARE_ROWS if self.screen else 0
        if len(tasks) <= max(1, room):
            yield self.make_tasks_table(tasks)
            return
        yield self.make_tasks_table(sorted(tasks, key=lambda task: task.fields["rank"])[:room])
        resting = sum(task.fields["rank"] == RESTING for task in tasks)
        yield Text(f"… and {len(tasks) - room} more; {resting} of {len(tasks)} are done.", style="dim")


class Bars:
    """Progress bars; a context manager that owns the terminal's last lines.

    Parameters
    ----------
    hidden : draw nothing.
    console : where to draw; None: on stderr.
    pictures : draw what is dreamt above the bars, where the terminal can.
    """

    def __init__(self, *, hidden: bool = False, pictures: bool = False, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._has_pictures = pictures and can_show(self._console)
        self._bars = _PicturedBars(
            TextColumn("{task.fields[mark]}"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[octave]}", style="dim"),
            TextColumn("{task.fields[loss]}", style="dim"),
            TextColumn("{task.fields[eta]}", style="dim"),
            console=self._console,
            disable=hidden,
        )
        self._bars.screen = self._console

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.picture = None
        self._bars.stop()

    def picture(self, image: Image.Image) -> None:
        """Draw a picture above the bars, in the place of the one before, until the bars end."""
        if self._has_pictures:
            self._bars.picture = half_blocks(image, self._console)

    @property
    def are_alive(self) -> bool:
        """Whether they can be drawn over and over: in a terminal alone."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def add(self, label: str) -> TaskID:
        """Add a bar."""
        short = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
        fields: dict[str, Any] = {"octave": "queued", "loss": "", "eta": "", "rank": WAITING}
        return self._bars.add_task(short, total=1.0, mark=_mark(JobState.QUEUED), **fields)

    def show(self, bar: TaskID, thing: JobView | EventView | BatchView) -> None:
        """Draw how far a job or a batch is."""
        if isinstance(thing, BatchView):
            self._show_batch(bar, thing)
        else:
            self.show_progress(bar, thing.state, thing.progress)

    def show_progress(self, bar: TaskID, state: JobState, progress: ProgressView) -> None:
        """Draw how far a render is."""
        resting = state in TERMINAL
        self._bars.update(
            bar,
            completed=1.0 if state is JobState.SUCCEEDED else progress.fraction,
            mark=_mark(state),
            octave=(octave_text(progress) or "starting") if state is JobState.RUNNING else state.value,
            loss="" if progress.loss is None else f"loss {loss_text(progress.loss)}",
            eta="" if resting or progress.eta_s is None else f"{duration_text(progress.eta_s)} left",
            rank=RESTING if resting else RUNNING if state is JobState.RUNNING else WAITING,
        )

    def _show_batch(self, bar: TaskID, batch: BatchView) -> None:
        active = batch.state == "active"
        ended = JobState.FAILED if batch.counts.get("failed") else JobState.SUCCEEDED
        self._bars.update(
            bar,
            completed=batch.fraction,
            mark=_mark(JobState.RUNNING if active else ended),
            octave=_counts(batch),
            eta=f"{duration_text(batch.eta_s)} left" if active and batch.eta_s else "",
            rank=RUNNING if active else RESTING,
        )


def _counts(batch: BatchView) -> str:
    """Return how many jobs are in which state, by their marks; what is done goes first."""
    counts = [(JobState(state), n) for state, n in batch.counts.items() if n]
    done_first = sorted(counts, key=lambda one: list(MARKS).index(one[0]), reverse=True)
    return "  ".join(f"{_mark(state)} {n:,}" for state, n in done_first)


def _mark(state: JobState) -> str:
    return f"[{STATE_STYLES[state]}]{MARKS[state]}[/]"

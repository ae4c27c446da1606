"""What commands print: data on stdout, everything that is for people alone on stderr."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from farm.batch_schema import BatchView
    from farm.schema import ProgressView, View

STATE_STYLES = {
    JobState.QUEUED: "cyan",
    JobState.RUNNING: "blue",
    JobState.SUCCEEDED: "green",
    JobState.FAILED: "red",
    JobState.CANCELED: "yellow",
    JobState.EXPIRED: "dim",
}

WIDEST = 10_000
"""Characters; no table needs more."""
MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400


def print_error(message: str) -> None:
    """Tell a person what went wrong, in one red line."""
    _print_line(Text(" ".join(message.split()), style="red"))


def print_note(message: str, *, style: str = "") -> None:
    """Tell a person something that is no data."""
    _print_line(Text(message, style=style))


def _print_line(text: Text) -> None:
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)


def print_rich(content: RenderableType) -> None:
    """Print what a person asked to see."""
    Console(highlight=False).print(content)


def print_records(records: Sequence[dict[str, str]], *, spare: Sequence[str], folding: Sequence[str]) -> None:
    """Print records that have the same keys as a table; where it is too wide, without its `spare` columns, first first.

    Columns that are empty are left out.
    """
    console = Console(highlight=False)
    roomy = console.options.update(max_width=WIDEST)
    names = [name for name in records[0] if any(one[name] for one in records)]
    order = [name for name in spare if name in names]
    for dropped in count():
        shown = [name for name in names if name not in order[:dropped]]
        rows = table(*shown, folding=folding if dropped == len(order) else ())
        for one in records:
            rows.add_row(*(one[name] for name in shown))
        if dropped == len(order) or console.measure(rows, options=roomy).maximum <= console.width:
            break
    console.print(rows)
    if dropped:
        print_note(f"Not shown for lack of room: {', '.join(order[:dropped])}. --json has all.", style="dim")


def print_json(data: View | Sequence[View] | dict[str, Any] | list[Any]) -> None:
    """Print JSON for programs, and nothing around it."""
    plain = _plain(data)
    typer.echo(json.dumps(plain, indent=2, ensure_ascii=False))


def print_json_line(data: dict[str, Any]) -> None:
    """Print one line of a stream of JSON."""
    typer.echo(json.dumps(data, ensure_ascii=False))


def _plain(data: Any) -> Any:
    if hasattr(data, "model_dump"):
        return data.model_dump(mode="json")
    return [_plain(item) for item in data] if isinstance(data, (list, tuple)) else data


def table(*columns: str, numbers: Sequence[str] = (), folding: Sequence[str] = ()) -> Table:
    """Return an empty table; the columns in `numbers` are flush right, those in `folding` give way."""
    empty = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        side: Literal["left", "right"] = "right" if column in numbers else "left"
        empty.add_column(column, justify=side, overflow="fold", no_wrap=column not in folding)
    return empty


def state_text(state: JobState) -> Text:
    """Return a state in its colour."""
    return Text(state.value, style=STATE_STYLES[state])


def octave_text(progress: ProgressView) -> str:
    """Return how far a render is, in words."""
    if not progress.octave:
        return ""
    frame = f"frame {progress.frame}/{progress.frames} " if progress.frames else ""
    return f"{frame}octave {progress.octave}/{progress.octaves} step {progress.step}/{progress.steps}"


def counts_text(batch: BatchView) -> str:
    """Return how many of a batch's jobs are in which state, in words."""
    return ", ".join(f"{n:,} {state}" for state, n in batch.counts.items() if n) or "none left"


def loss_text(loss: float | None) -> str:
    """Return an objective's value with four digits or more, never as a power of ten where it is large."""
    if loss is None:
        return ""
    return f"{loss:,.0f}" if abs(loss) >= 1000 else f"{loss:.4g}"  # noqa: PLR2004  # where four digits end


def duration_text(seconds: float | None) -> str:
    """Return a duration as people say it: 0.4 s, 12 s, 3 min, 2 h, 5 d."""
    if seconds is None:
        return ""
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004  # three digits at most
    for limit, unit_s, unit in ((HOUR_S, MINUTE_S, "min"), (DAY_S, HOUR_S, "h")):
        if seconds < limit:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds / DAY_S:.0f} d"


def age_text(moment: datetime) -> str:
    """Return how long ago something was."""
    return f"{duration_text(max(0.0, (datetime.now(UTC) - moment).total_seconds()))} ago"

"""Several jobs and batches followed at once."""

from __future__ import annotations

import time
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.lines import Lines
from dreamfarm.cli.output import print_error, print_json_line, print_note
from dreamfarm.cli.progress import Bars
from farm.batch_schema import BatchView
from farm.schema import EventView, JobView
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dreamfarm.client import Farm

    Change = tuple[str, EventView | BatchView | Exception | None]

Thing = TypeVar("Thing", JobView, BatchView, JobView | BatchView)

POLL_S = 0.5
MOST_NAMED = 8


def follow(
    farm: Farm,
    things: Sequence[Thing],
    *,
    as_json_lines: bool = False,
    say: Callable[[str], object] = print_note,
) -> list[Thing]:
    """Show the progress of jobs and batches until all of them are at rest, and return them as they are then.

    Where there is no terminal to draw bars on, it is said line by line.

    Raises
    ------
    FarmError
        The farm refused, or was away for too long; what had happened until then was shown.
    """
    with _display(say, as_json_lines=as_json_lines) as display:
        rows = {thing.id: display.add(thing.name or thing.id) for thing in things}
        for thing in things:
            display.show(rows[thing.id], thing)
        for thing_id, change in _changes(farm, things):
            display.show(rows[thing_id], change)
            if as_json_lines:
                print_json_line({"id": thing_id, **_plain(change)})
    return [farm.get(thing.id) if isinstance(thing, JobView) else farm.batch(thing.id) for thing in things]


@contextmanager
def left_at_work(ids: Sequence[str], *, url: str | None = None, folder: Path | None = None) -> Iterator[None]:
    """Tell, where Ctrl-C ends the watching, how to go on with it and how to fetch what is done.

    Raises
    ------
    CommandError
        With the code of Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        what = " ".join(ids) if len(ids) <= MOST_NAMED else "IDS"
        where = f" --url {url}" if url else ""
        to = f" -o {folder}" if folder else ""
        detail = f"The farm goes on. To watch: dreamfarm watch {what}{where}; to fetch: dreamfarm get {what}{to}{where}"
        raise CommandError(detail, ExitCode.INTERRUPTED) from None


def report(jobs: Sequence[JobView]) -> ExitCode:
    """Tell what went wrong with jobs at rest, one line each, and return the exit code for all of them."""
    for job in jobs:
        if job.state is JobState.FAILED:
            print_error(f"{job.name or job.id} failed: {job.error.message if job.error else 'no reason was given'}")
        elif job.state is not JobState.SUCCEEDED:
            print_error(f"{job.name or job.id} was {job.state}.")
    states = {job.state for job in jobs} - {JobState.SUCCEEDED}
    if not states:
        return ExitCode.OK
    return ExitCode.CANCELED if states == {JobState.CANCELED} else ExitCode.FAILED


def _display(say: Callable[[str], object], *, as_json_lines: bool) -> Bars | Lines:
    """Return what shows progress: bars in a terminal, lines elsewhere."""
    bars = Bars(hidden=as_json_lines)
    return bars if as_json_lines or bars.are_alive else Lines(say)


def _plain(change: EventView | BatchView) -> dict[str, Any]:
    if isinstance(change, BatchView):
        return change.model_dump(mode="json", include={"state", "total", "counts", "failures", "fraction", "eta_s"})
    return change.model_dump(mode="json")


def _changes(farm: Farm, things: Sequence[JobView | BatchView]) -> Iterator[tuple[str, EventView | BatchView]]:
    # One thread for each, daemons all: Ctrl-C ends the command at once, wherever their reading is.
    inbox: SimpleQueue[Change] = SimpleQueue()
    for thing in things:
        Thread(target=_listen, args=(farm, thing, inbox), daemon=True).start()
    left = len(things)
    while left:
        thing_id, change = inbox.get()
        if isinstance(change, Exception):
            raise change
        if change is None:
            left -= 1
        else:
            yield thing_id, change


def _listen(farm: Farm, thing: JobView | BatchView, inbox: SimpleQueue[Change]) -> None:
    try:
        for change in farm.events(thing.id) if isinstance(thing, JobView) else _batch_changes(farm, thing):
            inbox.put((thing.id, change))
        inbox.put((thing.id, None))
    except Exception as error:  # noqa: BLE001  # raised again in the thread that waits
        inbox.put((thing.id, error))


def _batch_changes(farm: Farm, batch: BatchView) -> Iterator[BatchView]:
    """Yield a batch whenever its counts have changed, until it is finished."""
    while batch.state == "active":
        time.sleep(POLL_S)
        latest = farm.batch(batch.id)
        if latest.counts != batch.counts or latest.state != batch.state:
            yield latest
        batch = latest

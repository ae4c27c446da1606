"""Several jobs followed at once."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from dreamfarm.cli.errors import ExitCode
from dreamfarm.cli.output import print_error, print_json_line
from dreamfarm.cli.progress import Bars
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dreamfarm.client import Farm
    from farm.schema import EventView, JobView

    Change = tuple[str, EventView | Exception | None]


def follow(farm: Farm, jobs: Sequence[JobView], *, as_json_lines: bool = False, quiet: bool = False) -> list[JobView]:
    """Show the jobs' progress until all of them are at rest, and return them as they are then.

    Raises
    ------
    FarmError
        The farm refused, or was away for too long; what had happened until then was shown.
    """
    with Bars(hidden=as_json_lines or quiet) as bars:
        rows = {job.id: bars.add(job.name or job.id) for job in jobs}
        for job in jobs:
            bars.show(rows[job.id], job.state, job.progress)
        for job_id, event in _changes(farm, list(rows)):
            bars.show(rows[job_id], event.state, event.progress)
            if as_json_lines:
                print_json_line({"id": job_id, **event.model_dump(mode="json")})
    return [farm.get(job_id) for job_id in rows]


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


def _changes(farm: Farm, job_ids: Sequence[str]) -> Iterator[tuple[str, EventView]]:
    # One thread per job, daemons all: Ctrl-C ends the command at once, wherever their reading is.
    inbox: SimpleQueue[Change] = SimpleQueue()
    for job_id in job_ids:
        Thread(target=_listen, args=(farm, job_id, inbox), daemon=True).start()
    open_streams = len(job_ids)
    while open_streams:
        job_id, change = inbox.get()
        if isinstance(change, Exception):
            raise change
        if change is None:
            open_streams -= 1
        else:
            yield job_id, change


def _listen(farm: Farm, job_id: str, inbox: SimpleQueue[Change]) -> None:
    try:
        for event in farm.events(job_id):
            inbox.put((job_id, event))
        inbox.put((job_id, None))
    except Exception as error:  # noqa: BLE001  # raised again in the thread that waits
        inbox.put((job_id, error))

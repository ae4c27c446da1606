"""`dreamfarm list`, `show`, `cancel`, `retry`, `delete`."""

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Table

from dreamfarm.cli.batches import find_batch, tell
from dreamfarm.cli.options import AsJson, FarmUrl, JobId, JobIds, for_each, open_farm
from dreamfarm.cli.output import (
    age_text,
    counts_text,
    duration_text,
    loss_text,
    octave_text,
    print_json,
    print_note,
    print_rich,
    state_text,
    table,
)
from dreamfarm.client import Farm
from farm.batch_schema import BatchView
from farm.schema import JobView
from farm.states import JobState


def list_jobs(
    *,
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.", show_default=False)] = None,
    tag: Annotated[str | None, typer.Option(help="Only jobs with this tag.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    with open_farm(url) as farm:
        jobs = list(farm.jobs(state=state, tag=tag, limit=limit))
    if as_json:
        print_json(jobs)
    elif jobs:
        print_rich(_job_table(jobs))
    else:
        print_note("No jobs. `dreamfarm submit PICTURE` makes one.")


def show(job: JobId, *, url: FarmUrl = None, as_json: AsJson = False) -> None:
    """Show all there is to know about a job, or about a batch."""
    with open_farm(url) as farm:
        found = find_batch(farm, job) or farm.get(job)
    if as_json:
        print_json(found)
    else:
        print_rich(_batch_details(found) if isinstance(found, BatchView) else _details(found))


def cancel(job: JobIds, *, url: FarmUrl = None) -> None:
    """End queued or running jobs, or all of a batch."""
    with open_farm(url) as farm:
        for_each(job, lambda one: _cancel(farm, one))


def retry(job: JobIds, *, url: FarmUrl = None) -> None:
    """Queue failed, canceled or expired jobs again."""
    with open_farm(url) as farm:
        for_each(job, lambda one: _retry(farm, one))


def delete(job: JobIds, *, url: FarmUrl = None) -> None:
    """Remove jobs and their results, or all those of a batch.

    Active jobs are canceled first.
    """
    with open_farm(url) as farm:
        for_each(job, lambda one: _delete(farm, one))


def list_batches(
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """List batches, newest first."""
    with open_farm(url) as farm:
        found = farm.batches(limit=limit)
    if as_json:
        print_json(found)
    for batch in found if not as_json else ():
        tell(batch)


def _cancel(farm: Farm, wanted: str) -> None:
    if find_batch(farm, wanted):
        tell(farm.cancel_batch(wanted))
    else:
        print_note(f"{wanted} is {farm.cancel(wanted).state}.")


def _retry(farm: Farm, wanted: str) -> None:
    if find_batch(farm, wanted):
        tell(farm.retry_batch(wanted))
    else:
        print_note(f"{wanted} is {farm.retry(wanted).state}.")


def _delete(farm: Farm, wanted: str) -> None:
    if not find_batch(farm, wanted):
        farm.delete(wanted)
        print_note(f"{wanted} is deleted.")
        return
    farm.cancel_batch(wanted)  # so that no more jobs are made
    deleted = 0
    for job in farm.batch_jobs(wanted):
        farm.delete(job.id)
        deleted += 1
    print_note(f"{wanted}: its {deleted} jobs are deleted.")


def _job_table(jobs: list[JobView]) -> Table:
    rows = table("JOB", "STATE", "DONE", "PICTURE", "MODEL", "MADE", numbers=["DONE"], folding=["PICTURE"])
    for job in jobs:
        rows.add_row(
            job.id,
            state_text(job.state),
            f"{job.progress.fraction:.0%}",
            job.name or "",
            str(job.params.get("model", "")),
            age_text(job.created_at),
        )
    return rows


def _details(job: JobView) -> Table:
    return _listed(("job", job.id), ("state", state_text(job.state)), *_facts(job))


def _batch_details(batch: BatchView) -> Table:
    axes = [batch.sweep.get("product") or {}, *(batch.sweep.get("zip") or ())]
    return _listed(
        ("batch", batch.id),
        ("state", batch.state),
        ("name", batch.name or ""),
        ("jobs", f"{batch.total}: {counts_text(batch)}"),
        ("failures", "\n".join(f"{n} failed: {code}" for code, n in batch.failures.items())),
        ("time left", duration_text(batch.eta_s)),
        ("params", "\n".join(f"{name} = {value}" for name, value in batch.params.items())),
        ("sweep", "\n".join(f"{name} = {values}" for axis in axes for name, values in axis.items())),
        ("made", f"{batch.created_at:%Y-%m-%d %H:%M:%S} UTC, {age_text(batch.created_at)}"),
    )


def _listed(*facts: tuple[str, RenderableType]) -> Table:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    for name, value in facts:
        if value:
            rows.add_row(name, value)
    return rows


def _facts(job: JobView) -> list[tuple[str, str]]:
    done, output = job.progress, job.output
    return [
        ("error", f"{job.error.message} ({job.error.code})" if job.error else ""),
        ("notices", "\n".join(job.notices)),
        ("picture", f"{job.name or ''} {job.input.width}x{job.input.height} px".strip()),
        ("guides", ", ".join(f"{guide.width}x{guide.height} px" for guide in job.guides)),
        ("masks", str(len(job.masks) or "")),
        ("progress", f"{done.fraction:.0%} {octave_text(done)}".strip()),
        ("loss", loss_text(done.loss)),
        ("time left", duration_text(done.eta_s) if job.state is JobState.RUNNING else ""),
        ("result", f"{output.format}, {output.width}x{output.height} px, {output.bytes:,} bytes" if output else ""),
        ("cached", "an earlier result, served again" if job.cached else ""),
        ("params", "\n".join(f"{name} = {value}" for name, value in job.params.items())),
        ("tags", ", ".join(job.tags)),
        ("attempts", "\n".join(f"{one.number} on {one.worker}: {one.outcome}" for one in job.attempts)),
        ("made", f"{job.created_at:%Y-%m-%d %H:%M:%S} UTC, {age_text(job.created_at)}"),
        ("queued for", duration_text(job.metrics.queued_s)),
        ("rendered in", duration_text(job.metrics.render_s)),
    ]

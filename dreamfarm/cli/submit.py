"""`dreamfarm submit` and `dreamfarm watch`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dreamfarm.cli.dream_options import dream_options
from dreamfarm.cli.errors import naming
from dreamfarm.cli.follow import follow, report
from dreamfarm.cli.options import AsJson, FarmUrl, Format, Guide, JobIds, open_farm
from dreamfarm.cli.output import print_json, print_note
from dreamfarm.cli.results import folder_for, save_result
from dreamfarm.client import Farm
from farm.schema import JobView
from farm.states import JobState


@dream_options
def submit(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="PICTURES",
            exists=True,
            dir_okay=False,
            readable=True,
            help="The pictures to dream.",
            show_default=False,
        ),
    ],
    params: dict[str, Any],
    *,
    guide: Guide = None,
    format: Format = "png",  # noqa: A002  # the option's name
    name: Annotated[str | None, typer.Option(help="Name to recognise the jobs by; left out: the file's.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag to list the jobs by; may be repeated.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show progress until all are done.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Watch, and save the results in this folder.")
    ] = None,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """Hand in pictures to the farm.

    Prints the new jobs' ids, one a line, for scripts:  dreamfarm submit *.jpg | xargs dreamfarm watch
    """
    folder = folder_for(output) if output else None
    watched = watch or folder is not None
    with open_farm(url) as farm:
        jobs = []
        for file in files:
            with naming(file):
                job = farm.submit(file, params=params, guide=guide, format=format, name=name, tags=tag or ())
            jobs.append(job)
            _tell(job, as_json=as_json)
        jobs = follow(farm, jobs) if watched else jobs
        _save_all(farm, jobs, folder)
        if as_json:
            print_json(jobs)
        if watched:
            raise typer.Exit(report(jobs))


def watch(job: JobIds, *, url: FarmUrl = None, as_json: AsJson = False) -> None:
    """Show jobs' progress until all of them are done.

    With --json: one line per change. Ends with 0 where all succeeded, 1 where one failed, 5 where one was canceled.
    """
    with open_farm(url) as farm:
        jobs = [farm.get(job_id) for job_id in dict.fromkeys(job)]
        raise typer.Exit(report(follow(farm, jobs, as_json_lines=as_json)))


def _tell(job: JobView, *, as_json: bool) -> None:
    # At once, so that the ids are known even where a later picture is refused.
    if not as_json:
        typer.echo(job.id)
    for notice in job.notices:
        print_note(f"{job.name or job.id}: {notice}", style="yellow")


def _save_all(farm: Farm, jobs: list[JobView], folder: Path | None) -> None:
    for job in jobs:
        if folder and job.state is JobState.SUCCEEDED:
            print_note(f"Saved {save_result(farm, job, folder)}")

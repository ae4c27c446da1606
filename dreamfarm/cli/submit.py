"""`dreamfarm submit` and `dreamfarm watch`."""

from pathlib import Path
from typing import Any

import typer

from dreamcore.zoom_path import VideoFormat
from dreamfarm.cli.batch_submit import submit_batch
from dreamfarm.cli.batches import (
    Source,
    batch_code,
    checked_source,
    find_batch,
    is_several,
    parse_sweep,
    pictures_in,
    tell,
)
from dreamfarm.cli.dream_options import dream_options
from dreamfarm.cli.errors import CommandError, ExitCode, describe, is_of_one_picture, naming
from dreamfarm.cli.follow import follow, left_at_work, report
from dreamfarm.cli.options import AsJson, FarmUrl, Format, Guides, JobIds, Masks, open_farm
from dreamfarm.cli.output import print_error, print_json, print_note
from dreamfarm.cli.results import folder_for, save_batch, save_result
from dreamfarm.cli.submit_options import (
    ExpiresIn,
    Film,
    Folder,
    Fresh,
    Kind,
    Name,
    Needs,
    Pictures,
    Priority,
    SweepAxes,
    Tags,
    Watch,
)
from dreamfarm.cli.zoom_options import checked_path, zoom_options
from dreamfarm.client import Farm
from farm.batch_schema import BatchView
from farm.schema import JobKind, JobView
from farm.states import JobState


@zoom_options
@dream_options
def submit(
    files: Pictures,
    params: dict[str, Any],
    path: dict[str, Any],
    *,
    kind: Kind = "dream",
    film: Film = "mp4",
    guide: Guides = None,
    mask: Masks = None,
    format: Format = "png",  # noqa: A002  # the option's name
    name: Name = None,
    tag: Tags = None,
    need: Needs = None,
    priority: Priority = 0,
    expires_in: ExpiresIn = None,
    fresh: Fresh = False,
    sweep: SweepAxes = None,
    watch: Watch = False,
    output: Folder = None,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """Hand in pictures to the farm.

    Prints the new jobs' ids, one a line, for scripts:  dreamfarm submit *.jpg | xargs dreamfarm watch
    A folder or a sweep makes a batch, whose id is printed alone:  dreamfarm submit photos/ --sweep steps=5,10 --watch
    """
    sources = [checked_source(text) for text in files]
    way = _way(kind, path, film)
    folder = folder_for(output) if output else None
    watched = watch or folder is not None
    options: dict[str, Any] = {"params": params, "format": format, "name": name, "tags": tag or (), "zoom": way}
    options |= {"needs": need or (), "priority": priority, "expires_in": expires_in, "fresh": fresh}
    options |= {"guide": guide, "mask": mask}
    with open_farm(url) as farm:
        if sweep or any(map(is_several, sources)):
            batch, code = submit_batch(farm, pictures_in(sources), parse_sweep(sweep or ()), options)
            _print(batch, as_json=as_json)
            if watched:
                with left_at_work([batch.id], url=url, folder=folder):
                    code = max(code, _finish_batch(farm, batch.id, folder))
        else:
            jobs, code = _submit_jobs(farm, sources, options, as_json=as_json)
            if watched:
                with left_at_work([job.id for job in jobs], url=url, folder=folder):
                    jobs = follow(farm, jobs)
                    _save_all(farm, jobs, folder)
                code = max(code, report(jobs))
            if as_json:
                print_json(jobs)
    raise typer.Exit(code)


def _submit_jobs(
    farm: Farm, sources: list[Source], options: dict[str, Any], *, as_json: bool
) -> tuple[list[JobView], ExitCode]:
    """Hand in a job for each picture; one that is refused is named, and the others go on."""
    jobs, code = [], ExitCode.OK
    for source in sources:
        try:
            with naming(source):
                job = farm.submit(source, **options)
        except (CommandError, OSError) as error:
            if len(sources) == 1 or not is_of_one_picture(error):
                raise
            print_error(describe(error)[0])
            code = ExitCode.USAGE
        else:
            jobs.append(job)
            _tell(job, as_json=as_json)
    return jobs, code


def _print(batch: BatchView, *, as_json: bool) -> None:
    if as_json:
        print_json(batch)
    else:
        typer.echo(batch.id)


def _finish_batch(farm: Farm, batch_id: str, folder: Path | None) -> ExitCode:
    [batch] = follow(farm, [farm.batch(batch_id)])
    if folder:
        for path in save_batch(farm, batch_id, folder):
            print_note(f"Saved {path}")
    tell(batch)
    return batch_code(batch)


def watch(job: JobIds, *, url: FarmUrl = None, as_json: AsJson = False) -> None:
    """Show jobs' progress until all of them are done.

    A batch's id stands for all of its jobs. With --json: one line per change of a job or batch.
    Ends with 0 where all succeeded, 1 where one failed, 5 where one was canceled.
    """
    with open_farm(url) as farm:
        things = [find_batch(farm, wanted) or farm.get(wanted) for wanted in dict.fromkeys(job)]
        with left_at_work([thing.id for thing in things], url=url):
            done = follow(farm, things, as_json_lines=as_json)
    batches = [one for one in done if isinstance(one, BatchView)]
    for batch in batches:
        tell(batch)
    codes = {report([one for one in done if isinstance(one, JobView)]), *map(batch_code, batches)}
    raise typer.Exit(ExitCode.FAILED if ExitCode.FAILED in codes else max(codes))


def _way(kind: JobKind, path: dict[str, Any], film: VideoFormat) -> dict[str, Any] | None:
    if kind == "zoom":
        return checked_path({**path, "format": film}).model_dump(mode="json")
    if path:
        raise CommandError(f"--{next(iter(path)).replace('_', '-')} is for films: add --kind zoom.", ExitCode.USAGE)
    return None


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

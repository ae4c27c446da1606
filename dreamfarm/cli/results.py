"""`dreamfarm get`, and where results are saved."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import Annotated

import typer
from PIL import Image

from dreamfarm.cli.batches import find_batch
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.local_options import Show
from dreamfarm.cli.options import AsJson, FarmUrl, JobIds, open_farm
from dreamfarm.cli.output import print_json
from dreamfarm.cli.terminal import present
from dreamfarm.client import Farm
from farm.batch_schema import BatchView
from farm.contact_sheet import contact_sheet, grid_of
from farm.schema import JobView

SHORT_ID = 8
PARALLEL_DOWNLOADS = 8


def get(
    job: JobIds,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder, or for a single job the file to write.")
    ] = Path(),
    sheet: Annotated[
        Path | None, typer.Option(dir_okay=False, help="For a batch: write its pictures as one, with labelled axes.")
    ] = None,
    show: Show = True,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """Download finished pictures, of jobs or of a whole batch.

    Prints the files' paths, one a line. A file appears whole or not at all, and one that is there is not fetched again.
    """
    job_ids = list(dict.fromkeys(job))
    with open_farm(url) as farm:
        if len(job_ids) == 1 and (batch := find_batch(farm, job_ids[0])):
            _tell_all(save_batch(farm, batch.id, folder_for(output)), as_json=as_json)
            if sheet:
                save_sheet(farm, batch, folder_for(output), sheet)
            return
        saved = []
        for job_id, path in _saved_jobs(farm, job_ids, output):
            saved.append({"job": job_id, "path": str(path)})
            if not as_json:
                present(path, wanted=show and len(job_ids) == 1)
                typer.echo(path)
    if as_json:
        print_json(saved)


def _saved_jobs(farm: Farm, job_ids: list[str], output: Path) -> Iterator[tuple[str, Path]]:
    """Download jobs' results one after the other: into a folder, or a single one to the file that was named."""
    as_file = len(job_ids) == 1 and output.suffix != "" and not output.is_dir()
    folder = folder_for(output.parent if as_file else output)
    for job_id in job_ids:
        yield job_id, farm.download_result(job_id, output) if as_file else save_result(farm, farm.get(job_id), folder)


def save_batch(farm: Farm, batch_id: str, folder: Path) -> list[Path]:
    """Download a batch's finished pictures, several at once; those that are there already are left."""
    done = [job for job in farm.batch_jobs(batch_id) if job.output]
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        return list(pool.map(lambda job: _saved(farm, job, folder), done))


def save_sheet(farm: Farm, batch: BatchView, folder: Path, path: Path) -> None:
    """Write a contact sheet of a batch whose pictures were saved in a folder."""
    jobs = list(farm.batch_jobs(batch.id))
    points = len(jobs) // len(dict.fromkeys(job.input.sha256 for job in jobs))
    grid = grid_of(batch.sweep, [job.name or "" for job in jobs[::points]])
    found = {number: Image.open(_place(job, folder)) for number, job in enumerate(jobs) if job.output}
    contact_sheet(grid, found).save(path)


def _saved(farm: Farm, job: JobView, folder: Path) -> Path:
    path = _place(job, folder)
    return path if path.exists() else farm.download_result(job.id, path)


def _tell_all(paths: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json([{"path": str(path)} for path in paths])
    else:
        for path in paths:
            typer.echo(path)


def _place(job: JobView, folder: Path) -> Path:
    """Return where a job's picture goes: named after its input and itself."""
    stem = PurePath(job.name or "dream").stem or "dream"
    return folder / f"{stem}-{job.id[-SHORT_ID:].lower()}.{job.format}"


def save_result(farm: Farm, job: JobView, folder: Path) -> Path:
    """Download a job's picture into a folder, named after its input and itself."""
    return farm.download_result(job.id, _place(job, folder))


def folder_for(path: Path) -> Path:
    """Return a folder to write to, made if it isn't there."""
    in_the_way = next((one for one in (path, *path.parents) if one.exists() and not one.is_dir()), None)
    if in_the_way is not None:
        raise CommandError(f"{in_the_way} is a file; name a folder to save results in.", ExitCode.USAGE)
    path.mkdir(parents=True, exist_ok=True)
    return path

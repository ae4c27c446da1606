"""`dreamfarm get`, and where results are saved."""

from pathlib import Path, PurePath
from typing import Annotated

import typer

from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.options import AsJson, FarmUrl, JobIds, open_farm
from dreamfarm.cli.output import print_json
from dreamfarm.client import Farm
from farm.schema import JobView

SHORT_ID = 8


def get(
    job: JobIds,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder, or for a single job the file to write.")
    ] = Path(),
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """Download finished pictures.

    Prints the files' paths, one a line. A file appears whole or not at all.
    """
    job_ids = list(dict.fromkeys(job))
    as_file = len(job_ids) == 1 and output.suffix != "" and not output.is_dir()
    folder = folder_for(output.parent if as_file else output)
    saved = []
    with open_farm(url) as farm:
        for job_id in job_ids:
            path = farm.download_result(job_id, output) if as_file else save_result(farm, farm.get(job_id), folder)
            saved.append({"job": job_id, "path": str(path)})
            if not as_json:
                typer.echo(path)
    if as_json:
        print_json(saved)


def save_result(farm: Farm, job: JobView, folder: Path) -> Path:
    """Download a job's picture into a folder, named after its input and itself."""
    stem = PurePath(job.name or "dream").stem or "dream"
    return farm.download_result(job.id, folder / f"{stem}-{job.id[-SHORT_ID:].lower()}.{job.format}")


def folder_for(path: Path) -> Path:
    """Return a folder to write to, made if it isn't there."""
    in_the_way = next((one for one in (path, *path.parents) if one.exists() and not one.is_dir()), None)
    if in_the_way is not None:
        raise CommandError(f"{in_the_way} is a file; name a folder to save results in.", ExitCode.USAGE)
    path.mkdir(parents=True, exist_ok=True)
    return path

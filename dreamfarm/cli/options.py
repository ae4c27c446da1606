"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from dreamfarm.client import Farm
from farm.schema import ResultFormat

FarmUrl = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="DREAMFARM_URL",
        metavar="URL",
        help="The farm's address. Left out: the stack that `dreamfarm up` started in this folder or one above.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs, and nothing else on stdout.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False)]
JobIds = Annotated[list[str], typer.Argument(metavar="JOBS", help="Ids of jobs.", show_default=False)]
Guide = Annotated[
    Path | None,
    typer.Option(
        "--guide",
        exists=True,
        dir_okay=False,
        readable=True,
        metavar="FILE",
        help="Dream towards what this picture shows (--objective guide-dot, unless you say otherwise).",
        show_default=False,
    ),
]
Format = Annotated[ResultFormat, typer.Option("--format", help="File format of the result.")]


def open_farm(url: str | None) -> Farm:
    """Return the farm that the user means."""
    return Farm(url or None)


def for_each(job_ids: list[str], act: Callable[[str], None]) -> None:
    """Do something to each job once, in the order given."""
    for job_id in dict.fromkeys(job_ids):
        act(job_id)

"""Options that several commands share."""

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from dreamfarm.cli.completion import complete_job
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
JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False, autocompletion=complete_job)
]
JobIds = Annotated[
    list[str],
    typer.Argument(metavar="JOBS", help="Ids of jobs, or of batches.", show_default=False, autocompletion=complete_job),
]
Guides = Annotated[
    list[Path] | None,
    typer.Option(
        "--guide",
        exists=True,
        dir_okay=False,
        readable=True,
        metavar="FILE",
        help="Dream towards what this picture shows (--objective guide-dot, unless you say otherwise); may be "
        "repeated.",
        show_default=False,
    ),
]
Masks = Annotated[
    list[Path] | None,
    typer.Option(
        "--mask",
        exists=True,
        dir_okay=False,
        readable=True,
        metavar="FILE",
        help="Dream only where this picture of the same size is white; may be repeated where --terms name masks.",
        show_default=False,
    ),
]
_KEY: ContextVar[str | None] = ContextVar("key", default=None)
Format = Annotated[ResultFormat, typer.Option("--format", help="File format of the result.")]


def open_farm(url: str | None) -> Farm:
    """Return the farm that the user means, opened with their key."""
    return Farm(url or None, key=given_key())


def remember_key(key: str | None) -> None:
    """Note the key that the user gave before the command's name, or in the environment."""
    _KEY.set(key or None)


def given_key() -> str | None:
    """Return that key."""
    return _KEY.get()


def for_each(job_ids: list[str], act: Callable[[str], None]) -> None:
    """Do something to each job once, in the order given."""
    for job_id in dict.fromkeys(job_ids):
        act(job_id)

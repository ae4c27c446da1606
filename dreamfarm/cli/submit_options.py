"""What can be said of a job besides its pictures and its parameters, as options."""

from pathlib import Path
from typing import Annotated

import typer

from dreamcore.zoom_path import VideoFormat
from farm.pools import HIGHEST_PRIORITY
from farm.schema import JobKind

Pictures = Annotated[
    list[str],
    typer.Argument(
        metavar="PICTURES",
        help="The pictures: files, folders of them, URLs, which the farm fetches, or s3:PREFIX in its store.",
        show_default=False,
    ),
]
Kind = Annotated[JobKind, typer.Option(help="dream: a picture each; zoom: a film each, with the zoom options below.")]
Film = Annotated[VideoFormat, typer.Option(help="A film's format; frames: a zip of PNGs.")]
Name = Annotated[str | None, typer.Option(help="Name to recognise the jobs by; left out: the file's.")]
Tags = Annotated[list[str] | None, typer.Option(help="Tag to list the jobs by; may be repeated.")]
Needs = Annotated[
    list[str] | None, typer.Option(help="Tag that a worker must offer to take the jobs, as gpu; may be repeated.")
]
Priority = Annotated[
    int, typer.Option(min=0, max=HIGHEST_PRIORITY, help=f"{HIGHEST_PRIORITY} goes before your jobs of 0.")
]
ExpiresIn = Annotated[
    int | None, typer.Option(min=60, metavar="SECONDS", help="Keep each result so long.", show_default=False)
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Render even what was rendered before.")]
SweepAxes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUES",
        help="Dream each picture with each value: step_size=0.01,0.02; may be repeated. "
        "Lists joined by ';' go in step.",
    ),
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show progress until all are done.")]
Folder = Annotated[Path | None, typer.Option("--output", "-o", help="Watch, and save the results in this folder.")]

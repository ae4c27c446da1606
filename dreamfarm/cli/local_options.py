"""Options of the commands that dream on this machine."""

from pathlib import Path
from typing import Annotated

import typer

PictureFile = Annotated[
    Path,
    typer.Argument(metavar="PICTURE", exists=True, dir_okay=False, readable=True, help="The picture."),
]
PictureFiles = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PICTURES",
        exists=True,
        readable=True,
        help="Pictures, and folders of them; with --again they may be left out.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="File to write, or a folder; left out: beside the picture, its name with -dream.",
        show_default=False,
    ),
]
Again = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        readable=True,
        metavar="DREAM",
        help="Dream as this result was dreamt: its recipe is in the file. Options given besides change it. "
        "Pictures that you don't name are looked for beside it.",
        show_default=False,
    ),
]
Open = Annotated[bool, typer.Option("--open", help="Open the result in the program that shows pictures.")]
Show = Annotated[bool, typer.Option("--show/--no-show", help="Show pictures in the terminal, where it can.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Dream even what lies there already, dreamt in the same way.")]
KeepFrames = Annotated[bool, typer.Option("--keep-frames", help="Keep the frames' folder beside the film.")]
Film = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A .mp4, .webm or .gif file, or a folder for the frames; left out: the picture's name with -zoom.mp4.",
        show_default=False,
    ),
]
Weights = Annotated[str, typer.Option(help="The network's weights: imagenet, random, or a file.", metavar="WEIGHTS")]
WeightsDir = Annotated[
    Path | None,
    typer.Option(
        envvar="DREAMFARM_WEIGHTS_DIR", help="Folder of weight files, for machines without internet.", metavar="DIR"
    ),
]
MemoryGb = Annotated[
    float | None,
    typer.Option(
        envvar="DREAMFARM_MEMORY_GB",
        min=0.1,
        help="What the dream may take, in GB: a larger picture goes in tiles. Left out: what the machine has.",
        metavar="GB",
        show_default=False,
    ),
]
MaxMegapixels = Annotated[float, typer.Option(help="Largest picture to open, in MP.", min=0.01, max=1000)]

"""`dreamfarm models add`: networks of one's own."""

import re
from pathlib import Path
from typing import Annotated

import typer

from dreamcore.catalog import MODELS
from dreamcore.own_models import NAME, Input, OwnModel
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.output import print_note
from dreamfarm.cli.quiet import quiet_stderr
from dreamfarm.files import whole_file


def add(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A whole Keras model: .keras or .h5.")
    ],
    *,
    models_dir: Annotated[
        Path,
        typer.Option(
            "--to",
            envvar="DREAMFARM_MODELS_DIR",
            metavar="DIR",
            help="The folder of your networks, that api and workers have too.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call it; left out: as the file.", show_default=False)
    ] = None,
    takes: Annotated[
        Input | None,
        typer.Option(
            "--input",
            help="What it takes: RGB in a range, or as Keras' preprocess_input of that mode makes it. "
            "Left out: 0..255 where it scales its input by itself, else -1..1.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Add a network of your own: look into its file, and put it with a description into a folder.

    Then it is a model like others, by its name. Nothing in the file is run: networks of Keras' own layers can be added.
    """
    with quiet_stderr():
        from dreamcore.model_files import inspect  # noqa: PLC0415  # loads TensorFlow

    own = inspect(file, takes=takes)
    called = _put(file, own, _name(name or file.stem.lower()), models_dir)
    print_note(f"{len(own.layers)} layers; it takes {own.input}. `dreamfarm models {called}` lists them.", style="dim")
    typer.echo(called)


def added(file: Path) -> str:
    """Add the network in a file to the catalog of this process, and return its name."""
    with quiet_stderr():
        from dreamcore.model_files import add_file  # noqa: PLC0415  # loads TensorFlow

    return add_file(file).name


def _name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise CommandError(
            f"{name!r} can't be a model's name. Give one of small letters, digits, '-', '_' and '.' with --name.",
            ExitCode.USAGE,
        )
    if name in MODELS and MODELS[name].file is None:
        raise CommandError(f"There is a model {name!r} already. Give yours another name with --name.", ExitCode.USAGE)
    return name


def _put(file: Path, own: OwnModel, name: str, folder: Path) -> str:
    """Put file and description into the folder, the description last: it makes the network known."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = own.model_copy(update={"file": f"{name}{file.suffix.lower()}"})
    for place, data in ((folder / stored.file, file.read_bytes()), (folder / f"{name}.json", _text(stored))):
        with whole_file(place) as opened:
            opened.write(data)
    return name


def _text(own: OwnModel) -> bytes:
    return (own.model_dump_json() + "\n").encode()

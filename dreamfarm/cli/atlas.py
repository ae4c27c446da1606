"""`dreamfarm models atlas`: a page to choose layers and channels by looking."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dreamcore.catalog import get_model
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.local import network
from dreamfarm.photograph import photo_at_hand

if TYPE_CHECKING:
    from dreamfarm.atlas_page import AtlasFolder


def atlas(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model.", show_default=False)],
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The folder; atlas-NAME if left out.")] = None,
    layers: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Layers to show: fire5,fire8; all if left out.")
    ] = None,
    channels: Annotated[int, typer.Option(min=0, max=64, help="Strongest channels to show of each layer.")] = 8,
    size: Annotated[int, typer.Option(min=75, max=1024, help="Side of each picture, in px.")] = 224,
    steps: Annotated[int, typer.Option(min=1, max=200, help="Gradient steps per octave.")] = 20,
    photo: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Whose strongest channels are shown; one at hand if left out."),
    ] = None,
    from_noise: Annotated[
        bool, typer.Option("--from-noise/--from-photo", help="Dream on noise, or on the photograph.")
    ] = True,
    weights: Annotated[str, typer.Option(help="imagenet, random, or a file of weights.")] = "imagenet",
) -> None:
    """Dream a model's layers, and the channels of each that a photograph wakes most, and show them on one page.

    Pictures that the folder has already are kept: a run that was stopped goes on where it was.
    """
    shown = _layers(name, layers)
    model = network(name, weights, None)
    from dreamfarm.atlas_page import AtlasFolder, AtlasRules, OtherAtlasError, square  # noqa: PLC0415  # loads with it

    rules = AtlasRules(shown, channels=channels, size_px=size, steps=steps, from_noise=from_noise)
    place = output or Path(f"atlas-{name}")
    try:
        folder = AtlasFolder(place, model, square((photo or photo_at_hand()).read_bytes(), size), rules)
    except OtherAtlasError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    typer.echo(_made(folder))


def _made(folder: "AtlasFolder") -> Path:
    entries = folder.entries()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Dreaming", total=len(entries))
        for entry in folder.make(entries):
            bar.update(task, advance=1, description=entry.name)
    return folder.write_page(entries)


def _layers(name: str, given: str | None) -> tuple[str, ...]:
    try:
        model = get_model(name)
        names = [each.strip() for each in given.split(",") if each.strip()] if given else []
        model.check_layers(names)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.NOT_FOUND) from error
    apart = model.class_layer if model.graph is None else None  # its weights are a file of their own
    return tuple(names) or tuple(layer.name for layer in model.layers if layer.name != apart)

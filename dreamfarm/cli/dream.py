"""`dreamfarm dream`: pictures in, dreams out, without a farm."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dreamcore.errors import DreamError
from dreamfarm.cli.again import Earlier, recipe_in
from dreamfarm.cli.batches import pictures_in
from dreamfarm.cli.dream_options import dream_options
from dreamfarm.cli.dream_target import Target
from dreamfarm.cli.dreamer import Dreamer
from dreamfarm.cli.errors import CommandError, ExitCode, describe
from dreamfarm.cli.local import Companions, validated
from dreamfarm.cli.local_options import (
    Again,
    Fresh,
    MaxMegapixels,
    MemoryGb,
    Open,
    Output,
    PictureFiles,
    Show,
    Weights,
    WeightsDir,
)
from dreamfarm.cli.options import Guides, Masks
from dreamfarm.cli.output import print_error
from dreamfarm.cli.terminal import present
from farm.schema import ResultFormat


@dream_options
def dream(
    files: PictureFiles = None,
    *,
    params: dict[str, Any],
    output: Output = None,
    format: Annotated[  # noqa: A002  # the option's name
        ResultFormat | None,
        typer.Option(
            "--format", help="File format; left out: as the output's name says, else png.", show_default=False
        ),
    ] = None,
    again: Again = None,
    guide: Guides = None,
    mask: Masks = None,
    fresh: Fresh = False,
    show: Show = True,
    open_result: Open = False,
    weights: Weights = "imagenet",
    weights_dir: WeightsDir = None,
    memory_gb: MemoryGb = None,
    max_megapixels: MaxMegapixels = 100,
) -> None:
    """Dream pictures on this machine, without a farm.

    Prints the results' paths. Each result carries its recipe: the same again gives the same picture, and what lies
    there already is not dreamt anew. Ctrl-C stops; the same command goes on.
    """
    earlier = Earlier(again) if again else None
    wanted = validated(earlier.params(params) if earlier else params)
    pictures = _pictures(files or [], earlier)
    guides, masks = (earlier.guides(guide), earlier.masks(mask)) if earlier else (guide or [], mask or [])
    companions = Companions(guides, masks, max_megapixels)
    target = Target.chosen(output, format, several=len(pictures) > 1)
    how: dict[str, Any] = {"weights": weights, "weights_dir": weights_dir, "memory_gb": memory_gb}
    dreamer = Dreamer(wanted, companions, target, fresh=fresh, show=show, **how)
    raise typer.Exit(_dream_all(dreamer, pictures, show=show, open_result=open_result))


def _pictures(files: list[Path], earlier: Earlier | None) -> list[Path]:
    """Return the pictures that are meant: those in folders, unless they are dreams, and those that were named."""
    if not files and earlier:
        return [earlier.picture()]
    if not files:
        raise CommandError("Name a picture: dreamfarm dream sky.jpg.", ExitCode.USAGE)
    found = [Path(one) for one in pictures_in(files)]
    if earlier:
        earlier.warn(found)
    return [one for one in found if one in files or not _is_dream(one)]


def _is_dream(file: Path) -> bool:
    try:
        return recipe_in(file) is not None
    except DreamError:
        return False  # said when its turn comes


def _dream_all(dreamer: Dreamer, pictures: list[Path], *, show: bool, open_result: bool) -> ExitCode:
    """Dream one after the other; one that can't be dreamt keeps no other from it."""
    worst = ExitCode.OK
    for number, file in enumerate(pictures, 1):
        label = file.name if len(pictures) == 1 else f"{number}/{len(pictures)} {file.name}"
        try:
            path = dreamer.dream(file, label=label)
        except (CommandError, DreamError) as error:
            message, code = describe(error)
            if len(pictures) == 1 or code is ExitCode.INTERRUPTED:
                raise
            print_error(message if str(file) in message else f"{file}: {message}")
            worst = max(worst, code)
            continue
        present(path, wanted=show)
        typer.echo(path)
        if open_result:
            typer.launch(str(path))
    return worst

"""`dreamfarm dream`: a picture in, a picture out, without a farm."""

import hashlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from dreamcore.explain import explain
from dreamcore.masks import mask_of
from dreamcore.octaves import plan_octaves
from dreamcore.own_models import is_model_file
from dreamcore.params import DreamParams
from dreamcore.pictures import Picture, Pixels, decode, encode
from dreamcore.recipe import Recipe
from dreamfarm.cli.dream_options import dream_options
from dreamfarm.cli.errors import CommandError, ExitCode, naming
from dreamfarm.cli.options import Guides, Masks
from dreamfarm.cli.output import print_note
from dreamfarm.cli.own_models import added
from dreamfarm.cli.progress import Bars
from dreamfarm.cli.quiet import quiet_stderr
from dreamfarm.files import whole_file
from farm.schema import ProgressView, ResultFormat
from farm.states import JobState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dreamcore import DreamResult, Progress

FORMATS: dict[str, ResultFormat] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
SUFFIXES: dict[ResultFormat, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
MEGA = 1_000_000


@dream_options
def dream(
    file: Annotated[
        Path,
        typer.Argument(metavar="PICTURE", exists=True, dir_okay=False, readable=True, help="The picture to dream."),
    ],
    params: dict[str, Any],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; left out: the picture's name with -dream.", metavar="FILE"),
    ] = None,
    format: Annotated[  # noqa: A002  # the option's name
        ResultFormat | None,
        typer.Option(
            "--format", help="File format; left out: as the output's name says, else png.", show_default=False
        ),
    ] = None,
    guide: Guides = None,
    mask: Masks = None,
    weights: Annotated[
        str, typer.Option(help="The network's weights: imagenet, random, or a file.", metavar="WEIGHTS")
    ] = "imagenet",
    weights_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="DREAMFARM_WEIGHTS_DIR", help="Folder of weight files, for machines without internet.", metavar="DIR"
        ),
    ] = None,
    max_megapixels: Annotated[float, typer.Option(help="Largest picture to open, in MP.", min=0.01, max=1000)] = 100,
) -> None:
    """Dream a picture on this machine, without a farm.

    Prints the result's path. The result carries its recipe: parameters, seed, weights. The same again gives the same
    picture.
    """
    wanted = validated(params)
    target, kind = _target(file, output, format)
    picture = open_picture(file, max_megapixels)
    guides, masks = open_guides(guide, max_megapixels), open_masks(mask, max_megapixels)
    plan = plan_octaves(wanted, *picture.rgb.shape[:2])
    for notice in (*picture.notices, *plan.notices):
        print_note(notice, style="yellow")
    print_note("Loading the engine …", style="dim")
    run = _engine(wanted.model, weights, weights_dir)
    with Bars() as bars:
        result = run(picture.rgb, wanted, guide=guides, mask=masks, on_progress=_bar(bars, file.name))
    for notice in result.notices[len(plan.notices) :]:
        print_note(notice, style="yellow")
    data = encode(picture.with_rgb(result.image), format=kind, recipe=_recipe(result, file, guide, mask))
    with whole_file(target) as opened:
        opened.write(data)
    typer.echo(target)


def validated(params: dict[str, Any]) -> DreamParams:
    """Return the parameters that were asked for, or end the command saying what is wrong with them."""
    if is_model_file(str(params.get("model", ""))):
        params = {**params, "model": added(Path(params["model"]))}
    try:
        return DreamParams.model_validate(params)
    except ValidationError as error:
        details = " ".join(problem.detail for problem in explain(error, known=DreamParams.model_fields))
        raise CommandError(details, ExitCode.USAGE) from None


def _target(file: Path, output: Path | None, kind: ResultFormat | None) -> tuple[Path, ResultFormat]:
    """Return the file to write and its format, which its name and --format must agree on."""
    if output is None:
        kind = kind or "png"
        return file.with_name(f"{file.stem}-dream{SUFFIXES[kind]}"), kind
    named = FORMATS.get(output.suffix.lower())
    if (kind or named) is None or (kind and named and kind != named):
        raise CommandError(f"{output}: name a .png, .jpg or .webp file that agrees with --format.", ExitCode.USAGE)
    if not output.parent.is_dir():
        raise CommandError(f"{output}: there is no folder {output.parent}.", ExitCode.USAGE)
    return output, kind or named or "png"


def open_picture(file: Path, max_megapixels: float) -> Picture:
    """Open a picture; an error names its file."""
    with naming(file):
        return decode(file.read_bytes(), max_pixels=int(max_megapixels * MEGA))


def open_guides(files: list[Path] | None, max_megapixels: float) -> list[Pixels]:
    """Open guide pictures, none to several."""
    return [open_picture(file, max_megapixels).rgb for file in files or ()]


def open_masks(files: list[Path] | None, max_megapixels: float) -> list["NDArray[np.uint8]"]:
    """Open mask pictures, none to several."""
    return [mask_of(open_picture(file, max_megapixels)) for file in files or ()]


def sha256s(files: list[Path] | None) -> list[str]:
    """Return the SHA-256 of each file."""
    return [_sha256(file) for file in files or ()]


def _bar(bars: Bars, label: str) -> Callable[["Progress"], None]:
    bar = bars.add(label)
    started = time.monotonic()

    def show(progress: "Progress") -> None:
        state = JobState.RUNNING if progress.fraction < 1 else JobState.SUCCEEDED
        bars.show(bar, state, progress_view(progress, time.monotonic() - started))

    return show


def _engine(model: str, weights: str, weights_dir: Path | None) -> Callable[..., "DreamResult"]:
    # TensorFlow takes seconds to load: only once the input is known to be good.
    with quiet_stderr():
        from dreamcore import dream as run_dream  # noqa: PLC0415
        from dreamcore import load_model  # noqa: PLC0415

    return partial(run_dream, model=load_model(model, weights, weights_dir=weights_dir))


def _recipe(result: "DreamResult", file: Path, guides: list[Path] | None, masks: list[Path] | None) -> str:
    recipe = Recipe.of(result, input_sha256=_sha256(file), guides_sha256=sha256s(guides), masks_sha256=sha256s(masks))
    return recipe.to_json()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def progress_view(progress: "Progress", spent_s: float) -> ProgressView:
    """Return a step's progress as it is shown, after so many seconds."""
    done = progress.fraction
    return ProgressView(
        fraction=done,
        octave=progress.octave,
        octaves=progress.octaves,
        step=progress.step,
        steps=progress.steps,
        loss=progress.loss,
        eta_s=spent_s / done * (1 - done) if done else None,
    )

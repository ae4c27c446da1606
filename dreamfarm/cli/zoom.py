"""`dreamfarm zoom`: a picture in, a film out, without a farm."""

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamcore.octaves import plan_octaves
from dreamcore.params import DreamParams
from dreamcore.pictures import to_8_bit
from dreamcore.version import __version__
from dreamcore.video import write_video
from dreamcore.zoom_path import VideoFormat, ZoomParams
from dreamfarm.cli.dream import open_guides, open_masks, open_picture, progress_view, sha256s, validated
from dreamfarm.cli.dream_options import dream_options
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.frames import FrameFolder
from dreamfarm.cli.options import Guides, Masks
from dreamfarm.cli.output import print_note
from dreamfarm.cli.progress import Bars
from dreamfarm.cli.quiet import quiet_stderr
from dreamfarm.cli.zoom_options import checked_path, zoom_options
from dreamfarm.files import whole_file
from farm.states import JobState

if TYPE_CHECKING:
    from dreamcore.models import Model
    from dreamcore.zooming import ZoomProgress

FORMATS: dict[str, VideoFormat] = {".mp4": "mp4", ".webm": "webm", ".gif": "gif", "": "frames"}


@zoom_options
@dream_options
def zoom(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="PICTURE", exists=True, dir_okay=False, readable=True, help="The picture to start from."
        ),
    ],
    params: dict[str, Any],
    path: dict[str, Any],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A .mp4, .webm or .gif file, or a folder for the frames; left out: the picture's name with -zoom.mp4.",
            metavar="FILE",
        ),
    ] = None,
    keep_frames: Annotated[
        bool, typer.Option("--keep-frames", help="Keep the frames' folder beside the film.")
    ] = False,
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
    """Zoom into a dream: every frame is the one before, moved and dreamt on.

    Prints the film's path. Interrupted, the same command goes on from the last whole frame.
    """
    target = output or file.with_name(f"{file.stem}-zoom.mp4")
    way = checked_path({**path, "format": _format(target)})
    way.check()
    wanted = validated(params)
    picture = open_picture(file, max_megapixels)
    guides, masks = open_guides(guide, max_megapixels), open_masks(mask, max_megapixels)
    for notice in (*picture.notices, *plan_octaves(wanted, *picture.rgb.shape[:2]).notices):
        print_note(notice, style="yellow")
    print_note("Loading the engine …", style="dim")
    with quiet_stderr():
        from dreamcore import load_model  # noqa: PLC0415  # TensorFlow takes seconds to load

        model = load_model(wanted.model, weights, weights_dir=weights_dir)
    is_folder = way.format == "frames"
    folder = target if is_folder else target.with_name(f".{target.name}.frames")
    frames = FrameFolder(folder, _about(wanted, way, (file, guide, mask), model))
    if frames.done:
        print_note(f"Going on after frame {frames.done}.", style="dim")
    given = {"guide": [to_8_bit(each) for each in guides], "mask": masks}
    _render(to_8_bit(picture.rgb), wanted, way, frames=frames, **given, model=model, label=file.name)
    if not is_folder:
        _finish(frames, target, way, keep=keep_frames)
    typer.echo(target)


def _format(target: Path) -> VideoFormat:
    kind = FORMATS.get(target.suffix.lower())
    if kind is None:
        raise CommandError(f"{target}: name a .mp4, .webm or .gif file, or a folder for the frames.", ExitCode.USAGE)
    if not target.parent.is_dir():
        raise CommandError(f"{target}: there is no folder {target.parent}.", ExitCode.USAGE)
    return kind


def _about(
    params: DreamParams, way: ZoomParams, pictures: tuple[Path, list[Path] | None, list[Path] | None], model: "Model"
) -> str:
    """Return all that the frames depend on; how they are shown, and how many, may change."""
    file, guides, masks = pictures
    about = {
        "engine_version": __version__,
        "params": params.model_dump(mode="json"),
        "zoom": way.model_dump(mode="json", exclude={"format", "fps", "frames"}),
        "input_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "guides_sha256": sha256s(guides),
        "masks_sha256": sha256s(masks),
        "weights_sha256": model.weights_sha256,
    }
    return json.dumps(about, indent=2) + "\n"


def _render(image: Any, params: DreamParams, way: ZoomParams, *, frames: FrameFolder, label: str, **how: Any) -> None:
    from dreamcore.zooming import zoom as run_zoom  # noqa: PLC0415  # loads TensorFlow

    started, first = time.monotonic(), frames.done
    with Bars() as bars:
        bar = bars.add(label)

        def show(progress: "ZoomProgress") -> None:
            spent_s = time.monotonic() - started
            new = progress.fraction - first / way.frames
            view = progress_view(progress.step, spent_s).model_copy(
                update={
                    "fraction": progress.fraction,
                    "frame": progress.frame,
                    "frames": progress.frames,
                    "eta_s": spent_s / new * (1 - progress.fraction) if new > 0 else None,
                }
            )
            bars.show(bar, JobState.RUNNING if progress.fraction < 1 else JobState.SUCCEEDED, view)

        for result in run_zoom(image, params, way, done=first, last=frames.last(), on_progress=show, **how):
            frames.add(to_8_bit(result.image))


def _finish(frames: FrameFolder, target: Path, way: ZoomParams, *, keep: bool) -> None:
    print_note("Writing the film …", style="dim")
    with whole_file(target) as opened:
        write_video(frames.read_all(way.frames), Path(opened.name), format=way.format, rate=way.rate)
    if not keep:
        frames.remove()

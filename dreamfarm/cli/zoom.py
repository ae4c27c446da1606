"""`dreamfarm zoom`: a picture in, a film out, without a farm."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dreamcore.octaves import plan_octaves
from dreamcore.params import DreamParams
from dreamcore.pictures import to_8_bit
from dreamcore.version import __version__
from dreamcore.video import write_video
from dreamcore.zoom_path import VideoFormat, ZoomParams
from dreamfarm.cli.dream_options import dream_options
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.frames import FrameFolder
from dreamfarm.cli.local import Companions, network, open_picture, progress_view, sha256_of, validated
from dreamfarm.cli.local_options import Film, KeepFrames, MaxMegapixels, MemoryGb, PictureFile, Weights, WeightsDir
from dreamfarm.cli.options import Guides, Masks
from dreamfarm.cli.output import print_note
from dreamfarm.cli.progress import Bars
from dreamfarm.cli.quiet import stdout_for_data
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
    file: PictureFile,
    params: dict[str, Any],
    path: dict[str, Any],
    *,
    output: Film = None,
    keep_frames: KeepFrames = False,
    guide: Guides = None,
    mask: Masks = None,
    weights: Weights = "imagenet",
    weights_dir: WeightsDir = None,
    memory_gb: MemoryGb = None,
    max_megapixels: MaxMegapixels = 100,
) -> None:
    """Zoom into a dream, as a film.

    Every frame is the one before, moved and dreamt on.

    Prints the film's path. Interrupted, the same command goes on from the last whole frame.
    """
    target = output or file.with_name(f"{file.stem}-zoom.mp4")
    way = checked_path({**path, "format": _format(target)})
    way.check()
    wanted = validated(params)
    picture = open_picture(file, max_megapixels)
    companions = Companions(guide or [], mask or [], max_megapixels)
    companions.check(wanted, picture)
    given = {
        "guide": [to_8_bit(each) for each in companions.guide_pixels],
        "mask": companions.mask_pixels,
        "memory_gb": memory_gb,
    }
    for notice in (*picture.notices, *plan_octaves(wanted, *picture.rgb.shape[:2]).notices):
        print_note(notice, style="yellow")
    model = network(wanted.model, weights, weights_dir)
    frames = _frames(target, way, _about(wanted, way, file, companions, model))
    _render(to_8_bit(picture.rgb), wanted, way, frames=frames, **given, model=model, label=file.name)
    if way.format != "frames":
        _finish(frames, target, way, keep=keep_frames)
    typer.echo(target)


def _frames(target: Path, way: ZoomParams, about: str) -> FrameFolder:
    """Return the folder of the frames, and say how many are in it."""
    folder = target if way.format == "frames" else target.with_name(f".{target.name}.frames")
    frames = FrameFolder(folder, about)
    if frames.done:
        print_note(f"Going on after frame {frames.done}.", style="dim")
    return frames


def _format(target: Path) -> VideoFormat:
    kind = FORMATS.get(target.suffix.lower())
    if kind is None:
        raise CommandError(f"{target}: name a .mp4, .webm or .gif file, or a folder for the frames.", ExitCode.USAGE)
    if not target.parent.is_dir():
        raise CommandError(f"{target}: there is no folder {target.parent}.", ExitCode.USAGE)
    return kind


def _about(params: DreamParams, way: ZoomParams, file: Path, companions: Companions, model: "Model") -> str:
    """Return all that the frames depend on; how they are shown, and how many, may change."""
    about = {
        "engine_version": __version__,
        "params": params.model_dump(mode="json"),
        "zoom": way.model_dump(mode="json", exclude={"format", "fps", "frames"}),
        "input_sha256": sha256_of(file),
        **companions.hashes,
        "weights_sha256": model.weights_sha256,
    }
    return json.dumps(about, indent=2) + "\n"


def _render(image: Any, params: DreamParams, way: ZoomParams, *, frames: FrameFolder, label: str, **how: Any) -> None:
    from dreamcore.zooming import zoom as run_zoom  # noqa: PLC0415  # loads TensorFlow

    started, first = time.monotonic(), frames.done
    with stdout_for_data(), Bars() as bars:
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
            bars.show_progress(bar, JobState.RUNNING if progress.fraction < 1 else JobState.SUCCEEDED, view)

        for result in run_zoom(image, params, way, done=first, last=frames.last(), on_progress=show, **how):
            frames.add(to_8_bit(result.image))


def _finish(frames: FrameFolder, target: Path, way: ZoomParams, *, keep: bool) -> None:
    print_note("Writing the film …", style="dim")
    with whole_file(target) as opened:
        write_video(frames.read_all(way.frames), Path(opened.name), format=way.format, rate=way.rate)
    if not keep:
        frames.remove()

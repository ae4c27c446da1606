"""Frames to a moving picture: MP4, WebM and GIF, at exact frame rates. Imports no TensorFlow."""

from __future__ import annotations

import zipfile
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from dreamcore.pictures import Picture, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from fractions import Fraction
    from pathlib import Path

    from numpy.typing import NDArray

    from dreamcore.zoom_path import VideoFormat

    Frames = Iterable[NDArray[np.uint8]]

CODECS: dict[str, tuple[str, dict[str, str]]] = {
    # With its look-ahead the encoder made other bytes of the same frames now and then, measured at odd sizes.
    "mp4": ("libx264", {"crf": "16", "preset": "medium", "x264-params": "mbtree=0:weightp=0:rc-lookahead=0"}),
    "webm": ("libvpx-vp9", {"crf": "24", "b:v": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}),
}
GIF_TICKS_PER_S = 100
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_video(frames: Frames, path: Path, *, format: VideoFormat, rate: Fraction) -> None:  # noqa: A002  # users' word
    """Write frames in their order, as they come.

    Parameters
    ----------
    frames : of (H, W, 3) uint8, RGB, all of one size, one at least
    path
        The file to write.
    format
        "mp4" is H.264, "webm" VP9, "frames" a zip archive of PNGs. A GIF's frames are all held at once.
    rate
        Frames per second, kept exactly by MP4; WebM counts in ms, GIF in 10 ms, and neither drifts.
    """
    writers: dict[VideoFormat, Callable[[Frames, Path, Fraction], None]] = {"gif": _write_gif, "frames": _write_zip}
    if format in writers:
        writers[format](frames, path, rate)
    else:
        _write_film(frames, path, rate, format)


def _write_film(frames: Frames, path: Path, rate: Fraction, container: str) -> None:
    import av  # noqa: PLC0415  # a part of the engine's extras, which api and farm do without

    codec, options = CODECS[container]
    container_options = {"movflags": "+faststart"} if container == "mp4" else {}
    with av.open(str(path), "w", format=container, options={"fflags": "+bitexact", **container_options}) as film:
        stream: Any = None
        for number, frame in enumerate(frames):
            even = _even(frame)
            if stream is None:
                stream = film.add_stream(codec, rate=rate, options=options)
                stream.height, stream.width = even.shape[:2]
                stream.pix_fmt, stream.time_base = "yuv420p", 1 / rate
                stream.codec_context.thread_count = 2
            shown = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(format="yuv420p")
            _fill_margins(shown)
            shown.pts, shown.time_base = number, 1 / rate
            film.mux(stream.encode(shown))
        film.mux(stream.encode(None))


def _even(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a frame of even height and width, which the codecs need: the last row or column comes twice."""
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _fill_margins(frame: Any) -> None:
    """Repeat each row's last pixel beyond its end: the codec looks there, and what happens to lie there varies."""
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size).copy()
        rows[:, plane.width :] = rows[:, plane.width - 1 : plane.width]
        plane.update(rows)


def _write_gif(frames: Frames, path: Path, rate: Fraction) -> None:
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=_durations_ms(len(pictures), rate),
        loop=0,
    )


def _durations_ms(frames: int, rate: Fraction) -> list[int]:
    """Return how long each frame of a GIF is shown: whole ticks, so chosen that no time is lost in the long run."""
    ends = [round(number * GIF_TICKS_PER_S / rate) for number in range(frames + 1)]
    return [(end - start) * 1000 // GIF_TICKS_PER_S for start, end in pairwise(ends)]


def _write_zip(frames: Frames, path: Path, _: Fraction) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number, frame in enumerate(frames, 1):
            archive.writestr(zipfile.ZipInfo(f"frame-{number:05}.png", ZIP_TIME), encode(Picture(frame)))

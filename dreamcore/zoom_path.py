"""A zoom's way through the picture: how each frame is moved before the next dream. Imports no TensorFlow."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, field_validator

from dreamcore.errors import DreamError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dreamcore.params import DreamParams

VideoFormat = Literal["mp4", "webm", "gif", "frames"]
Share = Annotated[float, Field(ge=0, le=1)]
Shift = Annotated[float, Field(ge=-0.5, le=0.5)]

KERNEL_REACH_PX = 3
NTSC = 1001
LARGEST_RATE = 240
GIF_LARGEST_RATE = 50


class ZoomParams(BaseModel):
    """A zoom sequence; immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    frames: Annotated[int, Field(ge=1, le=10_000, description="Frames in all.")] = 60
    scale: Annotated[float, Field(ge=0.5, le=2, description="Enlargement per frame; below 1 zooms out.")] = 1.03
    rotate: Annotated[float, Field(ge=-180, le=180, description="Degrees per frame, counter-clockwise.")] = 0.0
    shift: Annotated[
        tuple[Shift, Shift], Field(description="Move per frame to the right and down, as shares of width and height.")
    ] = (0.0, 0.0)
    centre: Annotated[
        tuple[Share, Share], Field(description="Point that stays: from left and from top, as shares of the size.")
    ] = (0.5, 0.5)
    frame_octaves: Annotated[int, Field(ge=1, le=16, description="Octaves of every frame after the first.")] = 3
    frame_steps: Annotated[
        int, Field(ge=1, le=1000, description="Steps per octave of every frame after the first.")
    ] = 2
    fps: Annotated[str, Field(description='Frames per second: "30", "23.976" or "24000/1001".')] = "24"
    format: Annotated[VideoFormat, Field(description="mp4, webm, gif, or frames: a PNG for each.")] = "mp4"

    @field_validator("fps", mode="before")
    @classmethod
    def _exact_rate(cls, given: object) -> str:
        """Return the rate as an exact fraction; 23.976, 29.97 and 59.94 mean the rates of television."""
        try:
            rate = Fraction(str(given))
        except (ValueError, ZeroDivisionError):
            raise ValueError(f'{given!r} is no frame rate; write for example "30", "23.976" or "24000/1001"') from None
        nominal = Fraction(math.ceil(rate) * 1000, NTSC) if rate.denominator != 1 else rate
        exact = nominal if abs(nominal - rate) < Fraction(1, 200) and rate.denominator != NTSC else rate
        if not 0 < exact <= LARGEST_RATE:
            raise ValueError(
                f"{given!r} frames per second are not possible; more than 0 and at most {LARGEST_RATE} are"
            )
        return str(exact)

    def check(self) -> None:
        """Raise `DreamError` where the format can't show so many frames per second."""
        if self.format == "gif" and self.rate > GIF_LARGEST_RATE:
            raise DreamError(
                f"A GIF shows at most {GIF_LARGEST_RATE} frames per second, not {float(self.rate):g}. Take mp4 or webm."
            )

    @property
    def rate(self) -> Fraction:
        """The exact frame rate, in frames per second."""
        return Fraction(self.fps)

    def params_of(self, frame: int, params: DreamParams) -> DreamParams:
        """Return what a frame, counted from 1, dreams: the first one all, the others less and from what is there."""
        if frame == 1:
            return params
        own = {
            "octaves": self.frame_octaves,
            "steps": self.frame_steps,
            "start": "photo",
            "seed": seed_of(params.seed, frame),
        }
        return params.model_copy(update=own)


def seed_of(seed: int, frame: int) -> int:
    """Return a frame's seed: the same for the same seed and frame, unlike for all others."""
    digest = hashlib.sha256(f"{seed}:{frame}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def moved(image: NDArray[np.uint8], path: ZoomParams) -> NDArray[np.uint8]:
    """Return an image scaled, rotated and shifted by a frame's move, at its own size.

    Sampled bicubically at c + R(-rotate) (p - c - shift) / scale for every pixel p, c being the centre; what lies
    beyond an edge mirrors what lies within.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    path
        The move.
    """
    height, width = image.shape[:2]
    matrix = _inverse(path, width, height)
    margins = _margins(matrix, width, height)
    left, top = margins[1][0], margins[0][0]
    padded = Image.fromarray(np.pad(image, (*margins, (0, 0)), mode="symmetric"))
    a, b, c, d, e, f = matrix
    place = (a, b, c + left, d, e, f + top)
    new = padded.transform((width, height), Image.Transform.AFFINE, place, Image.Resampling.BICUBIC)
    return np.array(new, np.uint8)


def calmed(image: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image with the brightness of a picture, and at most its contrast, in each colour channel.

    x' = (x - mean(x)) min(1, std(picture) / std(x)) + mean(picture). Without it each dream adds its contrast to
    that of the frame before, until nothing but the ends of the range is left.

    Parameters
    ----------
    image, picture : (H, W, 3) uint8, RGB
    """
    levels = image.astype(np.float32)
    mean, spread = levels.mean(axis=(0, 1)), levels.std(axis=(0, 1))
    wanted_mean, wanted_spread = picture.mean(axis=(0, 1)), picture.std(axis=(0, 1))
    gain = np.minimum(1, wanted_spread / np.maximum(spread, 1)).astype(np.float32)
    calm: NDArray[np.uint8] = np.clip(np.rint((levels - mean) * gain + wanted_mean), 0, 255).astype(np.uint8)
    return calm


def _inverse(path: ZoomParams, width: int, height: int) -> tuple[float, ...]:
    """Return the affine map from a place in the new image to one in the old, in px."""
    angle = math.radians(path.rotate)
    cosine, sine = math.cos(angle) / path.scale, math.sin(angle) / path.scale
    x, y = path.centre[0] * width, path.centre[1] * height
    right, down = x + path.shift[0] * width, y + path.shift[1] * height
    return (cosine, -sine, x - cosine * right + sine * down, sine, cosine, y - sine * right - cosine * down)


def _margins(matrix: tuple[float, ...], width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how far the map reaches beyond the image: (top, bottom), (left, right), in px."""
    a, b, c, d, e, f = matrix
    corners = [(x, y) for x in (0, width) for y in (0, height)]
    across = [a * x + b * y + c for x, y in corners]
    down = [d * x + e * y + f for x, y in corners]
    return _beyond(down, height), _beyond(across, width)


def _beyond(places: list[float], length: int) -> tuple[int, int]:
    reach = KERNEL_REACH_PX
    return max(0, math.ceil(-min(places))) + reach, max(0, math.ceil(max(places) - length)) + reach

"""Pictures from bytes and back: every common kind is taken, and what can't be taken is said in one sentence.

Imports no TensorFlow.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dreamcore import embedding
from dreamcore.errors import PictureError, PictureTooLargeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PictureFormat = Literal["png", "jpeg", "webp"]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
MOVING_FORMATS = {"GIF", "PNG", "WEBP", "TIFF"}
PROFILED_MODES = {"RGB", "RGBA", "P", "PA"}
DEFAULT_MAX_PIXELS = 64_000_000
HARD_MAX_PIXELS = 1_000_000_000
JPEG_QUALITY = 95
PNG_LEVEL = 2  # dreams come out a tenth larger than at zlib's default, in half the time
PREVIEW_QUALITY = 85

# A second fence behind `max_pixels`: whatever reads a header, Pillow itself refuses beyond this, without decoding.
Image.MAX_IMAGE_PIXELS = HARD_MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, upright.

    Attributes
    ----------
    rgb : (H, W, 3) uint8
    alpha : (H, W) uint8, or None where everything is opaque
    notices
        What was done otherwise than one might expect.
    icc_profile
        The colour space of `rgb`; None means sRGB.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    notices: tuple[str, ...] = ()
    icc_profile: bytes | None = None

    def with_rgb(self, rgb: NDArray[np.uint8]) -> Picture:
        """Return the picture with other colours; transparency and colour space stay."""
        return replace(self, rgb=rgb)


def decode(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Read a picture: 8 or 16 bits, grey, palette, CMYK or RGB, with or without alpha; turned upright.

    Raises
    ------
    PictureTooLargeError
        The header names more than `max_pixels` pixels; nothing was decoded.
    PictureError
        The bytes are no picture of a known format, or a broken one.
    """
    image = _open(data)
    if image.width * image.height > max_pixels:
        raise PictureTooLargeError(
            f"The picture has {image.width}x{image.height} px, {image.width * image.height / 1e6:.1f} megapixels; "
            f"{max_pixels / 1e6:g} are allowed. Make it smaller."
        )
    try:
        return _read(image)
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise PictureError(f"The {image.format} picture is broken or cut short: {error}.") from error


def encode(picture: Picture, *, format: PictureFormat = "png", recipe: str | None = None) -> bytes:  # noqa: A002  # the word users know
    """Write a picture with its recipe inside; the same picture and recipe give the same bytes.

    JPEG holds no transparency: transparent parts become white.
    """
    out = io.BytesIO()
    image = _flattened(picture) if format == "jpeg" else _layered(picture)
    options: dict[str, Any] = {"icc_profile": picture.icc_profile} if picture.icc_profile else {}
    image.save(out, format=format, **options, **_quality(format), **embedding.options(format, recipe))
    return out.getvalue()


def read_recipe(data: bytes) -> str | None:
    """Return the recipe that `encode` put into a picture; None where there is none."""
    return embedding.read(_open(data))


def preview_jpeg(rgb: NDArray[np.uint8], max_side: int = 512) -> bytes:
    """Return a small JPEG, its longer side at most `max_side` px."""
    image = Image.fromarray(rgb)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, format="jpeg", quality=PREVIEW_QUALITY)
    return out.getvalue()


def _open(data: bytes) -> Image.Image:
    if not data:
        raise PictureError(f"The file is empty. Hand in a picture: {', '.join(FORMATS)}.")
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLargeError(
            f"The picture has more than {HARD_MAX_PIXELS / 1e6:g} megapixels. Make it smaller."
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PictureError(
            f"The file is no picture of a format known here ({', '.join(FORMATS)}), whatever its name says."
        ) from error


def _read(image: Image.Image) -> Picture:
    notices = _frames(image)
    profile = image.info.get("icc_profile") if image.mode in PROFILED_MODES else None
    upright = ImageOps.exif_transpose(_as_8_bit(image))
    if upright.has_transparency_data:
        rgba = np.asarray(upright.convert("RGBA"))
        return Picture(rgba[..., :3].copy(), rgba[..., 3].copy(), notices, profile)
    return Picture(np.array(upright.convert("RGB")), None, notices, profile)


def _frames(image: Image.Image) -> tuple[str, ...]:
    frames = getattr(image, "n_frames", 1) if image.format in MOVING_FORMATS else 1
    if frames == 1:
        return ()
    return (f"The {image.format} holds {frames} frames; only the first is dreamt.",)


def _as_8_bit(image: Image.Image) -> Image.Image:
    """Return 16-bit grey as 8-bit, which Pillow alone would cut off at 255."""
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers; save it with 8 or 16 bits per channel")
    if not image.mode.startswith("I"):
        return image
    levels = np.asarray(image).astype(np.int64)
    scaled = Image.fromarray(np.clip((levels + 128) // 257, 0, 255).astype(np.uint8))
    scaled.info = image.info
    scaled.getexif().update(image.getexif())
    return scaled


def _layered(picture: Picture) -> Image.Image:
    image = Image.fromarray(picture.rgb)
    if picture.alpha is not None:
        image.putalpha(Image.fromarray(picture.alpha))
    return image


def _flattened(picture: Picture) -> Image.Image:
    image = Image.fromarray(picture.rgb)
    if picture.alpha is None:
        return image
    white = Image.new("RGB", image.size, "white")
    return Image.composite(image, white, Image.fromarray(picture.alpha))


def _quality(format: PictureFormat) -> dict[str, Any]:  # noqa: A002  # as in `encode`
    options: dict[str, dict[str, Any]] = {
        "png": {"compress_level": PNG_LEVEL},
        "jpeg": {"quality": JPEG_QUALITY, "subsampling": 0},
        "webp": {"lossless": True, "exact": True},
    }
    return options[format]

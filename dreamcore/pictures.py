"""Pictures from bytes and back: every common kind is taken, and what can't be taken is said in one sentence.

Imports no TensorFlow.
"""

from __future__ import annotations

import io
import logging
import warnings
import zlib
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from dreamcore import colour_space, deep_colour, embedding
from dreamcore.errors import PictureError, PictureTooCostlyError, PictureTooLargeError

PictureFormat = Literal["png", "jpeg", "webp"]
Pixels = NDArray[np.uint8] | NDArray[np.uint16]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
MOVING_FORMATS = {"GIF", "PNG", "WEBP", "TIFF"}
DEEP_WHITE = 65_535
DEFAULT_MAX_PIXELS = 64_000_000
HARD_MAX_PIXELS = 1_000_000_000
JPEG_QUALITY = 95
PNG_STRATEGY = zlib.Z_RLE  # a dream repeats nothing but runs: as small as by zlib's search, in half the time
PREVIEW_QUALITY = 85
LONGEST_DETAIL = 200

# A second fence behind `max_pixels`: whatever reads a header, Pillow itself refuses beyond this, without decoding.
Image.MAX_IMAGE_PIXELS = HARD_MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# What Pillow has to say about a stranger's file is no news to whoever reads the log: it is refused, or it is not.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, upright.

    Attributes
    ----------
    rgb : (H, W, 3) uint8 or uint16
    alpha : (H, W) of the same type, or None where everything is opaque
    notices
        What was done otherwise than one might expect.
    icc_profile
        The colour space of `rgb`; None means sRGB.
    """

    rgb: Pixels
    alpha: Pixels | None = None
    notices: tuple[str, ...] = ()
    icc_profile: bytes | None = None

    def with_rgb(self, rgb: Pixels) -> Picture:
        """Return the picture with other colours; transparency and colour space stay."""
        return replace(self, rgb=rgb)


def decode(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS, deep: bool = True) -> Picture:
    """Read a picture: grey, palette, CMYK or RGB, with or without alpha; turned upright.

    Parameters
    ----------
    max_pixels
        Refuse what is larger.
    deep
        Give 16 bits per channel as uint16, else all as uint8. Colours of 16 bits need PyAV.

    Raises
    ------
    PictureTooLargeError
        The header names more than `max_pixels` pixels; nothing was decoded.
    PictureTooCostlyError
        There isn't the memory that it takes.
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
        return _read(image, data, deep=deep)
    except MemoryError as error:
        raise PictureTooCostlyError(
            f"Reading the {image.format} picture of {image.width}x{image.height} px takes more memory than there is."
        ) from error
    except PictureError:
        raise
    except Exception as error:  # Pillow's readers trip over strange bytes in ever new ways
        raise PictureError(f"The {image.format} picture is broken or cut short: {_said(error)}.") from error


def encode(picture: Picture, *, format: PictureFormat = "png", recipe: str | None = None) -> bytes:  # noqa: A002  # the word users know
    """Write a picture with its recipe inside; the same picture and recipe give the same bytes.

    16 bits per channel stay so in PNG alone; JPEG and WebP hold 8. JPEG holds no transparency: transparent parts
    become white.
    """
    if format == "png" and picture.rgb.dtype == np.uint16:
        text = (embedding.KEY, recipe) if recipe is not None else None
        return deep_colour.write_png(_stacked(picture), icc_profile=picture.icc_profile, text=text)
    picture = _shallow(picture)
    out = io.BytesIO()
    image = _flattened(picture) if format == "jpeg" else _layered(picture)
    options: dict[str, Any] = {"icc_profile": picture.icc_profile} if picture.icc_profile else {}
    image.save(out, format=format, **options, **_quality(format), **embedding.options(format, recipe))
    return out.getvalue()


def read_recipe(data: bytes) -> str | None:
    """Return the recipe that `encode` put into a picture; None where there is none."""
    return embedding.read(_open(data))


def preview_jpeg(rgb: Pixels, max_side: int = 512) -> bytes:
    """Return a small JPEG, its longer side at most `max_side` px."""
    image = Image.fromarray(to_8_bit(rgb))
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
    except MemoryError as error:
        raise PictureTooCostlyError("Reading the picture's header takes more memory than there is.") from error
    except Exception as error:  # as above
        raise PictureError(
            f"The file is no picture of a format known here ({', '.join(FORMATS)}), whatever its name says."
        ) from error


def _said(error: Exception) -> str:
    """Return an error's text as one short line."""
    return "".join(letter for letter in str(error) if letter.isprintable())[:LONGEST_DETAIL]


def to_8_bit(levels: Pixels) -> NDArray[np.uint8]:
    """Return levels as 8-bit ones, the nearest to 16-bit ones: 65535 is 257 times 255."""
    if levels.dtype == np.uint8:
        return cast("NDArray[np.uint8]", levels)
    return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _read(image: Image.Image, data: bytes, *, deep: bool) -> Picture:
    notices = _frames(image)
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    image.load()  # what is broken is found here, before anything else reads it
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers; save it with 8 or 16 bits per channel")
    if image.mode.startswith("I"):
        picture = _of_samples(_grey_samples(ImageOps.exif_transpose(image)))
    elif deep and deep_colour.is_deep(image, data):
        picture = _of_samples(_turned(deep_colour.read(data, str(image.format).lower()), orientation))
    else:
        picture = _of_8_bit(ImageOps.exif_transpose(image))
    profile, said = colour_space.of(image)
    whole = replace(picture, icc_profile=profile, notices=(*notices, *said))
    return whole if deep else _shallow(whole)


def _of_8_bit(upright: Image.Image) -> Picture:
    in_rgb = colour_space.to_rgb(upright)
    if in_rgb.has_transparency_data:
        rgba = np.asarray(in_rgb.convert("RGBA"))
        return Picture(rgba[..., :3].copy(), rgba[..., 3].copy())
    return Picture(np.array(in_rgb.convert("RGB")))


def _of_samples(samples: NDArray[np.uint16]) -> Picture:
    """Return (H, W, 1, 2, 3 or 4) uint16 as a picture."""
    channels = samples.shape[2]
    has_alpha = channels in {2, 4}
    colours = samples[..., : channels - has_alpha]
    rgb = np.broadcast_to(colours, (*samples.shape[:2], 3))
    return Picture(np.ascontiguousarray(rgb), np.ascontiguousarray(samples[..., -1]) if has_alpha else None)


def _grey_samples(image: Image.Image) -> NDArray[np.uint16]:
    """Return grey of more than 8 bits as (H, W, 1), or as (H, W, 2) where a shade stands for transparency."""
    grey = np.clip(np.asarray(image).astype(np.int64), 0, DEEP_WHITE).astype(np.uint16)
    clear = image.info.get("transparency")
    if clear is None:
        return grey[..., None]
    return np.stack([grey, np.where(grey == clear, 0, DEEP_WHITE).astype(np.uint16)], axis=-1)


def _turned(samples: NDArray[np.uint16], orientation: int) -> NDArray[np.uint16]:
    """Return samples upright, as the EXIF orientation of 1 to 8 tells."""
    if orientation in {5, 6, 7, 8}:
        samples = samples.swapaxes(0, 1)
    down = -1 if orientation in {3, 4, 7, 8} else 1
    along = -1 if orientation in {2, 3, 6, 7} else 1
    return samples[::down, ::along]


def _frames(image: Image.Image) -> tuple[str, ...]:
    frames = getattr(image, "n_frames", 1) if image.format in MOVING_FORMATS else 1
    if frames == 1:
        return ()
    return (f"The {image.format} holds {frames} frames; only the first is dreamt.",)


def _shallow(picture: Picture) -> Picture:
    alpha = None if picture.alpha is None else to_8_bit(picture.alpha)
    return replace(picture, rgb=to_8_bit(picture.rgb), alpha=alpha)


def _stacked(picture: Picture) -> NDArray[np.uint16]:
    if picture.alpha is None:
        return cast("NDArray[np.uint16]", picture.rgb)
    alpha = picture.alpha if picture.alpha.dtype == np.uint16 else picture.alpha.astype(np.uint16) * np.uint16(257)
    return np.dstack([picture.rgb, alpha])


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
        "png": {"compress_type": PNG_STRATEGY},
        "jpeg": {"quality": JPEG_QUALITY, "subsampling": 0},
        "webp": {"lossless": True, "exact": True},
    }
    return options[format]

"""Colour profiles: those of RGB pictures are kept, others are turned into sRGB. Imports no TensorFlow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Sequence

RGB_SPACE = "RGB "
CONVERTED = {"L": "GRAY", "LA": "GRAY", "CMYK": "CMYK"}


def of(image: Image.Image) -> tuple[bytes | None, Sequence[str]]:
    """Return the profile that a picture's RGB values keep, and what is to be said about one that they don't."""
    profile = image.info.get("icc_profile")
    space = _space(profile)
    if space is None or _is_converted(image, space):
        return None, ()
    if space == RGB_SPACE and image.mode != "CMYK":
        return profile, ()
    return None, ("The picture's colour profile doesn't fit its colours and is left out.",)


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a grey or CMYK picture that has a profile in sRGB; any other one as it is."""
    profile = image.info.get("icc_profile")
    if profile is None or not _is_converted(image, _space(profile)):
        return image
    colours = image.getchannel("L") if image.mode == "LA" else image
    srgb = ImageCms.createProfile("sRGB")
    rgb = ImageCms.profileToProfile(colours, io.BytesIO(profile), srgb, outputMode="RGB")
    if rgb is None:
        return image
    if image.mode == "LA":
        rgb.putalpha(image.getchannel("A"))
    return rgb


def _is_converted(image: Image.Image, space: str | None) -> bool:
    return space is not None and CONVERTED.get(image.mode) == space


def _space(profile: bytes | None) -> str | None:
    if not profile:
        return None
    try:
        return str(ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space)
    except (OSError, ImageCms.PyCMSError):
        return "unknown"

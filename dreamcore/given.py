"""The pictures that a dream is given: their types, and whether they go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dreamcore.backend import ops
from dreamcore.errors import DreamError, MaskError, PictureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.models import Model
    from dreamcore.params import DreamParams

Tensor = Any
Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Mask = NDArray[np.uint8]
AnyPixels = TypeVar("AnyPixels", bound=NDArray[Any])

HALF_RANGES = {np.dtype(np.uint8): 127.5, np.dtype(np.uint16): 32767.5}


def to_range(image: Pixels) -> Tensor:
    """Return (H, W, 3) uint8 or uint16 as a (1, H, W, 3) float32 tensor in [-1, 1]."""
    half_range = np.float32(HALF_RANGES[image.dtype])
    scaled = image[None].astype(np.float32)
    scaled /= half_range
    scaled -= np.float32(1)
    return ops.convert_to_tensor(scaled)


def several(pictures: AnyPixels | Sequence[AnyPixels] | None) -> tuple[AnyPixels, ...]:
    """Return none, one or several pictures as a tuple."""
    if pictures is None:
        return ()
    return (pictures,) if isinstance(pictures, np.ndarray) else tuple(pictures)


def check_given(
    image: Pixels, params: DreamParams, guides: Sequence[Pixels], masks: Sequence[Mask], *, model: Model
) -> None:
    """Raise `PictureError`, `MaskError`, `GuideError` or `DreamError` where these don't go together."""
    for name, picture in (("image", image), *(("guide", guide) for guide in guides)):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype not in HALF_RANGES:  # noqa: PLR2004  # RGB
            raise PictureError(
                f"The {name} is an array of {picture.dtype} with shape {picture.shape}; (height, width, 3) of uint8 "
                "or uint16 is taken. `dreamcore.pictures.decode` makes it from a file."
            )
    if model.name != params.model:
        raise DreamError(f"The model given is {model.name}, the parameters name {params.model}. Make them agree.")
    params.check_guides([guide.shape[:2] for guide in guides])
    for mask in masks:
        _check_mask(mask)
    params.check_masks([mask.shape[:2] for mask in masks], picture=image.shape[:2])


def _check_mask(mask: Mask) -> None:
    if mask.ndim != 2 or mask.dtype != np.uint8:  # noqa: PLR2004  # rows and columns
        raise MaskError(
            f"The mask is an array of {mask.dtype} with shape {mask.shape}; (height, width) of uint8 is taken. "
            "`dreamcore.masks.mask_of` makes it from a picture."
        )

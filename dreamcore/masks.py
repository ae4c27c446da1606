"""Pictures in grey that say where to dream: white here, black not at all. Imports no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dreamcore.errors import MaskError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dreamcore.octaves import Size
    from dreamcore.pictures import Picture

LUMINANCE = (0.299, 0.587, 0.114)
LEAST_WHITE = 1 / 255


def mask_of(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture's brightness as a mask, (H, W) uint8; what is transparent is black."""
    white = 255 if picture.rgb.dtype == np.uint8 else 65535
    grey: NDArray[np.float32] = picture.rgb.astype(np.float32) @ np.array(LUMINANCE, np.float32)
    if picture.alpha is not None:
        grey *= picture.alpha / np.float32(255 if picture.alpha.dtype == np.uint8 else 65535)
    mask: NDArray[np.uint8] = np.rint(grey * np.float32(255 / white)).astype(np.uint8)
    return mask


def check_mask_size(mask: Size, picture: Size) -> None:
    """Raise `MaskError` where a mask, (height, width) in px, is of another size than the picture."""
    if tuple(mask) != tuple(picture):
        raise MaskError(
            f"The mask is {mask[1]}x{mask[0]} px, the picture {picture[1]}x{picture[0]} px. "
            "Make the mask as large as the picture, turned the same way."
        )


def feathered(mask: NDArray[np.uint8], *, feather_px: float) -> NDArray[np.float32]:
    """Return how much of a dream to let through, (H, W) in 0..1: from 0 at a black edge to all within its feather.

    m' = gaussian(erode(m, r), r / 3), cut off at r = feather / 2. The fading lies within the white, so that black
    stays black.

    Parameters
    ----------
    mask : (H, W) uint8
    feather_px
        How wide the fading is.

    Raises
    ------
    MaskError
        Nothing of the white is left.
    """
    reach = round(feather_px / 2)
    soft: NDArray[np.float32] = mask.astype(np.float32) / np.float32(255)
    if reach:
        for axis in (0, 1):
            soft = _eroded(soft, reach, axis=axis)
        for axis in (0, 1):
            soft = _blurred(soft, reach, axis=axis)
    if soft.max(initial=0) < LEAST_WHITE:
        raise MaskError(_nothing_left(mask, feather_px))
    return np.minimum(soft, np.float32(1), out=soft)


def _nothing_left(mask: NDArray[np.uint8], feather_px: float) -> str:
    if mask.max(initial=0) == 0:
        return "The mask is black all over, so that nothing is dreamt. Make white what is to dream."
    return (
        f"A feather of {feather_px:g} px leaves nothing of the mask's white, which is nowhere so wide. "
        "Make feather smaller, or the white larger."
    )


def _eroded(values: NDArray[np.float32], reach: int, *, axis: int) -> NDArray[np.float32]:
    """Return the least value within reach along an axis, whose ends go on as they are."""
    least = _lengthened(values, reach, axis=axis)
    span, whole = 1, 2 * reach + 1
    while span < whole:
        by = min(span, whole - span)
        least = np.minimum(_cut(least, 0, -by, axis=axis), _cut(least, by, None, axis=axis))
        span += by
    return least


def _blurred(values: NDArray[np.float32], reach: int, *, axis: int) -> NDArray[np.float32]:
    """Return Gaussian means along an axis, of standard deviation reach / 3 and cut off there."""
    samples = np.exp(-0.5 * (np.arange(-reach, reach + 1) * 3 / reach) ** 2)
    shares = (samples / samples.sum()).astype(np.float32)
    long = _lengthened(values, reach, axis=axis)
    blurred = np.zeros_like(values)
    for start, share in enumerate(shares):
        blurred += share * _cut(long, start, start + values.shape[axis], axis=axis)
    return blurred


def _lengthened(values: NDArray[np.float32], reach: int, *, axis: int) -> NDArray[np.float32]:
    widths = [(0, 0), (0, 0)]
    widths[axis] = (reach, reach)
    return np.pad(values, widths, mode="edge")


def _cut(values: NDArray[np.float32], start: int, stop: int | None, *, axis: int) -> NDArray[np.float32]:
    return values[start:stop] if axis == 0 else values[:, start:stop]

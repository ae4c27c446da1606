"""A dream within a mask: how far each pixel may move, and the photo that stays around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import ops
from dreamcore.given import to_range
from dreamcore.pyramid import BAND_PX
from dreamcore.resizing import resized

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dreamcore.given import Pixels
    from dreamcore.octaves import Size

Tensor = Any


def resized_mask(mask: Tensor, size: Size) -> Tensor:
    """Resize (N, H, W, 1) by means; what is 0 or 1 far around stays so. At its own size it is returned itself."""
    if tuple(mask.shape[1:3]) == tuple(size):
        return mask
    return ops.clip(resized(mask, size, kernel="bilinear", antialias=True), 0.0, 1.0)


class Confinement:
    """Keeps a dream to where a mask lets it.

    Parameters
    ----------
    mask : (H, W) float32
        Share of each move that is made; where it is 0 the result is the photo, to the bit.
    photo : (H, W, 3) uint8 or uint16
    blended
        Whether the result fades into the photo by the mask: for dreams that don't keep the photo's detail. Others have
        faded already, by moving less.
    """

    def __init__(self, mask: NDArray[np.float32], photo: Pixels, *, blended: bool) -> None:
        self._mask = mask[None, :, :, None]
        self._outside = mask == 0
        self._photo = photo
        self._blended = blended

    def at(self, size: Size) -> Tensor:
        """Return the mask for an image of a size, (1, h, w, 1)."""
        return resized_mask(self._mask, size)

    def finished(self, image: Tensor) -> Tensor:
        """Return a dreamt image of the photo's size, (1, H, W, 3), as it fades into the photo."""
        if not self._blended:
            return image
        faded = np.empty(image.shape, np.float32)
        for start in range(0, image.shape[1], BAND_PX):
            rows = (slice(None), slice(start, start + BAND_PX))
            photo = to_range(self._photo[rows[1]])
            faded[rows] = np.asarray(photo + self._mask[rows] * (image[rows] - photo))
        return faded

    def restored(self, pixels: NDArray[Any], photo: NDArray[Any]) -> NDArray[Any]:
        """Return whole pixels with the photo's own where nothing was to be dreamt."""
        return np.where(self._outside[..., None], photo, pixels)

"""A dream within a mask: how far each pixel may move, and the photo that stays around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import ops
from dreamcore.resizing import resized

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dreamcore.octaves import Size

Tensor = Any


def resized_mask(mask: Tensor, size: Size) -> Tensor:
    """Resize (N, H, W, 1) by means; what is 0 or 1 far around stays so."""
    return ops.clip(resized(mask, size, kernel="bilinear", antialias=True), 0.0, 1.0)


class Confinement:
    """Keeps a dream to where a mask lets it.

    Parameters
    ----------
    mask : (H, W) float32
        Share of each move that is made; where it is 0 the result is the photo, to the bit.
    photo : (1, H, W, 3) float32
    blended
        Whether the result fades into the photo by the mask: for dreams that don't keep the photo's detail. Others have
        faded already, by moving less.
    """

    def __init__(self, mask: NDArray[np.float32], photo: Tensor, *, blended: bool) -> None:
        self._mask = ops.convert_to_tensor(mask[None, :, :, None])
        self._outside = mask == 0
        self._photo = photo
        self._blended = blended

    def at(self, size: Size) -> Tensor:
        """Return the mask for an image of a size, (1, h, w, 1)."""
        return resized_mask(self._mask, size)

    def finished(self, image: Tensor) -> Tensor:
        """Return a dreamt image of the photo's size, (1, H, W, 3), as it fades into the photo."""
        return self._photo + self._mask * (image - self._photo) if self._blended else image

    def restored(self, pixels: NDArray[Any], photo: NDArray[Any]) -> NDArray[Any]:
        """Return whole pixels with the photo's own where nothing was to be dreamt."""
        return np.where(self._outside[..., None], photo, pixels)

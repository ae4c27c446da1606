"""How images change their size between octaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import ops

if TYPE_CHECKING:
    from dreamcore.octaves import Size
    from dreamcore.profiles import Kernel

Tensor = Any


def resized(images: Tensor, size: Size, *, kernel: Kernel, antialias: bool = False) -> Tensor:
    """Resize (N, H, W, C); at their own size images stay bit for bit the same.

    "bilinear" and "bicubic" put sample centres on half pixels; "corner-aligned" is bilinear with the first and the
    last samples of both sizes in the same place.
    """
    if tuple(images.shape[1:3]) == tuple(size):
        return images
    if kernel != "corner-aligned":
        return ops.image.resize(images, size, interpolation=kernel, antialias=antialias)
    return _interpolated(_interpolated(images, size[0], axis=1), size[1], axis=2)


def _interpolated(images: Tensor, length: int, *, axis: int) -> Tensor:
    """Sample an axis at i * (old - 1) / (new - 1), linearly between neighbours."""
    last = images.shape[axis] - 1
    place = np.linspace(0, last, length)
    before = np.minimum(place.astype(np.int32), last)
    shape = [1, 1, 1, 1]
    shape[axis] = length
    share = (place - before).astype(np.float32).reshape(shape)
    low, high = (ops.take(images, index, axis=axis) for index in (before, np.minimum(before + 1, last)))
    return low + (high - low) * share

"""What pulls an image back: against flicker between neighbours, and against extreme values."""

from __future__ import annotations

from typing import Any

from dreamcore.backend import ops

Tensor = Any

SOFT = 0.1


def penalty_slope(images: Tensor, *, total_variation: Tensor, l2: Tensor) -> Tensor:
    """Return the gradient of the penalties by the images.

    P = total_variation * sum sqrt(d^2 + 0.1^2) + l2 * sum x^2 / 2,  d: each difference of neighbours

    It is subtracted from the normalised gradient, so that a weight means the same for every model and layer.

    Parameters
    ----------
    images : (N, H, W, 3) float32 in [-1, 1]
    total_variation, l2 : (N, 1, 1, 1) float32

    Returns
    -------
    (N, H, W, 3) float32
    """
    return total_variation * (_roughness(images, 1) + _roughness(images, 2)) + l2 * images


def _roughness(images: Tensor, axis: int) -> Tensor:
    steps = ops.diff(images, axis=axis)
    slope = steps / ops.sqrt(ops.square(steps) + SOFT**2)
    return _padded(slope, axis, before=1) - _padded(slope, axis, before=0)


def _padded(x: Tensor, axis: int, *, before: int) -> Tensor:
    widths = [[0, 0] for _ in range(4)]
    widths[axis] = [before, 1 - before]
    return ops.pad(x, widths)

"""A gradient split into scales, each made equally strong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

Tensor = Any

LEAST_RMS = 1e-10
TAPS = np.array([1, 4, 6, 4, 1], np.float32) / 16


def evened_by_scale(gradient: Tensor, splits: int) -> Tensor:
    """Divide each level of a gradient's Laplacian pyramid by its root mean square, and put the levels together again.

    lo_k+1 = down(lo_k), hi_k = lo_k - up(lo_k+1);  each / max(rms, 1e-10);  g_k = up(g_k+1) + hi_k

    Parameters
    ----------
    gradient : (N, H, W, 3) float32
    splits
        Number of levels below the finest.

    Returns
    -------
    (N, H, W, 3) float32, dimensionless. Images never influence each other.

    References
    ----------
    .. [1] Burt, Adelson, "The Laplacian Pyramid as a Compact Image Code", 1983; "lapnorm" in `docs/recipes.md`.
    """
    levels = []
    for _ in range(splits):
        low = _halved(gradient)
        levels.append(gradient - _doubled(low, gradient))
        gradient = low
    merged = _evened(gradient)
    for level in reversed(levels):
        merged = _doubled(merged, level) + _evened(level)
    return merged


def _evened(level: Tensor) -> Tensor:
    strength = ops.sqrt(ops.mean(ops.square(level), axis=(1, 2, 3), keepdims=True))
    return level / ops.maximum(strength, LEAST_RMS)


def _halved(x: Tensor) -> Tensor:
    return ops.depthwise_conv(x, np.tile(np.outer(TAPS, TAPS)[:, :, None, None], (1, 1, 3, 1)), 2, "same")


def _doubled(low: Tensor, like: Tensor) -> Tensor:
    """Enlarge to the size of `like`; four times the transpose of `_halved`."""
    height, width = ops.shape(like)[1:3]
    sparse = spread(spread(low, height, axis=1), width, axis=2)
    filtered = ops.depthwise_conv(sparse, doubling_filter(axis=1), padding="valid")
    return ops.depthwise_conv(filtered, doubling_filter(axis=2), padding="valid")


def doubling_filter(*, axis: int) -> NDArray[np.float32]:
    """Return what smooths an axis that was spread, as a kernel for each of three colours."""
    shape = [1, 1, 1, 1]
    shape[axis - 1] = len(TAPS)
    return np.tile(2 * TAPS.reshape(shape), (1, 1, 3, 1))


def spread(low: Tensor, length: Tensor, *, axis: int) -> Tensor:
    """Put zeros between an axis' samples, and around them so that a filter of five taps leaves `length` samples.

    Halving pads an odd length by 2 before its start, an even one by 1; the transpose takes off as much.
    """
    pairs = ops.stack([low, ops.zeros_like(low)], axis=axis + 1)
    shape = list(ops.shape(low))
    shape[axis] = -1
    flat = ops.reshape(pairs, shape)
    widths = [[0, 0] for _ in range(4)]
    widths[axis] = [3, 3]
    return _cut(ops.pad(flat, widths), length % 2, length + 4, axis=axis)


def _cut(x: Tensor, start: Tensor, length: Tensor, *, axis: int) -> Tensor:
    return ops.take(x, ops.arange(0, length, dtype="int32") + start, axis=axis)

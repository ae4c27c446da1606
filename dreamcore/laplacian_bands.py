"""A gradient split into scales, each made equally strong, in bands of rows: as `dreamcore.laplacian` does at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import ops
from dreamcore.laplacian import LEAST_RMS, TAPS, doubling_filter, spread
from dreamcore.tiles import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Rows = Callable[[Span], Floats]
    Split = Callable[[int], Iterable[Span]]

REACH = len(TAPS) // 2


def evened_in_bands(values: Rows, shape: tuple[int, ...], splits: int, *, bands: Split) -> Rows:
    """Return bands of what `dreamcore.laplacian.evened_by_scale` makes of the whole.

    Beside bands, the levels below the finest are kept, twice each: two thirds of an image's memory.

    Parameters
    ----------
    values
        Gives any rows of a gradient.
    shape
        Of the whole gradient, (1, H, W, 3).
    splits
        Number of levels below the finest.
    bands
        Splits a level's height.
    """
    if not splits:
        return _evened(values, shape, bands)
    low = _halved(values, shape, bands)
    below = evened_in_bands(lambda band: low[:, slice(*band)], low.shape, splits - 1, bands=bands)
    merged = np.empty_like(low)
    for band in bands(low.shape[1]):
        merged[:, slice(*band)] = below(Span(*band))
    level = _evened(lambda band: values(band) - _doubled(low, band, shape), shape, bands)
    return lambda band: _doubled(merged, band, shape) + level(band)


def _evened(values: Rows, shape: tuple[int, ...], bands: Split) -> Rows:
    total = sum(float(np.square(values(band)).sum(dtype=np.float64)) for band in bands(shape[1]))
    strength = np.float32(max(np.sqrt(total / np.prod(shape)), LEAST_RMS))
    return lambda band: values(band) / strength


def _halved(values: Rows, shape: tuple[int, ...], bands: Split) -> Floats:
    """Return the next level, each axis half as long, made band by band."""
    _, height, width, colours = shape
    low = np.empty((1, -(-height // 2), -(-width // 2), colours), np.float32)
    left = _padding(width)
    right = 2 * (low.shape[2] - 1) + len(TAPS) - width - left
    kernel = np.tile(np.outer(TAPS, TAPS)[:, :, None, None], (1, 1, colours, 1))
    for band in bands(low.shape[1]):
        first = 2 * band.start - _padding(height)
        last = 2 * (band.stop - 1) - _padding(height) + len(TAPS)
        there = values(Span(max(0, first), min(height, last)))
        rows = (max(0, -first), max(0, last - height))
        padded = np.pad(there, ((0, 0), rows, (left, right), (0, 0)))
        low[:, slice(*band)] = np.asarray(ops.depthwise_conv(padded, kernel, 2, "valid"))
    return low


def _doubled(low: Floats, band: Span, shape: tuple[int, ...]) -> Floats:
    """Return some rows of a level enlarged to a shape."""
    _, height, width, _ = shape
    first = band.start + height % 2 - len(TAPS) // 2 - 1
    count = band.stop - band.start + len(TAPS) - 1
    begin, end = max(0, -(-first // 2)), min(low.shape[1], (first + count - 1) // 2 + 1)
    rows = np.zeros((1, count, *low.shape[2:]), np.float32)
    rows[:, 2 * begin - first : 2 * (end - 1) - first + 1 : 2] = low[:, begin:end]
    filtered = ops.depthwise_conv(rows, doubling_filter(axis=1), padding="valid")
    wide: Any = ops.depthwise_conv(spread(filtered, width, axis=2), doubling_filter(axis=2), padding="valid")
    return np.asarray(wide)


def _padding(length: int) -> int:
    """Return how many zeros stand before an axis that is halved."""
    return REACH if length % 2 else REACH - 1

"""The move along a gradient made band by band, in place, for images of which few copies fit the memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.ascent import Move
from dreamcore.backend import ops
from dreamcore.gradients import (
    GLOBAL_SHARE,
    LEAST_MEAN,
    LEAST_STD,
    NEIGHBOURHOOD_PX,
    TINY,
    gaussian,
    greyed,
    smoothed,
    smoothed_thrice,
)
from dreamcore.laplacian_bands import evened_in_bands
from dreamcore.optimisers import advanced
from dreamcore.regularisers import penalty_slope
from dreamcore.tiles import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from dreamcore.ascent import StepRules

    Floats = NDArray[np.float32]
    Rows = Callable[[Span], Floats]

BLOCK_PX = NEIGHBOURHOOD_PX // 2
BLOCKS = 4
"""Blocks to a band: enough to make halos cheap, few enough to take little memory."""
THRICE_REACH_PX = 4


def move_in_bands(
    image: Floats,
    gradient: Floats,
    moves: Floats,
    memory: Sequence[Floats],
    masks: Sequence[Floats] = (),
    *,
    rules: StepRules,
    blocks: int = BLOCKS,
) -> None:
    """Move an image one step along its gradient, as `dreamcore.ascent.moved` does, in the memory of a few bands.

    Parameters
    ----------
    image : (1, H, W, 3) float32
        Changed in place, and so is `memory`.
    gradient : (1, H, W, 3) float32
    moves : (1, 6) float32
        As in `Move`.
    memory
        What the optimiser remembers: arrays like the image.
    masks : of (1, H, W, 1) float32
        That confine the dream.
    rules
    blocks
        Rows of a band, in units of 32 px.
    """
    bands = list(_bands(image.shape[1], blocks))
    move = Move(*(np.reshape(number, (1, 1, 1, 1)) for number in moves[0]))
    blurred = partial(_blurred, gradient, move.sigma_px.item(), rules)
    even = _evened_by_scale(blurred, gradient.shape, rules.laplacian, blocks) if rules.laplacian else blurred
    direction = _normalised(even, bands, gradient.shape, rules.normalise)
    above = image[:, :0]
    for band in bands:
        rows = slice(*band)
        way = direction(band)
        if rules.penalised:
            way = way - _penalty(above, image, band, move, rules)
        above = image[:, band.stop - 1 : band.stop].copy()
        kept = [each[:, rows] for each in memory]
        way, remembered = advanced(way, kept, optimiser=rules.optimiser, momentum=move.momentum, count=move.count)
        for mask in masks:
            way = way * mask[:, rows]
        there = image[:, rows] + np.asarray(move.step_size * way)
        image[:, rows] = np.clip(there, -1.0, 1.0) if rules.clip else there
        for each, new in zip(kept, remembered, strict=True):
            each[...] = np.asarray(new)


def _evened_by_scale(values: Rows, shape: tuple[int, ...], splits: int, blocks: int) -> Rows:
    return evened_in_bands(values, shape, splits, bands=lambda height: _bands(height, blocks))


def mean_magnitude(gradient: Floats, *, blocks: int = BLOCKS) -> Floats:
    """Return the mean absolute gradient, (1,)."""
    bands = _bands(gradient.shape[1], blocks)
    return np.array([_sum(lambda band: np.abs(gradient[:, slice(*band)]), bands) / gradient.size], np.float32)


def _bands(height: int, blocks: int) -> Iterator[Span]:
    """Split rows into bands that end where blocks do."""
    ends = _block_ends(height)[::blocks]
    starts = [0, *(int(end) for end in ends[1:] if 0 < end < height)]
    return (Span(start, stop) for start, stop in zip(starts, [*starts[1:], height], strict=True))


def _block_ends(length: int) -> NDArray[np.int64]:
    """Return where an axis' blocks begin and end: two neighbours make a window of a pool of 64 by 32, padded "same"."""
    windows = -(-length // BLOCK_PX)
    padding = (windows + 1) * BLOCK_PX - length
    return np.clip(np.arange(windows + 2) * BLOCK_PX - padding // 2, 0, length)


def _blurred(gradient: Floats, sigma_px: float, rules: StepRules, band: Span) -> Floats:
    """Return a band of the gradient, of one brightness and blurred as the whole is, by what lies around it."""
    reach = _reach_px(rules)
    around = Span(max(0, band.start - reach), min(gradient.shape[1], band.stop + reach))
    part = gradient[:, slice(*around)]
    if rules.keep_colors:
        part = greyed(part)
    if rules.smoothing_growth_px:
        part = smoothed_thrice(part, np.array([sigma_px], np.float32))
    else:
        part = smoothed(part, rules.smoothing_px)
    return np.asarray(part)[:, band.start - around.start : band.stop - around.start]


def _reach_px(rules: StepRules) -> int:
    if rules.smoothing_growth_px:
        return THRICE_REACH_PX
    return len(gaussian(rules.smoothing_px)) // 2 if rules.smoothing_px else 0


def _normalised(values: Rows, bands: Sequence[Span], shape: tuple[int, ...], rule: str) -> Rows:
    """Return the bands scaled by a rule of `dreamcore.gradients.normalised`, over the whole image."""
    if rule == "none":
        return values
    if rule == "local":
        values = _evened(values, bands, shape)
    mean, square, magnitude = _moments(values, bands, int(np.prod(shape)))
    std = float(np.sqrt(max(0.0, square - mean**2)))
    offset, scale = {
        "mean-abs": (0.0, max(magnitude, LEAST_MEAN)),
        "l2": (0.0, float(np.sqrt(square)) + LEAST_STD),
        "centred": (mean, max(std, TINY)),
        "std": (0.0, std + LEAST_STD),
        "local": (0.0, std + LEAST_STD),
    }[rule]
    return lambda band: (values(band) - np.float32(offset)) / np.float32(scale)


def _evened(values: Rows, bands: Sequence[Span], shape: tuple[int, ...]) -> Rows:
    """Return the bands divided by their strength nearby, as `dreamcore.gradients.evened` divides the whole."""
    _, height, width, _ = shape
    rows, columns = _block_ends(height), _block_ends(width)
    sums = np.zeros((len(rows) - 1, len(columns) - 1))
    for band in bands:
        power = np.mean(np.square(values(band)), axis=-1)[0]
        for block in np.flatnonzero((rows[:-1] >= band.start) & (rows[:-1] < band.stop)):
            within = power[rows[block] - band.start : rows[block + 1] - band.start].sum(axis=0, dtype=np.float64)
            sums[block] = np.diff(np.append(0.0, np.cumsum(within))[columns])
    overall = sums.sum() / (height * width)
    nearby = np.asarray(ops.average_pool(_pooled(sums, rows, columns)[None, :, :, None], 3, 1, "same"))[0, :, :, 0]
    least = GLOBAL_SHARE * np.sqrt(overall) + LEAST_STD**2

    def even(band: Span) -> Floats:
        across = _sampled(nearby, Span(*band), height, axis=0)
        strength = np.sqrt(_sampled(across, Span(0, width), width, axis=1)) + np.float32(least)
        return values(band) / strength[None, :, :, None]

    return even


def _pooled(sums: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    """Return the means of windows two blocks wide, a block apart."""
    for axis in (0, 1):
        sums = np.delete(sums, -1, axis) + np.delete(sums, 0, axis)
    areas = np.outer(rows[2:] - rows[:-2], columns[2:] - columns[:-2])
    return (sums / areas).astype(np.float32)


def _sampled(coarse: Floats, part: Span, length: int, *, axis: int) -> Floats:
    """Return a part of an axis that is enlarged to a length linearly, sample centres on half pixels."""
    last = coarse.shape[axis] - 1
    place = (np.arange(*part) + 0.5) * (last + 1) / length - 0.5
    before = np.floor(place).astype(int)
    share = (place - before).astype(np.float32)
    low, high = (np.take(coarse, np.clip(before + by, 0, last), axis) for by in (0, 1))
    sampled: Floats = low + (high - low) * (share[:, None] if axis == 0 else share[None, :])
    return sampled


def _moments(values: Rows, bands: Sequence[Span], count: int) -> tuple[float, float, float]:
    """Return the mean, the mean square and the mean magnitude."""
    sums = np.zeros(3)
    for band in bands:
        part = values(band)
        sums += [f(part).sum(dtype=np.float64) for f in (np.asarray, np.square, np.abs)]
    mean, square, magnitude = sums / count
    return float(mean), float(square), float(magnitude)


def _sum(values: Rows, bands: Iterator[Span]) -> float:
    return float(sum(values(band).sum(dtype=np.float64) for band in bands))


def _penalty(above: Floats, image: Floats, band: Span, move: Move, rules: StepRules) -> Any:
    """Return the penalties' slope in a band; the row above it has moved already, so it is given as it was."""
    around = np.concatenate([above, image[:, band.start : band.stop + 1]], axis=1)
    slope = penalty_slope(around, total_variation=move.total_variation, l2=move.l2_penalty)
    inner = slope[:, above.shape[1] : above.shape[1] + band.stop - band.start]
    return np.asarray(greyed(inner) if rules.keep_colors else inner)

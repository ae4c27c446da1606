"""A step whose gradient is taken tile by tile, in the memory of one tile."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.ascent import input_layers, parted, rolled_inputs
from dreamcore.backend import ops, rolled
from dreamcore.bands import mean_magnitude, move_in_bands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dreamcore.ascent import StepRules
    from dreamcore.models import Model
    from dreamcore.tiles import Tile

Tensor = Any


def tiled_step(model: Model, rules: StepRules, tiles: Sequence[Tile]) -> Callable[..., Any]:
    """Return a step that takes and returns what the compiled one of `dreamcore.ascent.compile_step` does.

    Parameters
    ----------
    model, rules
    tiles
        Of an image of the size that the step is called with.
    """
    tile_gradient, move = model.step_halves(rules)

    def step(images: Tensor, shifts: Tensor, moves: Tensor, term_weights: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        memory, inputs, masks = parted(rules, more)
        turned = np.asarray(rolled(images, ops.cast(ops.round(shifts), "int32")))
        wholes = [np.asarray(given) for given in rolled_inputs(model.spec, rules, inputs, shifts)]
        divisors = _divisors(model, rules, turned.shape)
        losses, gradient = np.zeros(len(turned), np.float32), np.zeros_like(turned)
        for tile in tiles:
            place = (slice(None), slice(*tile.rows), slice(*tile.columns))
            around = _cropped(rules, wholes, tile)
            loss, slope = tile_gradient(turned[place], term_weights, divisors, *tile.counted, *around)
            losses += np.asarray(loss)
            gradient[place] += np.asarray(slope)
        there, slopes, *remembered = move(images, gradient, shifts, moves, *memory, *masks)
        return there, losses, slopes, *remembered

    return step


def banded_step(model: Model, rules: StepRules, tiles: Sequence[Tile]) -> Callable[..., Any]:
    """Return what `tiled_step` returns, for one image, a NumPy array, that it and its memory are changed in place.

    Beside the image there is its gradient, and a tile or a few bands.
    """
    tile_gradient, _ = model.step_halves(rules)

    def step(image: Tensor, shifts: Tensor, moves: Tensor, term_weights: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        memory, inputs, masks = parted(rules, more)
        shift = np.rint(np.asarray(shifts)).astype(int)
        wholes = [np.asarray(given) for given in rolled_inputs(model.spec, rules, inputs, shifts)]
        divisors = _divisors(model, rules, image.shape)
        losses, gradient = np.zeros(1, np.float32), np.zeros_like(image)
        for tile in tiles:
            place = _place(tile, image.shape, shift[0])
            around = _cropped(rules, wholes, tile)
            loss, slope = tile_gradient(image[place], term_weights, divisors, *tile.counted, *around)
            losses += np.asarray(loss)
            gradient[place] += np.asarray(slope)
        if not rules.wrapped:
            _unwrap(gradient, shift[0])
        slopes = mean_magnitude(gradient)
        move_in_bands(image, gradient, moves, memory, [np.asarray(mask) for mask in masks], rules=rules)
        return image, losses, slopes, *memory

    return step


def _place(tile: Tile, shape: tuple[int, ...], shift: NDArray[np.int64]) -> tuple[Any, ...]:
    """Return where a tile of a rolled image lies in the image itself."""
    rows, columns = (
        (np.arange(*span) - by) % length
        for span, by, length in zip((tile.rows, tile.columns), shift, shape[1:3], strict=True)
    )
    return slice(None), rows[:, None], columns[None, :]


def _unwrap(gradient: NDArray[np.float32], shift: NDArray[np.int64]) -> None:
    """Drop, in place, what `dreamcore.gradients.unwrapped` drops."""
    for axis, by in zip((1, 2), shift, strict=True):
        crossed = slice(0, -by) if by < 0 else slice(gradient.shape[axis] - by, None)
        gradient[(slice(None),) * axis + (crossed,)] = 0


def _cropped(rules: StepRules, inputs: Sequence[NDArray[np.float32]], tile: Tile) -> list[NDArray[np.float32]]:
    """Return the terms' inputs with those that have cells cut to the tile's."""
    spans = {layer: tuple(slice(*span) for span in at) for layer, at in zip(rules.layers, tile.cells, strict=True)}
    return [
        given[(slice(None), *spans[layer])] if layer else given
        for given, layer in zip(inputs, input_layers(rules), strict=True)
    ]


def _divisors(model: Model, rules: StepRules, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return what each layer's sum over the whole image is divided by."""
    elements = [math.prod(model.spec.layer(layer).shape(*shape[1:3])) for layer in rules.layers]
    times = len(rules.terms) if rules.divisor == "elements-and-layers" else 1
    return np.array([2 if rules.divisor == "two" else size * times for size in elements], np.float32)

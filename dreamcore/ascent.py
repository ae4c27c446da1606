"""One step of gradient ascent on an image."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamcore import objectives
from dreamcore.backend import compiled, ops, rolled, value_and_gradient
from dreamcore.features import activations
from dreamcore.gradients import greyed, normalised, smoothed, smoothed_thrice, unwrapped
from dreamcore.laplacian import evened_by_scale
from dreamcore.optimisers import KEPT, advanced
from dreamcore.regularisers import penalty_slope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dreamcore.catalog import ModelSpec
    from dreamcore.features import Arrays
    from dreamcore.objectives import TermRule

Tensor = Any
MASK = (None, None, None, 1)


class StepRules(NamedTuple):
    """All that a step is compiled for; whatever is not here reaches it as a tensor."""

    terms: tuple[TermRule, ...]
    wrapped: bool
    smoothing_px: float
    smoothing_growth_px: float
    laplacian: int
    normalise: str
    optimiser: str
    penalised: bool
    keep_colors: bool
    clip: bool
    border: int
    divisor: str
    precision: str
    confined: bool = False

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that terms name, each once, in the order of their names."""
        return tuple(sorted({term.layer for term in self.terms}))

    @property
    def kept(self) -> int:
        """How many tensors the optimiser remembers from step to step."""
        return KEPT[self.optimiser]


class Move(NamedTuple):
    """What a step's length and direction depend on besides the gradient; for each image a number, in this order.

    Attributes
    ----------
    step_size
        In units of half the pixel range.
    momentum
        Share of earlier directions that is kept.
    count
        The step within its octave, from 1.
    sigma_px
        Blur of a gradient whose blur grows from step to step.
    total_variation, l2_penalty
        The penalties' weights.
    """

    step_size: Tensor
    momentum: Tensor
    count: Tensor
    sigma_px: Tensor
    total_variation: Tensor
    l2_penalty: Tensor


def compile_step(
    model: ModelSpec, weights: Arrays, rules: StepRules, *, make: Callable[..., Any] = compiled
) -> Callable[..., Any]:
    """Return the step as one compiled function for all image sizes; or what else `make` makes of it.

    The function takes images (N, H, W, 3), shifts (N, 2) in px (rows, columns), moves (N, 6) as in `Move`, the
    terms' weights (N, T), what the optimiser remembers (`rules.kept` tensors like the images), the terms' inputs, as in
    `TermRule.inputs`, and, where a mask confines the dream, that mask (N, H, W, 1); all float32. It returns the new
    images, the objectives before the step (N,), the mean absolute gradients (N,): 0 or not finite where there is no
    direction; and what the optimiser remembers now.
    """
    slope = partial(image_gradient, model, weights, rules)

    def step(images: Tensor, shifts: Tensor, moves: Tensor, term_weights: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        memory, inputs, masks = parted(rules, more)
        losses, gradient = slope(images, shifts=shifts, term_weights=term_weights, inputs=inputs)
        there, remembered = moved(images, gradient, moves, memory, masks, rules=rules)
        return there, losses, ops.mean(ops.abs(gradient), axis=(1, 2, 3)), *remembered

    image = (None, None, None, 3)
    shapes: list[tuple[int | None, ...]] = [image, (None, 2), (None, len(Move._fields)), (None, len(rules.terms))]
    shapes += [image] * rules.kept + _input_shapes(model, rules) + [MASK] * rules.confined
    made: Callable[..., Any] = make(step, *shapes, tf32=rules.precision == "tf32")
    return made


def parted(rules: StepRules, more: Sequence[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]]:
    """Return what the optimiser remembers, the terms' inputs, and the mask or nothing."""
    end = len(more) - rules.confined
    return more[: rules.kept], more[rules.kept : end], more[end:]


def image_gradient(
    model: ModelSpec,
    weights: Arrays,
    rules: StepRules,
    images: Tensor,
    *,
    shifts: Tensor,
    term_weights: Tensor,
    inputs: Sequence[Tensor],
) -> tuple[Tensor, Tensor]:
    """Return the objectives (N,) and their gradients by the images, taken on the shifted images and shifted back."""
    pixels = ops.cast(ops.round(shifts), "int32")
    inputs = rolled_inputs(model, rules, inputs, shifts)

    def objective(x: Tensor) -> Tensor:
        found = activations(model, weights, x, rules.layers, bfloat16=rules.precision == "bfloat16")
        cells = [objectives.whole(a, border=rules.border, divisor=rules.divisor, terms=len(rules.terms)) for a in found]
        return _value(rules, found, term_weights, cells, inputs)

    losses, gradient = value_and_gradient(objective, rolled(images, pixels))
    return losses, _rolled_back(gradient, pixels, wrapped=rules.wrapped)


def rolled_inputs(model: ModelSpec, rules: StepRules, inputs: Sequence[Tensor], shifts: Tensor) -> list[Tensor]:
    """Return the terms' inputs with those that have cells shifted as the images are, by whole cells."""
    return [
        rolled(given, ops.cast(ops.round(shifts / model.layer(layer).stride), "int32")) if layer else given
        for given, layer in zip(inputs, input_layers(rules), strict=True)
    ]


def input_layers(rules: StepRules) -> list[str | None]:
    """Return for each of the terms' inputs the layer whose cells it has; None where it has none."""
    return [term.layer if name in {"places", "guide"} else None for term in rules.terms for name in term.inputs]


def compile_tile(model: ModelSpec, weights: Arrays, rules: StepRules) -> Callable[..., Any]:
    """Return a tile's share of the objectives (N,) and of their gradients, as one compiled function of all sizes.

    The function takes crops (N, h, w, 3) of shifted images, the terms' weights (N, T), what each layer's sum is
    divided by (layers,), for each layer the cells that count (1, h, w, 1) and the terms' inputs, cropped as well.
    """
    count = len(rules.layers)

    def tile(crops: Tensor, term_weights: Tensor, sizes: Tensor, *more: Tensor) -> tuple[Tensor, Tensor]:
        cells = [objectives.Cells(counted, sizes[index]) for index, counted in enumerate(more[:count])]

        def objective(x: Tensor) -> Tensor:
            found = activations(model, weights, x, rules.layers, bfloat16=rules.precision == "bfloat16")
            return _value(rules, found, term_weights, cells, more[count:])

        return value_and_gradient(objective, crops)

    shapes: list[tuple[int | None, ...]] = [(None, None, None, 3), (None, len(rules.terms)), (count,)]
    shapes += [(1, None, None, 1)] * count + _input_shapes(model, rules)
    return compiled(tile, *shapes, tf32=rules.precision == "tf32")


def compile_move(rules: StepRules) -> Callable[..., Any]:
    """Return the second half of a step, for a gradient that was taken by tiles, as one compiled function.

    The function takes images and their gradients (N, H, W, 3), the latter as they are shifted, shifts (N, 2) in px,
    moves (N, 6), what the optimiser remembers and the mask, where there is one. It returns the new images, the mean
    absolute gradients (N,) and what the optimiser remembers now.
    """

    def move(images: Tensor, gradient: Tensor, shifts: Tensor, moves: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        memory, _, masks = parted(rules, more)
        gradient = _rolled_back(gradient, ops.cast(ops.round(shifts), "int32"), wrapped=rules.wrapped)
        there, remembered = moved(images, gradient, moves, memory, masks, rules=rules)
        return there, ops.mean(ops.abs(gradient), axis=(1, 2, 3)), *remembered

    image = (None, None, None, 3)
    shapes: list[tuple[int | None, ...]] = [image, image, (None, 2), (None, len(Move._fields))]
    return compiled(move, *shapes, *([image] * rules.kept + [MASK] * rules.confined))


def _value(
    rules: StepRules,
    found: Sequence[Tensor],
    term_weights: Tensor,
    cells: Sequence[objectives.Cells],
    inputs: Sequence[Tensor],
) -> Tensor:
    """Return the objectives (N,) of the layers' activations; `cells` are the layers', too."""
    places = [rules.layers.index(term.layer) for term in rules.terms]
    answers, counted = [found[at] for at in places], [cells[at] for at in places]
    return objectives.value(rules.terms, answers, term_weights, counted, inputs)


def _rolled_back(gradient: Tensor, pixels: Tensor, *, wrapped: bool) -> Tensor:
    gradient = rolled(gradient, -pixels)
    return gradient if wrapped else unwrapped(gradient, pixels)


def _input_shapes(model: ModelSpec, rules: StepRules) -> list[tuple[int | None, ...]]:
    shapes: list[tuple[int | None, ...]] = []
    for term in rules.terms:
        channels = model.layer(term.layer).channels
        known: dict[str, tuple[int | None, ...]] = {
            "channels": (None, channels),
            "places": (None, None, None, 1),
            "guide": (None, None, None, channels),
            "guide-cells": (None, None, channels),
        }
        shapes += [known[name] for name in term.inputs]
    return shapes


def moved(
    images: Tensor,
    gradient: Tensor,
    moves: Tensor,
    memory: Sequence[Tensor],
    masks: Sequence[Tensor] = (),
    *,
    rules: StepRules,
) -> tuple[Tensor, Sequence[Tensor]]:
    """Return the images one step along their gradients, and what the optimiser remembers.

    x' = x + step_size * mask * optimised(conditioned(gradient) - slope of the penalties)
    """
    move = Move(*(moves[:, index, None, None, None] for index in range(len(Move._fields))))
    direction = conditioned(gradient, move.sigma_px[:, 0, 0, 0], rules)
    if rules.penalised:
        penalty = penalty_slope(images, total_variation=move.total_variation, l2=move.l2_penalty)
        direction = direction - (greyed(penalty) if rules.keep_colors else penalty)
    way, memory = advanced(direction, memory, optimiser=rules.optimiser, momentum=move.momentum, count=move.count)
    for mask in masks:
        way = way * mask
    there = images + move.step_size * way
    return ops.clip(there, -1.0, 1.0) if rules.clip else there, memory


def conditioned(gradient: Tensor, sigmas_px: Tensor, rules: StepRules) -> Tensor:
    """Return the direction that a gradient gives: of one brightness, blurred, evened by scale, and normalised."""
    if rules.keep_colors:
        gradient = greyed(gradient)
    if rules.smoothing_growth_px:
        gradient = smoothed_thrice(gradient, sigmas_px)
    else:
        gradient = smoothed(gradient, rules.smoothing_px)
    if rules.laplacian:
        gradient = evened_by_scale(gradient, rules.laplacian)
    return normalised(gradient, rules.normalise)


def compile_features(model: ModelSpec, weights: Arrays, layers: tuple[str, ...]) -> Callable[[Tensor], list[Tensor]]:
    """Return the activations of layers as one compiled function of the image."""
    return compiled(lambda image: activations(model, weights, image, layers), (None, None, None, 3))

"""One step of gradient ascent on an image."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dreamcore import objectives
from dreamcore.backend import compiled, ops, rolled, value_and_gradient
from dreamcore.features import activations
from dreamcore.gradients import normalised, smoothed, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from dreamcore.catalog import ModelSpec
    from dreamcore.features import ConvWeights

Tensor = Any


class StepRules(NamedTuple):
    """All that a step is compiled for; whatever is not here reaches it as a tensor."""

    layers: tuple[str, ...]
    objective: str
    wrapped: bool
    smoothing_px: float
    normalise: str
    clip: bool
    border: int


def compile_step(model: ModelSpec, weights: Mapping[str, ConvWeights], rules: StepRules) -> Callable[..., Any]:
    """Return the step as one compiled function for all image sizes.

    The function takes images (N, H, W, 3), shifts (N, 2) in px (rows, columns), step sizes (N,), layer weights
    (N, layers) and, for guides, their activations; all float32. It returns the new images, the objectives before the
    step (N,), and the mean absolute gradients (N,): 0 or not finite where there is no direction.
    """
    slope = partial(image_gradient, model, weights, rules)

    def step(
        images: Tensor, shifts: Tensor, step_sizes: Tensor, layer_weights: Tensor, *guides: Tensor
    ) -> tuple[Tensor, ...]:
        losses, gradient = slope(images, shifts=shifts, layer_weights=layer_weights, guides=guides)
        return moved(images, gradient, step_sizes, rules), losses, ops.mean(ops.abs(gradient), axis=(1, 2, 3))

    shapes: list[tuple[int | None, ...]] = [(None, None, None, 3), (None, 2), (None,), (None, len(rules.layers))]
    if rules.objective == "guide-dot":
        shapes += [(None, None, None, model.layer(layer).channels) for layer in rules.layers]
    return compiled(step, *shapes)


def image_gradient(
    model: ModelSpec,
    weights: Mapping[str, ConvWeights],
    rules: StepRules,
    images: Tensor,
    *,
    shifts: Tensor,
    layer_weights: Tensor,
    guides: Sequence[Tensor],
) -> tuple[Tensor, Tensor]:
    """Return the objectives (N,) and their gradients by the images, taken on the shifted images and shifted back."""
    pixels = ops.cast(ops.round(shifts), "int32")
    guides = [
        rolled(guide, ops.cast(ops.round(shifts / model.layer(layer).stride), "int32"))
        for guide, layer in zip(guides, rules.layers, strict=False)
    ]

    def objective(x: Tensor) -> Tensor:
        found = activations(model, weights, x, rules.layers)
        cells = [objectives.whole(a, border=rules.border) for a in found]
        if rules.objective == "guide-dot":
            return objectives.guide_dot(found, layer_weights, cells, guides)
        return objectives.l2(found, layer_weights, cells)

    losses, gradient = value_and_gradient(objective, rolled(images, pixels))
    gradient = rolled(gradient, -pixels)
    return losses, gradient if rules.wrapped else unwrapped(gradient, pixels)


def moved(images: Tensor, gradient: Tensor, step_sizes: Tensor, rules: StepRules) -> Tensor:
    """Return the images one step along their gradients.

    x' = x + step_size * normalised(smoothed(gradient))
    """
    direction = normalised(smoothed(gradient, rules.smoothing_px), rules.normalise)
    there = images + step_sizes[:, None, None, None] * direction
    return ops.clip(there, -1.0, 1.0) if rules.clip else there


def compile_features(
    model: ModelSpec, weights: Mapping[str, ConvWeights], layers: tuple[str, ...]
) -> Callable[[Tensor], list[Tensor]]:
    """Return the activations of layers as one compiled function of the image."""
    return compiled(lambda image: activations(model, weights, image, layers), (None, None, None, 3))


def random_shift(seed: int, octave: int, step: int, *, jitter: int) -> NDArray[np.float32]:
    """Return a shift (rows, columns) in px, uniform in [-jitter, jitter]; a pure function of its arguments."""
    numbers = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, octave, step]))
    return numbers.integers(-jitter, jitter, size=2, endpoint=True).astype(np.float32)

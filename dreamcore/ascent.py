"""One step of gradient ascent on an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dreamcore import objectives
from dreamcore.backend import compiled, ops, value_and_gradient
from dreamcore.features import activations
from dreamcore.gradients import normalised, smoothed, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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

    x' = x + step_size * normalised(smoothed(d objective / dx)), taken on the image shifted by `shift` and shifted back

    The function takes image (N, H, W, 3), shift (2,) in px (rows, columns), step_size (), layer weights (layers,)
    and, for a guide, its activations; all float32. It returns the new image, the objective before the step, and
    the mean absolute gradient: 0 or not finite where there is no direction.
    """
    guided = rules.objective == "guide-dot"
    strides = [model.layer(layer).stride for layer in rules.layers]

    def step(
        image: Tensor, shift: Tensor, step_size: Tensor, layer_weights: Tensor, *guides: Tensor
    ) -> tuple[Tensor, ...]:
        def objective(x: Tensor) -> Tensor:
            found = activations(model, weights, x, rules.layers)
            if not guided:
                return objectives.l2(found, layer_weights, border=rules.border)
            moved = [_shifted(guide, shift / stride) for guide, stride in zip(guides, strides, strict=True)]
            return objectives.guide_dot(found, layer_weights, moved, border=rules.border)

        loss, gradient = value_and_gradient(objective, _shifted(image, shift))
        gradient = _shifted(gradient, -shift)
        if not rules.wrapped:
            gradient = unwrapped(gradient, shift)
        moved = image + step_size * normalised(smoothed(gradient, rules.smoothing_px), rules.normalise)
        return ops.clip(moved, -1.0, 1.0) if rules.clip else moved, loss, ops.mean(ops.abs(gradient))

    shapes: list[tuple[int | None, ...]] = [(None, None, None, 3), (2,), (), (len(rules.layers),)]
    if guided:
        shapes += [(None, None, None, model.layer(layer).channels) for layer in rules.layers]
    return compiled(step, *shapes)


def compile_features(
    model: ModelSpec, weights: Mapping[str, ConvWeights], layers: tuple[str, ...]
) -> Callable[[Tensor], list[Tensor]]:
    """Return the activations of layers as one compiled function of the image."""
    return compiled(lambda image: activations(model, weights, image, layers), (None, None, None, 3))


def random_shift(seed: int, octave: int, step: int, *, jitter: int) -> NDArray[np.float32]:
    """Return a shift (rows, columns) in px, uniform in [-jitter, jitter]; a pure function of its arguments."""
    numbers = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, octave, step]))
    return numbers.integers(-jitter, jitter, size=2, endpoint=True).astype(np.float32)


def _shifted(x: Tensor, shift: Tensor) -> Tensor:
    cells = ops.cast(ops.round(shift), "int32")
    return ops.roll(x, cells, axis=(1, 2))

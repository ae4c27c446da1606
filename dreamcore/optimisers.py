"""How directions become moves: plain ascent, momentum, Adam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dreamcore.backend import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

Tensor = Any

KEPT = {"ascent": 0, "momentum": 1, "adam": 2}
SQUARES_KEPT = 0.999
LEAST = 1e-8


def advanced(
    direction: Tensor, memory: Sequence[Tensor], *, optimiser: str, momentum: Tensor, count: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return how far to move per unit of step size, and what to remember for the next step.

    ascent    d
    momentum  m' = b m + (1 - b) d;  m'
    adam      m' = b m + (1 - b) d;  v' = 0.999 v + 0.001 d^2
              (m' / (1 - b^t)) / (sqrt(v' / (1 - 0.999^t)) + 1e-8)

    Momentum averages directions instead of adding them up, so that a step size means as much as in plain ascent.

    Parameters
    ----------
    direction : (N, H, W, 3) float32
        Normalised gradient.
    memory
        `KEPT[optimiser]` tensors of the same shape; zeros before an octave's first step.
    momentum, count : (N, 1, 1, 1) float32
        b, and the number t of this step within its octave, from 1.

    References
    ----------
    .. [1] Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2015.
    """
    if optimiser == "ascent":
        return direction, []
    mean = momentum * memory[0] + (1.0 - momentum) * direction
    if optimiser == "momentum":
        return mean, [mean]
    square = SQUARES_KEPT * memory[1] + (1.0 - SQUARES_KEPT) * ops.square(direction)
    size = ops.sqrt(square / (1.0 - ops.power(SQUARES_KEPT, count)))
    return mean / (1.0 - ops.power(momentum, count)) / (size + LEAST), [mean, square]

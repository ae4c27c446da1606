"""What a dream maximises: scalars of a network's activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dreamcore.backend import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

Tensor = Any


def l2(activations: Sequence[Tensor], layer_weights: Tensor, *, border: int) -> Tensor:
    """Return how strongly the layers answer.

    L = sum_l w_l * sum(a_l^2) / size(a_l)

    Parameters
    ----------
    activations : (N, h, w, C) float32 for each layer
    layer_weights : (layers,) float32
    border
        Cells on each side that are left out of the sum, not of the size.

    References
    ----------
    .. [1] Mordvintsev, Olah, Tyka, "Inceptionism: Going Deeper into Neural Networks", 2015.
    """
    terms = [ops.sum(ops.square(a) * inner(a, border)) / size(a) for a in activations]
    return ops.sum(ops.stack(terms) * layer_weights)


def guide_dot(activations: Sequence[Tensor], layer_weights: Tensor, guides: Sequence[Tensor], *, border: int) -> Tensor:
    """Return how alike the layers' answers to the image and to a guide are, position by position.

    L = sum_l w_l * <a_l(image), a_l(guide)> / size(a_l)

    Parameters
    ----------
    activations, guides : (N, h, w, C) float32 for each layer
    layer_weights : (layers,) float32
    border
        Cells on each side that are left out of the sum, not of the size.
    """
    pairs = zip(activations, guides, strict=True)
    terms = [ops.sum(a * guide * inner(a, border)) / size(a) for a, guide in pairs]
    return ops.sum(ops.stack(terms) * layer_weights)


def inner(activation: Tensor, border: int) -> Tensor | float:
    """Return a (h, w, 1) mask, 0 on the border; its gradient costs less than a slice's."""
    if not border:
        return 1.0
    height, width = ops.shape(activation)[1:3]
    rows, columns = _inside(height, border), _inside(width, border)
    return rows[:, None, None] * columns[None, :, None]


def size(activation: Tensor) -> Tensor:
    """Return an activation's number of elements, as float32."""
    count: Tensor = 1.0
    for length in ops.shape(activation):
        count = count * ops.cast(length, "float32")
    return count


def _inside(length: Tensor, border: int) -> Tensor:
    index = ops.arange(0, length, dtype="int32")
    return ops.cast(ops.logical_and(index >= border, index < length - border), "float32")

"""What a dream maximises: for each image, a scalar of a network's activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dreamcore.backend import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

Tensor = Any


class Cells(NamedTuple):
    """Which cells of a layer an objective sums over, and what it divides the sum by.

    Attributes
    ----------
    counted : broadcastable to (N, h, w, 1) float32
        1 where a cell counts, 0 where not.
    size : () float32, or a number
        Usually the activation's number of elements; a tile of a larger image takes the whole image's.
    """

    counted: Tensor
    size: Tensor


def l2(activations: Sequence[Tensor], layer_weights: Tensor, cells: Sequence[Cells]) -> Tensor:
    """Return how strongly the layers answer to each image, (N,).

    L[n] = sum_l w[n, l] * sum(a_l[n]^2) / size_l

    Parameters
    ----------
    activations : (N, h, w, C) float32 for each layer
    layer_weights : (N, layers) float32
    cells
        For each layer.

    References
    ----------
    .. [1] Mordvintsev, Olah, Tyka, "Inceptionism: Going Deeper into Neural Networks", 2015.
    """
    terms = [_sum(ops.square(a), at) for a, at in zip(activations, cells, strict=True)]
    return _weighted(terms, layer_weights)


def mean(activations: Sequence[Tensor], layer_weights: Tensor, cells: Sequence[Cells]) -> Tensor:
    """Return the layers' mean answers to each image, (N,).

    L[n] = sum_l w[n, l] * sum(a_l[n]) / size_l

    Parameters
    ----------
    activations : (N, h, w, C) float32 for each layer
    layer_weights : (N, layers) float32
    cells
        For each layer.
    """
    return _weighted([_sum(a, at) for a, at in zip(activations, cells, strict=True)], layer_weights)


def guide_dot(
    activations: Sequence[Tensor], layer_weights: Tensor, cells: Sequence[Cells], guides: Sequence[Tensor]
) -> Tensor:
    """Return how alike the layers' answers to each image and to its guide are, position by position, (N,).

    L[n] = sum_l w[n, l] * <a_l(image[n]), a_l(guide[n])> / size_l

    Parameters
    ----------
    activations, guides : (N, h, w, C) float32 for each layer
    layer_weights : (N, layers) float32
    cells
        For each layer.
    """
    terms = [_sum(a * guide, at) for a, guide, at in zip(activations, guides, cells, strict=True)]
    return _weighted(terms, layer_weights)


def whole(activation: Tensor, *, border: int, divisor: str = "elements", layers: int = 1) -> Cells:
    """Return the cells of an activation but for a border, which counts in the size alone.

    The sum is divided by 2 where the divisor is "two", by the size, or by the size and the number of layers.
    """
    sizes = {"elements": 1.0, "elements-and-layers": float(layers)}
    counted = inner(activation, border)
    return Cells(counted, 2.0 if divisor == "two" else size(activation) * sizes[divisor])


def inner(activation: Tensor, border: int) -> Tensor | float:
    """Return a (h, w, 1) mask, 0 on the border; its gradient costs less than a slice's."""
    if not border:
        return 1.0
    height, width = ops.shape(activation)[1:3]
    rows, columns = _inside(height, border), _inside(width, border)
    return rows[:, None, None] * columns[None, :, None]


def size(activation: Tensor) -> Tensor:
    """Return the number of elements of one image's activation, as float32."""
    count: Tensor = 1.0
    for length in ops.shape(activation)[1:]:
        count = count * ops.cast(length, "float32")
    return count


def _sum(values: Tensor, cells: Cells) -> Tensor:
    return ops.sum(values * cells.counted, axis=(1, 2, 3)) / cells.size


def _weighted(terms: list[Tensor], layer_weights: Tensor) -> Tensor:
    return ops.sum(ops.stack(terms, axis=-1) * layer_weights, axis=-1)


def _inside(length: Tensor, border: int) -> Tensor:
    index = ops.arange(0, length, dtype="int32")
    return ops.cast(ops.logical_and(index >= border, index < length - border), "float32")

"""What a dream maximises: for each image, a scalar of a network's activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dreamcore.backend import ops

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Tensor = Any

MATCHED_AT_ONCE = 256
"""Guide cells that are compared with each cell of an image at a time."""


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


class TermRule(NamedTuple):
    """All that a term of an objective is compiled for.

    Attributes
    ----------
    layer
    kind
        See `term_value`.
    chosen
        Whether the channels have weights of their own.
    placed
        Whether the cells have.
    """

    layer: str
    kind: str
    chosen: bool = False
    placed: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the term takes besides activations, in this order.

        channels : (N, C), weights of channels
        places : (N, h, w, 1), weights of cells
        guide : (N, h, w, C), a guide's activations, cell by cell
        guide-cells : (N, G, C), guides' activations in any order
        """
        guides = {"guide-dot": ("guide",), "guide-match": ("guide-cells",)}
        named = (("channels", self.chosen), ("places", self.placed))
        return *(name for name, there in named if there), *guides.get(self.kind, ())


def value(
    rules: Sequence[TermRule],
    activations: Sequence[Tensor],
    term_weights: Tensor,
    cells: Sequence[Cells],
    inputs: Sequence[Tensor],
) -> Tensor:
    """Return the weighted sum of terms for each image, (N,).

    L[n] = sum_t w[n, t] * L_t[n]

    Parameters
    ----------
    rules
        For each term.
    activations : (N, h, w, C) float32
        For each term, of its layer.
    term_weights : (N, T) float32
        A negative weight pushes away.
    cells
        For each term.
    inputs
        For all terms, what their rules' `inputs` name.
    """
    values = []
    rest = list(inputs)
    for rule, activation, at in zip(rules, activations, cells, strict=True):
        given = {name: rest.pop(0) for name in rule.inputs}
        values.append(term_value(rule.kind, activation, at, given))
    return ops.sum(ops.stack(values, axis=-1) * term_weights, axis=-1)


def term_value(kind: str, activation: Tensor, cells: Cells, given: Mapping[str, Tensor]) -> Tensor:
    """Return one term's value for each image, (N,).

    L[n] = sum_i,c p[n, i] * v[n, c] * f(a[n])[i, c] / size, over cells i and channels c

    l2           f = a^2
    mean         f = a
    guide-dot    f = a * g, with the guide's activation g in the same cell
    guide-match  f = a * g_j(i), with that of the guide's cell j(i) which is most alike, argmax_j <v * a_i, g_j>

    Parameters
    ----------
    kind
        One of these.
    activation : (N, h, w, C) float32
    cells
    given
        "channels", v, and "places", p, where not all count alike; "guide" or "guide-cells", g. See `TermRule.inputs`.

    References
    ----------
    .. [1] Mordvintsev, Olah, Tyka, "Inceptionism: Going Deeper into Neural Networks", 2015, and its notebook's guides.
    """
    channels = given["channels"][:, None, None, :] if "channels" in given else None
    answer = ops.square(activation) if kind == "l2" else activation
    if channels is not None:
        answer = answer * channels
    if kind == "guide-dot":
        answer = answer * given["guide"]
    if kind == "guide-match":
        answer = answer * best_match(answer, given["guide-cells"])
    if "places" in given:
        answer = answer * given["places"]
    return ops.sum(answer * cells.counted, axis=(1, 2, 3)) / cells.size


def best_match(activation: Tensor, guide_cells: Tensor) -> Tensor:
    """Return for each cell the guide's cell whose dot product with it is largest, held constant, (N, h, w, C).

    Guide cells are looked through a few at a time, so that memory is that of a few activations.

    Parameters
    ----------
    activation : (N, h, w, C) float32
    guide_cells : (N, G, C) float32
    """
    cells = ops.stop_gradient(ops.reshape(activation, (ops.shape(activation)[0], -1, ops.shape(activation)[3])))
    count = ops.shape(guide_cells)[1]

    def better(start: Tensor, most: Tensor, best: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        index = ops.minimum(start + ops.arange(0, MATCHED_AT_ONCE, dtype="int32"), count - 1)
        alike = ops.einsum("nic,ngc->nig", cells, ops.take(guide_cells, index, axis=1))
        here = ops.take(index, ops.argmax(alike, axis=-1))
        now = ops.max(alike, axis=-1)
        return start + MATCHED_AT_ONCE, ops.maximum(most, now), ops.where(now > most, here, best)

    nothing = ops.sum(cells, axis=-1) * 0.0
    state = (0, nothing - np.inf, ops.cast(nothing, "int32"))
    _, _, best = ops.while_loop(lambda start, *_: start < count, better, state)
    first = ops.arange(0, ops.shape(guide_cells)[0], dtype="int32")[:, None] * count
    matched = ops.take(ops.reshape(guide_cells, (-1, ops.shape(guide_cells)[2])), first + best, axis=0)
    return ops.stop_gradient(ops.reshape(matched, ops.shape(activation)))


def whole(activation: Tensor, *, border: int, divisor: str = "elements", terms: int = 1) -> Cells:
    """Return the cells of an activation but for a border, which counts in the size alone.

    The sum is divided by 2 where the divisor is "two", by the size, or by the size and the number of terms.
    """
    sizes = {"elements": 1.0, "elements-and-layers": float(terms)}
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


def _inside(length: Tensor, border: int) -> Tensor:
    index = ops.arange(0, length, dtype="int32")
    return ops.cast(ops.logical_and(index >= border, index < length - border), "float32")

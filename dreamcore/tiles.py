"""Where to cut an image so that a network's answers stay those to the whole. Imports no TensorFlow.

A tile is a crop of the image: a core, and around it as much as the core's cells see. A crop that begins and ends whole
strides away from the image's ends has, at every layer, the paddings that the whole has: those at cut edges reach no
cell of the core, those at the image's own ends are right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dreamcore.graph import SOURCE, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from dreamcore.catalog import ModelSpec
    from dreamcore.graph import Graph
    from dreamcore.octaves import Size


class Span(NamedTuple):
    """Positions along an axis, from `start` up to, but not including, `stop`."""

    start: int
    stop: int

    def joined(self, other: Span) -> Span:
        """Return the shortest span that holds both."""
        return Span(min(self.start, other.start), max(self.stop, other.stop))


class Tile(NamedTuple):
    """A crop of the image, and which cells of its activations count.

    Attributes
    ----------
    rows, columns
        Of the image, px.
    counted : (1, h, w, 1) float32 for each layer
        1 for the cells of the core.
    cells
        For each layer, which rows and columns of the whole activation the crop's activation is.
    """

    rows: Span
    columns: Span
    counted: tuple[NDArray[np.float32], ...]
    cells: tuple[tuple[Span, Span], ...]


class _Piece(NamedTuple):
    """A tile along one axis: its px, and for each layer its cells and which of them count."""

    pixels: Span
    cells: tuple[Span, ...]
    counted: tuple[NDArray[np.float32], ...]


def seen(graph: Graph, cores: Mapping[str, Span], length: int, *, axis: int) -> Span:
    """Return the pixels to keep along an axis for the cores' values and gradients to be the whole image's.

    Parameters
    ----------
    graph
    cores
        For each layer the cells whose values count; none may be empty.
    length
        Of the image along the axis, px.
    axis
        0 for rows, 1 for columns.
    """
    nodes = graph.needed_for(list(cores))
    sizes, strides, needed = {SOURCE: length}, {SOURCE: 1}, dict(cores)
    for node in nodes:
        window, source = Window(node.kernel[axis], node.stride, node.padding), node.inputs[0]
        sizes[node.name], strides[node.name] = window.size(sizes[source]), strides[source] * node.stride
    for node in reversed(nodes):
        window = Window(node.kernel[axis], node.stride, node.padding)
        for source in node.inputs:
            span = _inputs(window, needed[node.name], sizes[source])
            needed[source] = span.joined(needed.get(source, span))
    step = max(strides.values())
    before = min(span.start * strides[name] for name, span in needed.items())
    after = min((sizes[name] - span.stop) * strides[name] for name, span in needed.items())
    return Span(before // step * step, length - after // step * step)


def exact_tiles(model: ModelSpec, layers: Sequence[str], size: Size, *, core_px: int, border: int = 0) -> list[Tile]:
    """Return tiles whose gradients sum up to the whole image's: each layer's cells count in one tile each.

    Parameters
    ----------
    model
        A network given as a graph.
    layers
    size
        Height and width of the image, px.
    core_px
        Side of a core, about: the image is split evenly.
    border
        Cells at the activations' ends that count nowhere.
    """
    step = _step(model, layers)
    rows, columns = (
        list(_pieces(model, layers, size, axis, cuts=_cuts(size[axis], core_px, step), border=border, halo=True))
        for axis in (0, 1)
    )
    return [_crossed(row, column) for row in rows for column in columns]


def plain_tiles(
    model: ModelSpec,
    layers: Sequence[str],
    size: Size,
    *,
    core_px: int,
    origin: Sequence[int] = (0, 0),
    border: int = 0,
) -> list[Tile]:
    """Return tiles side by side, without halo.

    They begin whole strides away from the image's start, and reach over their cores by less than a stride, so that they
    end whole strides away from its end: their cells lie where the whole image's do.

    Parameters
    ----------
    core_px
        Side of a tile; those at the image's ends may be shorter, or longer by the least side that the network takes.
    origin
        Row and column where a tile begins, to within a stride, px.
    """
    step = _step(model, layers)
    rows, columns = (
        list(_pieces(model, layers, size, axis, cuts=cuts, border=border, halo=False))
        for axis, cuts in enumerate(
            _cuts_from(length, at, core_px // step * step, step, least=model.least_side(layers))
            for length, at in zip(size, origin, strict=True)
        )
    )
    return [_crossed(row, column) for row in rows for column in columns]


def longest_plain_px(model: ModelSpec, layers: Sequence[str], length: int, *, core_px: int) -> int:
    """Return the side that no plain tile exceeds along an axis, wherever tiles begin, px."""
    return min(length, core_px + model.least_side(layers) + 2 * _step(model, layers))


def largest_crop(tiles: Sequence[Tile]) -> Size:
    """Return the height and width of the largest crop, px."""
    crops = [(tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start) for tile in tiles]
    return max(crops, key=math.prod)


def _inputs(window: Window, outputs: Span, length: int) -> Span:
    """Return which of an axis' cells the outputs of a sliding window are made of, padding left out."""
    padding = 0
    if window.padding == "same":
        padding = max(0, (window.size(length) - 1) * window.stride + window.kernel - length) // 2
    start = outputs.start * window.stride - padding
    return Span(max(0, start), min(length, (outputs.stop - 1) * window.stride - padding + window.kernel))


def _step(model: ModelSpec, layers: Sequence[str]) -> int:
    return max(model.layer(layer).stride for layer in layers)


def _cuts_from(length: int, at: int, side: int, step: int, *, least: int) -> list[Span]:
    """Split an axis at a place and every `side` from it; what would be shorter than `least` joins its neighbour."""
    side = max(side, -(-least // step) * step)
    ends = [
        0,
        *(end for end in range(at // step * step % side, length, side) if least <= end <= length - least),
        length,
    ]
    return [Span(*ends[index : index + 2]) for index in range(len(ends) - 1)]


def _cuts(length: int, side: int, step: int) -> list[Span]:
    """Split an axis evenly into parts of at least `side`, or one; each begins at a multiple of `step`."""
    count = max(1, length // max(side, step))
    ends = [*(index * length // count // step * step for index in range(count)), length]
    return [Span(*ends[index : index + 2]) for index in range(count)]


def _pieces(
    model: ModelSpec, layers: Sequence[str], size: Size, axis: int, *, cuts: Sequence[Span], border: int, halo: bool
) -> Iterator[_Piece]:
    strides = [model.layer(layer).stride for layer in layers]
    wholes = [model.layer(layer).shape(*size)[axis] for layer in layers]
    cores_of = [
        [
            Span(cut.start // stride, whole if cut.stop == size[axis] else min(whole, cut.stop // stride))
            for stride, whole in zip(strides, wholes, strict=True)
        ]
        for cut in cuts
    ]
    if halo:
        spans = _of_one_length([_looked_at(model, layers, cores, size[axis], axis) for cores in cores_of], size[axis])
    else:
        step = max(strides)
        spans = [Span(cut.start, size[axis] - (size[axis] - cut.stop) // step * step) for cut in cuts]
    for cores, pixels in zip(cores_of, spans, strict=True):
        behind = size[axis] - pixels.stop
        cells = tuple(
            Span(pixels.start // stride, whole - behind // stride)
            for stride, whole in zip(strides, wholes, strict=True)
        )
        counting = [
            Span(max(core.start, border), min(core.stop, whole - border))
            for core, whole in zip(cores, wholes, strict=True)
        ]
        yield _Piece(pixels, cells, tuple(map(_within, cells, counting)))


def _looked_at(model: ModelSpec, layers: Sequence[str], cores: Sequence[Span], length: int, axis: int) -> Span:
    """Return the pixels of an axis that its cores need; of an empty one, those of the cell before its end."""
    full = [Span(max(0, min(core.start, core.stop - 1)), core.stop) for core in cores]
    return seen(model.nodes, dict(zip(layers, full, strict=True)), length, axis=axis)


def _of_one_length(spans: Sequence[Span], length: int) -> list[Span]:
    """Lengthen an axis' spans to the longest, each within the axis, its start or its distance from the end kept.

    Libraries prepare each size that they meet, and keep what they prepared: crops of one size take less memory. All
    spans' lengths differ by whole strides, so that these still begin and end whole strides away from the ends.
    """
    longest = max(span.stop - span.start for span in spans)
    stops = [min(length, span.start + longest) for span in spans]
    return [Span(stop - longest, stop) for stop in stops]


def _within(cells: Span, counting: Span) -> NDArray[np.float32]:
    index = np.arange(cells.start, cells.stop)
    return ((index >= counting.start) & (index < counting.stop)).astype(np.float32)


def _crossed(row: _Piece, column: _Piece) -> Tile:
    pairs = zip(row.counted, column.counted, strict=True)
    counted = tuple((rows[:, None] * columns)[None, :, :, None] for rows, columns in pairs)
    return Tile(row.pixels, column.pixels, counted, tuple(zip(row.cells, column.cells, strict=True)))

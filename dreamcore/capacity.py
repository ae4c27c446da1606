"""What a step costs, by the network's graph, and how many pictures fit a device together. Imports no TensorFlow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dreamcore import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dreamcore.catalog import ModelSpec
    from dreamcore.octaves import Size
    from dreamcore.params import DreamParams

LARGEST_PACK = 256
IMAGE_COPIES = 12
KEPT_COPIES = 2
WORKSPACE_SHARE = 0.2
KERAS_SHARE = 3
"""Activations that Keras makes for each one that the catalog lists: convolutions, normalisations, gates."""


def step_operations(model: ModelSpec, layers: Iterable[str], size: Size) -> float:
    """Return the multiplications and additions of one step's convolutions, forward and back, for one image.

    2 * 2 * sum over convolutions of h * w * outputs * inputs * kernel's area

    Parameters
    ----------
    model, layers
        The network, computed no further than the deepest of the layers.
    size
        Height and width of the image, px.
    """
    if model.graph is None:
        return 4.0 * math.prod(size) * max(model.layer(layer).multiply_adds for layer in layers)
    graph = model.graph
    total = 0
    for node in graph.needed_for(list(layers)):
        if node.op == "conv":
            per_cell = node.channels * graph.channels(node.inputs[0]) * math.prod(node.kernel)
            total += math.prod(_cells(model, node.name, size)) * per_cell
    return 4.0 * total


def image_bytes(model: ModelSpec, layers: Iterable[str], size: Size, *, precision: str = "float32") -> float:
    """Return about how many bytes one image takes during a step: every activation and its gradient, and the image."""
    width = 2 if precision == "bfloat16" else 4
    elements = activation_elements(model, list(layers), size)
    return float(KEPT_COPIES * width * elements + IMAGE_COPIES * 4 * 3 * math.prod(size))


def pack_size(params: DreamParams, shape: tuple[int, ...], *, memory_bytes: float) -> int:
    """Return how many pictures of a shape a device of so much memory dreams together; 1 or more, a power of 2.

    Parameters
    ----------
    params
        Model, layers and precision count.
    shape : (H, W, …)
        Of each picture, px.
    memory_bytes
        What the device has; a fifth of it stays free for the library's workspace.
    """
    model = catalog.get_model(params.model)
    each = image_bytes(model, params.aimed_layers, (shape[0], shape[1]), precision=params.precision)
    fitting = memory_bytes * (1 - WORKSPACE_SHARE) / each
    return min(LARGEST_PACK, 1 << math.floor(math.log2(max(1.0, fitting))))


def activation_elements(model: ModelSpec, layers: Sequence[str], size: Size) -> int:
    """Return the numbers that all activations hold; where Keras runs the network, by the layers that are listed."""
    if model.graph is None:
        last = max(model.layers.index(model.layer(layer)) for layer in layers)
        return KERAS_SHARE * sum(math.prod(layer.shape(*size)) for layer in model.layers[: last + 1])
    nodes = model.graph.needed_for(list(layers))
    return sum(math.prod(_cells(model, node.name, size)) * node.channels for node in nodes)


def node_count(model: ModelSpec, layers: Sequence[str]) -> int:
    """Return how many operations a network is up to its deepest layer; where Keras runs it, by those listed."""
    if model.graph is None:
        return KERAS_SHARE * (1 + max(model.layers.index(model.layer(layer)) for layer in layers))
    return len(model.graph.needed_for(list(layers)))


def _cells(model: ModelSpec, name: str, size: Size) -> Size:
    """Return a node's number of rows and columns."""
    height, width = size
    for window in model.nodes.windows(name):
        height, width = window.size(height), window.size(width)
    return height, width

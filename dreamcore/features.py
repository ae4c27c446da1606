"""Runs a network given as a graph: plain operations, batch normalisation folded into kernels and biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import numpy as np

from dreamcore.backend import ops, turned
from dreamcore.graph import SOURCE, InputMapping
from dreamcore.keras_network import KerasNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dreamcore.catalog import ModelSpec
    from dreamcore.graph import Node

Tensor = Any
ConvWeights = tuple["NDArray[np.float32]", "NDArray[np.float32]"]
Arrays = Union["Mapping[str, ConvWeights]", KerasNetwork]


def activations(
    model: ModelSpec,
    weights: Arrays,
    image: Tensor,
    layers: Sequence[str],
    *,
    bfloat16: bool = False,
) -> list[Tensor]:
    """Compute the activations of layers, and nothing past the deepest one.

    Parameters
    ----------
    model
        The network.
    weights
        Kernel (rows, columns, inputs, outputs) and bias (outputs,) of each convolution, or the network that Keras runs.
    image : (N, H, W, 3) float32
        RGB in [-1, 1].
    layers
        Names from the model's catalog entry.
    bfloat16
        Whether the network computes in bfloat16: half the bytes, eight bits of each number's fraction.

    Returns
    -------
    (N, h, w, C) float32 for each layer.
    """
    if isinstance(weights, KerasNetwork):
        return weights.activations(map_input(image, model.mapping), layers)
    values = {SOURCE: ops.cast(map_input(image, model.mapping), "bfloat16" if bfloat16 else "float32")}
    for node in model.nodes.needed_for(list(layers)):
        values[node.name] = _compute(node, [values[x] for x in node.inputs], weights)
    return [ops.cast(values[layer], "float32") for layer in layers]


def map_input(image: Tensor, mapping: InputMapping) -> Tensor:
    """Turn RGB in [-1, 1] into what the network takes."""
    if mapping == InputMapping():
        return image
    scale = np.asarray(mapping.scale, np.float32)
    taken = (image + 1.0) * (scale if mapping.order == "rgb" else np.flip(scale))
    return (taken if mapping.order == "rgb" else turned(taken)) + -np.asarray(mapping.mean, np.float32)


def _compute(node: Node, inputs: list[Tensor], weights: Mapping[str, ConvWeights]) -> Tensor:
    if node.op == "conv":
        kernel, bias = (ops.cast(array, inputs[0].dtype) for array in weights[node.name])
        x = ops.conv(inputs[0], kernel, strides=node.stride, padding=node.padding) + bias
        return ops.relu(x) if node.activation == "relu" else x
    if node.op == "max":
        return ops.max_pool(inputs[0], node.kernel, node.stride, node.padding)
    if node.op == "avg":
        return ops.average_pool(inputs[0], node.kernel, node.stride, node.padding)
    return ops.concatenate(inputs, axis=-1)

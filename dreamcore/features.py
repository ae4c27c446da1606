"""Runs a network given as a graph, rearranged so that the same values cost less.

Three identities are used: convolutions of one input with 1x1 kernels are one convolution with their kernels side by
side; an average and a 1x1 convolution commute, so the average runs on the fewer channels; and batch normalisation at
inference is part of a convolution's kernel and bias, which are given folded.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import ops
from dreamcore.catalog import InputMapping
from dreamcore.graph import SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dreamcore.catalog import ModelSpec
    from dreamcore.graph import Node

Tensor = Any
ConvWeights = tuple["NDArray[np.float32]", "NDArray[np.float32]"]


def activations(
    model: ModelSpec, weights: Mapping[str, ConvWeights], image: Tensor, layers: Sequence[str]
) -> list[Tensor]:
    """Compute the activations of layers, and nothing past the deepest one.

    Parameters
    ----------
    model
        The network.
    weights
        Kernel (rows, columns, inputs, outputs) and bias (outputs,) of each convolution.
    image : (N, H, W, 3) float32
        RGB in [-1, 1].
    layers
        Names from the model's catalog entry.

    Returns
    -------
    (N, h, w, C) float32 for each layer.
    """
    nodes = model.graph.needed_for(list(layers))
    averages = {node.name: node.inputs[0] for node in nodes if node.op == "avg"}
    values = {SOURCE: map_input(image, model.mapping)}
    for group in _fused([node for node in nodes if node.op != "avg"], averages):
        values.update(_compute(group, values, weights, averages))
    return [values[layer] for layer in layers]


def map_input(image: Tensor, mapping: InputMapping) -> Tensor:
    """Turn RGB in [-1, 1] into what the network takes."""
    if mapping == InputMapping():
        return image
    ordered = ops.flip(image, axis=-1) if mapping.order == "bgr" else image
    return (ordered + 1.0) * mapping.scale - np.asarray(mapping.mean, np.float32)


def _fused(nodes: list[Node], averages: Mapping[str, str]) -> list[list[Node]]:
    """Group the 1x1 convolutions that share an input; every other node stays alone."""
    groups: dict[tuple[str, ...], list[Node]] = {}
    for node in nodes:
        shared = _is_pointwise(node) and node.inputs[0] not in averages
        key = ("shared", *node.inputs, node.activation) if shared else (node.name,)
        groups.setdefault(key, []).append(node)
    return list(groups.values())


def _is_pointwise(node: Node) -> bool:
    return node.op == "conv" and node.kernel == (1, 1) and node.stride == 1


def _compute(
    group: list[Node], values: Mapping[str, Tensor], weights: Mapping[str, ConvWeights], averages: Mapping[str, str]
) -> dict[str, Tensor]:
    node = group[0]
    source = node.inputs[0]
    if node.op == "concat":
        return {node.name: ops.concatenate([values[x] for x in node.inputs], axis=-1)}
    if node.op == "max":
        return {node.name: ops.max_pool(values[source], node.kernel, node.stride, node.padding)}
    if source in averages:
        return {node.name: _averaged(node, values[averages[source]], weights[node.name])}
    return _convolved(group, values[source], [weights[each.name] for each in group])


def _convolved(group: list[Node], x: Tensor, weights: list[ConvWeights]) -> dict[str, Tensor]:
    kernel = np.concatenate([kernel for kernel, _ in weights], axis=-1)
    bias = np.concatenate([bias for _, bias in weights])
    node = group[0]
    result = _activated(ops.conv(x, kernel, strides=node.stride, padding=node.padding) + bias, node)
    if len(group) == 1:
        return {node.name: result}
    ends = list(accumulate(each.channels for each in group))
    return {each.name: part for each, part in zip(group, ops.split(result, ends[:-1], axis=-1), strict=True)}


def _averaged(node: Node, x: Tensor, weights: ConvWeights) -> Tensor:
    kernel, bias = weights
    return _activated(ops.average_pool(ops.conv(x, kernel), 3, 1, "same") + bias, node)


def _activated(x: Tensor, node: Node) -> Tensor:
    return ops.relu(x) if node.activation == "relu" else x

"""A network up to some layers as a Keras model, for other programs: Netron shows it, Keras runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

import dreamcore.backend  # isort: skip  # noqa: F401  # sets the library up before Keras loads

import keras

from dreamcore.graph import SOURCE
from dreamcore.keras_network import KerasNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dreamcore.features import ConvWeights
    from dreamcore.graph import Graph, InputMapping, Node
    from dreamcore.models import Model

Tensor = Any


def extractor(model: Model, layers: Sequence[str]) -> keras.Model:
    """Return a Keras model from images, (N, H, W, 3) float32 RGB in [-1, 1], to the activations of layers.

    Raises
    ------
    ValueError
        The model has no such layer; the message names the nearest ones.
    """
    model.spec.check_layers(layers)
    image = keras.Input((None, None, 3), name="rgb")
    mapped = _mapped(image, model.spec.mapping)
    if isinstance(model.weights.arrays, KerasNetwork):
        outputs = model.weights.arrays.activations(mapped, layers)
    else:
        outputs = _built(model.spec.nodes, model.weights.arrays, mapped, layers)
    return keras.Model(image, dict(zip(layers, outputs, strict=True)), name=model.name)


def _mapped(image: Tensor, mapping: InputMapping) -> Tensor:
    """Turn RGB in [-1, 1] into what the network takes, as a convolution: y = (x[order] + 1) * scale - mean."""
    scale = np.broadcast_to(np.asarray(mapping.scale, np.float32), 3)
    order = (2, 1, 0) if mapping.order == "bgr" else (0, 1, 2)
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    for target, source in enumerate(order):
        kernel[0, 0, source, target] = scale[target]
    layer = keras.layers.Conv2D(3, 1, name="input_mapping")
    mapped = layer(image)
    layer.set_weights([kernel, scale - np.asarray(mapping.mean, np.float32)])
    return mapped


def _built(graph: Graph, weights: Mapping[str, ConvWeights], image: Tensor, layers: Sequence[str]) -> list[Tensor]:
    values = {SOURCE: image}
    for node in graph.needed_for(list(layers)):
        inputs = [values[name] for name in node.inputs]
        layer = _layer(node)
        values[node.name] = layer(inputs if node.op == "concat" else inputs[0])
        if node.op == "conv":
            layer.set_weights(list(weights[node.name]))
    return [values[layer] for layer in layers]


def _layer(node: Node) -> keras.layers.Layer:
    name = node.name.replace("/", "_")  # Keras takes no other
    where = {"strides": node.stride, "padding": node.padding, "name": name}
    if node.op == "conv":
        return keras.layers.Conv2D(node.channels, node.kernel, activation=node.activation, **where)
    if node.op == "concat":
        return keras.layers.Concatenate(name=name)
    pool = keras.layers.MaxPooling2D if node.op == "max" else keras.layers.AveragePooling2D
    return cast("keras.layers.Layer", pool(node.kernel, **where))

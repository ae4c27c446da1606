"""NASNet, whose paddings Keras settles by the size that it is built for, made to take pictures of any size."""

from __future__ import annotations

from typing import Any

import numpy as np

import dreamcore.backend  # isort: skip  # noqa: F401  # sets the library up before Keras loads

import keras

BEFORE_CONVOLUTION = "separable_conv_1_pad_"
BEFORE_POOLS = "reduction_pad_1_"
POOLS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


def of_any_size(built: keras.Model) -> keras.Model:
    """Return a NASNet that answers, to a picture of any size, as Keras' own does that is built for that size.

    Keras pads, before it halves a size, by k // 2, less 1 on the upper and left sides where the size is even: the
    places of "same" padding. Convolutions do that by themselves. Pools would leave the zeros out, which count here: so
    they go over every place of a picture padded evenly, and a convolution with a single 1 picks every other answer.
    Keras joins what differs in size by shrinking; which branches do is the same for all sizes that the network takes.
    """
    after = {layer.name for layer in built.layers if isinstance(layer, POOLS) and _is_padded(layer)}

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer.name.startswith(BEFORE_CONVOLUTION):
            return keras.layers.Identity(name=layer.name)
        if layer.name.startswith(BEFORE_POOLS):
            return keras.layers.ZeroPadding2D(1, name=layer.name)
        if layer.name in after:
            return _everywhere_then_picked(layer)
        config = layer.get_config()
        halves = isinstance(layer, keras.layers.SeparableConv2D) and max(layer.strides) > 1
        return type(layer).from_config({**config, "padding": "same"} if halves else config)

    copy = keras.models.clone_model(built, input_tensors=keras.Input((None, None, 3)), clone_function=clone)
    for layer in built.layers:
        if layer.weights:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _is_padded(layer: Any) -> bool:
    parents = layer._inbound_nodes[0].parent_nodes  # noqa: SLF001  # Keras shows them nowhere else
    return any(node.operation.name.startswith(BEFORE_POOLS) for node in parents)


def _everywhere_then_picked(pool: keras.layers.Layer) -> keras.Sequential:
    """Return a pool at every place, and the choice of those places at which one with its strides would stand."""
    channels = pool.input.shape[-1]
    picking = keras.layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)
    everywhere = type(pool)(pool.pool_size, strides=1, padding="valid")
    both = keras.Sequential([keras.Input((None, None, channels)), everywhere, picking], name=pool.name)
    kernel = np.zeros((3, 3, channels, 1), np.float32)
    kernel[1, 1] = 1
    picking.set_weights([kernel])
    return both

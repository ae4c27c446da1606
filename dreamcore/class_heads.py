"""The classifiers of Keras Applications, made to go over pictures of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import dreamcore.backend  # isort: skip  # noqa: F401  # sets the library up before Keras loads

import keras

if TYPE_CHECKING:
    from collections.abc import Sequence

Tensor = Any

STARTS = (keras.layers.GlobalAveragePooling2D, keras.layers.Flatten)
SHAPING = (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Reshape)


class ClassHead(NamedTuple):
    """What stands between a network's last features and its classes.

    Attributes
    ----------
    window
        Cells along a side that one answer sees.
    pooled
        Whether it is no sum over cells, so that each cell answers with the score of the whole picture.
    layers
        As Keras built them, the first one that which does away with places.
    """

    window: int
    pooled: bool
    layers: Sequence[keras.layers.Layer]

    def built(self) -> keras.Model:
        """Return a model from features, (N, h, w, C), to scores before the softmax, (N, h', w', 1000).

        The mean over the cells is the score that Keras' own network gives; of a head that takes a window of cells
        at once, as VGG's does, where the features are one such window.
        """
        features = keras.Input((None, None, self.layers[0].input.shape[-1]))
        x = keras.layers.GlobalAveragePooling2D(keepdims=True)(features) if self.pooled else features
        window = self.window
        for layer in self.layers[1:]:
            if not isinstance(layer, SHAPING):
                x = _anywhere(layer, x, window)
                window = 1
        return keras.Model(features, keras.ops.zeros_like(features[..., :1]) + x if self.pooled else x)


def class_head(whole: keras.Model) -> ClassHead:
    """Find the head of a network that Keras built with its classes and without their softmax."""
    kind = next(kind for kind in STARTS if any(isinstance(layer, kind) for layer in whole.layers))
    start = max(index for index, layer in enumerate(whole.layers) if isinstance(layer, kind))
    layers = whole.layers[start:]
    averages = kind is keras.layers.GlobalAveragePooling2D
    return ClassHead(
        window=1 if averages else layers[0].input.shape[1],
        pooled=averages and any(_bends(layer) for layer in layers),
        layers=layers,
    )


def _bends(layer: keras.layers.Layer) -> bool:
    """Whether the mean of what a layer returns differs from what it returns for the mean."""
    activation = getattr(layer, "activation", keras.activations.linear)
    return isinstance(layer, keras.layers.LayerNormalization) or activation is not keras.activations.linear


def _anywhere(layer: keras.layers.Layer, x: Tensor, window: int) -> Tensor:
    """Apply a layer of a head to each place."""
    if isinstance(layer, keras.layers.Dense):
        copy = keras.layers.Conv2D(layer.units, window, activation=layer.activation)
    else:
        copy = type(layer).from_config(layer.get_config())
    answer = copy(x)
    copy.set_weights([values.reshape(weight.shape) for values, weight in _paired(layer, copy)])
    return answer


def _paired(layer: keras.layers.Layer, copy: keras.layers.Layer) -> list[tuple[Any, Any]]:
    return list(zip(layer.get_weights(), copy.weights, strict=True))

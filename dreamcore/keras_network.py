"""Runs a network as Keras built it, batch normalisation folded into the convolutions before it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

import dreamcore.backend  # isort: skip  # noqa: F401  # sets the library up before Keras loads

import keras

from dreamcore.networks.applications import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Classes = Callable[[], keras.Model]

Tensor = Any

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


class KerasNetwork:
    """A Keras model that answers for layers by their names.

    Parameters
    ----------
    any_size
        Whether to take images of any size, whatever size the model was made for.
    classes
        Loads what turns the network's last features into the answers of its classes.
    """

    def __init__(self, model: keras.Model, *, any_size: bool = False, classes: Classes | None = None) -> None:
        self.model = folded(model, any_size=any_size)
        self._load_classes = classes
        self._names = {lasting: name for name, lasting in lasting_names(model).items()}
        self.sha256 = _digest(model)

    def activations(self, image: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """Compute the activations of layers, and nothing past the deepest one.

        Parameters
        ----------
        image : (N, H, W, 3) float32
            As the network takes it.
        """
        outputs = [self._output(layer) for layer in layers]
        found = keras.Model(self.model.input, outputs)(image, training=False)
        return list(found) if isinstance(found, (list, tuple)) else [found]

    def shape(self, layer: str, size: tuple[int, int]) -> tuple[int, ...]:
        """Return (h, w, C) of a layer's activation of an image of (height, width).

        Raises
        ------
        ValueError
            The network doesn't take this size.
        """
        image = keras.KerasTensor((1, *size, 3))
        return tuple(keras.Model(self.model.input, self._output(layer)).compute_output_spec(image).shape[1:])

    @cached_property
    def classes(self) -> keras.Model | None:
        """What reads the classes from the last features; None where the network has none.

        Raises
        ------
        WeightsError
            Their weights can't be had.
        """
        return self._load_classes() if self._load_classes else None

    def _output(self, layer: str) -> Tensor:
        if layer == CLASSES and self.classes:
            return self.classes(last_features(self.model).output)
        return self.model.get_layer(self._names[layer]).output


def last_features(model: keras.Model) -> Any:
    """Return the operation whose answers the classes are read from, in a network without them.

    ConvNeXt's ends with a normalisation that stands elsewhere where there are classes.
    """
    last = model.operations[-1]
    if isinstance(last, keras.layers.LayerNormalization):
        return last._inbound_nodes[0].parent_nodes[0].operation  # noqa: SLF001  # Keras shows it nowhere else
    return last


def lasting_names(model: keras.Model) -> dict[str, str]:
    """Return a name for each layer that is the same in every process.

    Where a layer was given no name Keras numbers it on through the process; here it is numbered within its model.
    """
    counts: Counter[str] = Counter()
    names = {}
    for layer in model.layers:
        kind = re.sub(r"_\d+$", "", layer.name)
        if kind == re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", type(layer).__name__).lower():
            names[layer.name] = f"{kind}_{counts[kind]}"
            counts[kind] += 1
        else:
            names[layer.name] = layer.name
    return names


def foldable(model: keras.Model) -> dict[str, str]:
    """Return the linear convolutions whose only reader is a batch normalisation, and that reader's name."""
    found = {}
    for layer in model.layers:
        if isinstance(layer, CONVOLUTIONS) and layer.activation is keras.activations.linear:
            readers = [node.operation for node in layer._outbound_nodes]  # noqa: SLF001  # Keras shows them nowhere else
            if len(readers) == 1 and isinstance(readers[0], keras.layers.BatchNormalization):
                found[layer.name] = readers[0].name
    return found


def folded(model: keras.Model, *, any_size: bool = False) -> keras.Model:
    """Return the model with each batch normalisation done by the convolution before it, where there is one."""
    pairs = foldable(model)
    norms = set(pairs.values())

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer.name in norms:
            return keras.layers.Identity(name=layer.name)
        config = layer.get_config()
        return type(layer).from_config({**config, "use_bias": True} if layer.name in pairs else config)

    image = keras.Input((None, None, 3)) if any_size else None
    copy = keras.models.clone_model(model, input_tensors=image, clone_function=clone, call_function=_unmasked)
    for layer in model.layers:
        if layer.name in pairs:
            copy.get_layer(layer.name).set_weights(_merged(layer, model.get_layer(pairs[layer.name])))
        elif layer.name not in norms and layer.weights:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _unmasked(layer: keras.layers.Layer, *inputs: Tensor, **options: Any) -> Tensor:
    """Call a layer without the mask that normalisations are offered, which an identity doesn't take."""
    return layer(*inputs, **{name: value for name, value in options.items() if name != "mask"})


def _merged(convolution: keras.layers.Layer, norm: keras.layers.BatchNormalization) -> list[np.ndarray]:
    """Return a convolution's weights with a batch normalisation's scale and shift in them.

    k' = k * s, b' = (b - mean) * s + beta, s = gamma / sqrt(variance + epsilon)
    """
    weights = convolution.get_weights()
    kernels, bias = (weights[:-1], weights[-1]) if convolution.use_bias else (weights, 0.0)
    mean, variance = norm.moving_mean, norm.moving_variance
    scale = np.asarray(norm.gamma if norm.scale else 1.0) / np.sqrt(np.asarray(variance) + norm.epsilon)
    shift = (bias - np.asarray(mean)) * scale + np.asarray(norm.beta if norm.center else 0.0)
    last = kernels[-1]
    depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
    last = last * (scale.reshape(last.shape[2:]) if depthwise else scale)
    return [*kernels[:-1], last, shift]


def _digest(model: keras.Model) -> str:
    digest = hashlib.sha256()
    for values in model.get_weights():
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()

"""Compares each network of Keras Applications with Keras' own answers: `python -m bench.networks [NAME ...]`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from dreamcore.catalog import get_model
from dreamcore.keras_applications import anywhere
from dreamcore.keras_network import KerasNetwork, lasting_names
from dreamcore.networks.applications import APPLICATIONS, CLASSES
from dreamcore.weights import load_weights

LAYERS = 12
"""Layers compared of each network, spread over its depth."""

SIZE = (107, 131)
CLASS_SIZE = 128
"""In px, of the picture whose classes are compared: of a size at which Keras pads alike in any network."""


def main(names: list[str]) -> None:
    """Print the largest departure of each network, as a share of the layer's largest answer."""
    table = Table("network", "parameters", "layers", "compared", "largest departure", "of its classes")
    for name in names or APPLICATIONS:
        spec = get_model(name)
        found = departures(name, size=SIZE)
        worst = max(departure for departure, _ in found.values())
        classes = f"{class_departure(name):.1e}"
        table.add_row(name, f"{spec.parameters:,}", str(len(spec.layers)), str(len(found)), f"{worst:.1e}", classes)
        keras.backend.clear_session()
    Console(width=110).print(table)


def departures(name: str, *, size: tuple[int, int]) -> dict[str, tuple[float, tuple[int, ...]]]:
    """Return for layers all along a network how far its answer is from Keras', and that answer's shape."""
    side = APPLICATIONS[name].built_px
    builder = getattr(keras.applications, APPLICATIONS[name].builder)
    built = shaken(builder(weights=None, include_top=False, input_shape=(side, side, 3)))
    own = built if side is None else _as_built_for(builder, size, built)
    listed = [layer.name for layer in get_model(name).layers if layer.name != CLASSES]
    layers = listed[:: max(1, len(listed) // LAYERS)]
    image = np.random.default_rng(1).uniform(-1, 1, (1, *size, 3)).astype(np.float32)
    names = {lasting: given for given, lasting in lasting_names(own).items()}
    ours = KerasNetwork(anywhere(built, side)).activations(image, layers)
    theirs = keras.Model(own.input, [own.get_layer(names[layer]).output for layer in layers])(image, training=False)
    pairs = zip(layers, map(np.asarray, ours), map(np.asarray, theirs), strict=True)
    return {layer: (_departure(mine, other), other.shape[1:]) for layer, mine, other in pairs}


def _as_built_for(builder: Any, size: tuple[int, int], like: keras.Model) -> keras.Model:
    """Return the network as Keras builds it for pictures of one size, with another's weights."""
    own = builder(weights=None, include_top=False, input_shape=(*size, 3))
    own.set_weights(like.get_weights())
    return own


def class_departure(name: str) -> float:
    """Return how far the scores of all classes are from those of Keras' own network from the same file."""
    spec = get_model(name)
    size = max(CLASS_SIZE, spec.least_side([CLASSES]))
    builder = getattr(keras.applications, APPLICATIONS[name].builder)
    whole = shaken(builder(weights=None, classifier_activation=None, input_shape=(size, size, 3)))
    image = np.random.default_rng(1).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
    with TemporaryDirectory() as folder:
        path = Path(folder, "whole.weights.h5")
        whole.save_weights(path)
        ours = cast("KerasNetwork", load_weights(spec, str(path), weights_dir=None).arrays)
        [cells] = ours.activations(image, [CLASSES])
    return _departure(np.asarray(cells).mean(axis=(1, 2)), np.asarray(whole(image, training=False)))


def shaken(model: keras.Model) -> keras.Model:
    """Give a model weights that hide no mistake: random means, variances, scales and shifts too."""
    numbers = np.random.default_rng(5)
    for layer in model.layers:
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.set_weights([_shaken(numbers, values, normalises=normalises) for values in layer.get_weights()])
    return model


def _shaken(numbers: np.random.Generator, values: np.ndarray, *, normalises: bool) -> np.ndarray:
    if normalises:
        return np.asarray(numbers.uniform(0.5, 1.5, values.shape), np.float32)
    spread = 1 / np.sqrt(np.prod(values.shape[:-1]) + 1)
    return np.asarray(numbers.standard_normal(values.shape) * spread, np.float32)


def _departure(mine: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(mine - other).max() / (np.abs(other).max() or 1))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Compares each network of Keras Applications with Keras' own answers: `python -m bench.networks [NAME ...]`."""

from __future__ import annotations

import sys

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from dreamcore.catalog import get_model
from dreamcore.keras_network import KerasNetwork, lasting_names
from dreamcore.networks.applications import APPLICATIONS

LAYERS = 12
"""Layers compared of each network, spread over its depth."""

SIZE = (107, 131)


def main(names: list[str]) -> None:
    """Print the largest departure of each network, as a share of the layer's largest answer."""
    table = Table("network", "parameters", "layers", "compared", "largest departure")
    for name in names or APPLICATIONS:
        spec = get_model(name)
        found = departures(name, size=SIZE)
        worst = max(departure for departure, _ in found.values())
        table.add_row(name, f"{spec.parameters:,}", str(len(spec.layers)), str(len(found)), f"{worst:.1e}")
        keras.backend.clear_session()
    Console().print(table)


def departures(name: str, *, size: tuple[int, int]) -> dict[str, tuple[float, tuple[int, ...]]]:
    """Return for layers all along a network how far its answer is from Keras', and that answer's shape."""
    builder = getattr(keras.applications, APPLICATIONS[name].builder)
    built = shaken(builder(weights=None, include_top=False, input_shape=(None, None, 3)))
    listed = [layer.name for layer in get_model(name).layers]
    layers = listed[:: max(1, len(listed) // LAYERS)]
    image = np.random.default_rng(1).uniform(-1, 1, (1, *size, 3)).astype(np.float32)
    names = {lasting: own for own, lasting in lasting_names(built).items()}
    ours = KerasNetwork(built).activations(image, layers)
    theirs = keras.Model(built.input, [built.get_layer(names[layer]).output for layer in layers])(image, training=False)
    pairs = zip(layers, map(np.asarray, ours), map(np.asarray, theirs), strict=True)
    return {layer: (_departure(mine, other), other.shape[1:]) for layer, mine, other in pairs}


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

"""Networks of Keras Applications with their weights; their classes are loaded when they are first dreamt of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import dreamcore.backend  # isort: skip  # noqa: F401  # sets the library up before Keras loads

import keras

from dreamcore.class_heads import class_head
from dreamcore.errors import WeightsError
from dreamcore.keras_network import KerasNetwork, lasting_names
from dreamcore.nasnet import of_any_size
from dreamcore.networks.applications import APPLICATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from dreamcore.catalog import ModelSpec


def application(spec: ModelSpec, builder: str, weights: str, *, path: Path | None, whole: Path | None) -> KerasNetwork:
    """Build a network of Keras Applications.

    Parameters
    ----------
    weights
        "imagenet", which Keras fetches and checks; "random", always the same ones; or anything else, with `path`.
    path
        File of weights; None where Keras fetches them.
    whole
        File of weights with classes; None where `path` has them, or Keras fetches them.

    Raises
    ------
    WeightsError
        They can't be fetched, or don't fit; the message names the ways to provide them.
    """
    build = getattr(keras.applications, builder)
    side = APPLICATIONS[spec.name].built_px
    given = None if weights == "imagenet" else path
    classes = partial(_classes, spec, builder, weights, whole or given)
    if weights == "random":
        return KerasNetwork(anywhere(randomised(_bare(build, None, side)), side), classes=classes)
    try:
        network = _bare(build, "imagenet", side) if path is None else _of_file(build, path, side)
    except Exception as error:  # Keras raises a bare Exception where a download fails
        wrong = f"{path} is no file of weights of {spec.title}" if path else f"The weights of {spec.title} can't be had"
        raise WeightsError(
            f"{wrong} ({str(error).rstrip('.')}). Get Keras' file for {builder}(include_top=False) "
            f"where there is internet, then pass it as --weights FILE, or put it as {spec.name}.h5 into the folder "
            "that DREAMFARM_WEIGHTS_DIR names."
        ) from error
    return KerasNetwork(anywhere(network, side), classes=classes)


def anywhere(network: keras.Model, built_px: int | None) -> keras.Model:
    """Return a network that takes pictures of any size, from one that may be built for one."""
    return of_any_size(network) if built_px else network


def randomised(model: keras.Model) -> keras.Model:
    """Give a model random weights, the same at every call: kernels N(0, 2 / fan_in), the rest as Keras starts."""
    numbers = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([_random(numbers, values) for values in layer.get_weights()])
    return model


def _random(numbers: np.random.Generator, values: np.ndarray) -> np.ndarray:
    if values.ndim < 2:  # noqa: PLR2004  # biases, and what normalises
        return values
    spread = np.sqrt(2 / np.prod(values.shape[:-1]))
    random: np.ndarray = numbers.standard_normal(values.shape, np.float32) * np.float32(spread)
    return random


def _bare(build: Any, weights: str | None, side: int | None) -> keras.Model:
    return build(weights=weights, include_top=False, input_shape=(side, side, 3))


def _whole(build: Any, weights: str | None) -> keras.Model:
    return build(weights=weights, include_top=True, classifier_activation=None)


def _of_file(build: Any, path: Path, side: int | None) -> keras.Model:
    """Return the network without its classes, from a file that has them or has not."""
    try:
        return _bare(build, str(path), side)
    except ValueError as error:
        try:
            whole = _whole(build, str(path))
        except ValueError:
            raise error from None
    bare = _bare(build, None, side)
    names, there = lasting_names(bare), {name: layer for layer, name in lasting_names(whole).items()}
    for layer in bare.layers:
        if names[layer.name] in there:
            layer.set_weights(whole.get_layer(there[names[layer.name]]).get_weights())
    return bare


def _classes(spec: ModelSpec, builder: str, weights: str, path: Path | None) -> keras.Model:
    """Return what reads a network's classes from its last features."""
    build = getattr(keras.applications, builder)
    if weights == "random":
        return randomised(class_head(_whole(build, None)).built())
    try:
        return class_head(_whole(build, str(path) if path else "imagenet")).built()
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise WeightsError(
            f"The classes of {spec.title} can't be had ({str(error).rstrip('.')}). Get Keras' file for "
            f"{builder}(include_top=True) where there is internet, then pass it as --weights FILE, or put it as "
            f"{spec.name}_classes.h5 into the folder that DREAMFARM_WEIGHTS_DIR names."
        ) from error

"""Opens a user's own network, a whole Keras model in a file, without running code from it."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, cast

import dreamcore.backend  # isort: skip  # noqa: F401  # sets the library up before Keras loads

import h5py
import keras

from dreamcore import own_models
from dreamcore.errors import ModelFileError
from dreamcore.keras_network import KerasNetwork
from dreamcore.layer_table import IMAGE_RANK, MORE_KINDS, describe, reaches
from dreamcore.own_models import SUFFIXES, Input, OwnModel

if TYPE_CHECKING:
    from pathlib import Path

    from dreamcore.catalog import ModelSpec

COLOURS = 3
TRIAL_SIZES = ((224, 256), (251, 307))
SCALING = (keras.layers.Rescaling, keras.layers.Normalization)


def add_file(path: Path, *, name: str | None = None, takes: Input | None = None) -> ModelSpec:
    """Add the network in a file to the catalog, under the file's name, and return its entry.

    Parameters
    ----------
    takes
        What the network takes. Left out: as described beside the file, else as `inspect` finds.

    Raises
    ------
    ModelFileError
        The file holds no network that can be dreamt with, or the name is taken.
    """
    name = name or re.sub(r"[^a-z0-9_.-]", "_", path.stem.lower())
    about = path.with_suffix(".json")
    own = own_models.read(about) if takes is None and about.is_file() else inspect(path, takes=takes)
    return own_models.add(own, name, path.parent)


def inspect(path: Path, *, takes: Input | None = None) -> OwnModel:
    """Describe the network in a file.

    Parameters
    ----------
    takes
        What the network takes. Left out: 0..255 where it scales its input by itself, else -1..1.

    Raises
    ------
    ModelFileError
        The file is not there, is no Keras model, needs code of its own, or has no layers to dream with.
    """
    network = _images_only(_loaded(path), path)
    scales = any(isinstance(layer, SCALING) for layer in network.layers)
    about = describe(network, MORE_KINDS)
    own = OwnModel(file=path.name, sha256=file_sha256(path), input=takes or ("0..255" if scales else "-1..1"), **about)
    return _checked(own, KerasNetwork(network, any_size=True), path)


def open_network(spec: ModelSpec) -> KerasNetwork:
    """Load the network of a catalog's entry.

    Raises
    ------
    ModelFileError
        The file is not the one that was described.
    """
    path = cast("Path", spec.file)
    if not path.is_file() or file_sha256(path) != spec.file_sha256:
        raise ModelFileError(
            f"{path} is not the file that was described as {spec.name!r}. Add it again with `dreamfarm models add`."
        )
    return KerasNetwork(_images_only(_loaded(path), path), any_size=True)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _loaded(path: Path) -> keras.Model:
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise ModelFileError(f"There is no model file {path}. Name one that ends in {' or '.join(SUFFIXES)}.")
    try:
        if path.suffix.lower() != ".keras":
            _check_hdf5(path)
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except ModelFileError:
        raise
    except Exception as error:  # Keras raises whatever the file makes it stumble over
        raise ModelFileError(
            f"{path} can't be loaded as a Keras model without running code of its own ({_first_line(error)}). Save a "
            "model of Keras' own layers with model.save."
        ) from error


def _check_hdf5(path: Path) -> None:
    """Refuse a file of weights alone, and one with Python code, before Keras looks at it."""
    with h5py.File(path) as file:
        config = file.attrs.get("model_config")
    if config is None:
        raise ModelFileError(f"{path} holds weights alone. Save the whole model with model.save.")
    if '"Lambda"' in json.dumps(json.loads(config)):
        raise ModelFileError(f"{path} has a Lambda layer, which would run code of the file's. Use Keras' own layers.")


def _images_only(model: Any, path: Path) -> keras.Model:
    """Return the part of a model whose answers have a place in the image, as one network without others inside."""
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ModelFileError(f"{path} holds no model with an input. Save a functional or a built sequential model.")
    _check_input(model, path)
    image = model.inputs[0]
    whole = keras.Model(image, model.outputs)
    inside = [each for each in whole.layers if isinstance(each, keras.Model) and not isinstance(each, keras.Sequential)]
    if inside:
        raise ModelFileError(
            f"{path} has a network inside, {inside[0].name!r}. Save that one by itself: "
            f"model.get_layer({inside[0].name!r}).save(…)."
        )
    seen = reaches(whole)
    outputs = [layer.output for layer in whole.layers[1:] if seen[layer.name]]
    if not outputs:
        raise ModelFileError(f"{path} has no layer with places in the image. Dreams need a convolutional network.")
    return keras.Model(image, outputs)


def _check_input(model: keras.Model, path: Path) -> None:
    shapes = [tuple(each.shape) for each in model.inputs]
    if len(shapes) != 1 or len(shapes[0]) != IMAGE_RANK or shapes[0][-1] != COLOURS:
        raise ModelFileError(
            f"{path} takes {' and '.join(map(str, shapes))}. Dreams need a network of one input of shape "
            "(N, height, width, 3)."
        )


def _checked(own: OwnModel, network: KerasNetwork, path: Path) -> OwnModel:
    """Keep the layers whose shapes are those that their windows say, at two sizes of image."""
    spec = own.spec(path.stem, path.parent)
    kept = [row for row in own.layers if all(_agrees(spec, row[0], network, size) for size in TRIAL_SIZES)]
    if not kept:
        raise ModelFileError(f"{path} has no layer whose size follows the image's: its images are resized, or fixed.")
    names = {row[0] for row in kept}
    favourites = {layer: weight for layer, weight in own.default_layers.items() if layer in names}
    return own.model_copy(update={"layers": tuple(kept), "default_layers": favourites or {kept[-1][0]: 1.0}})


def _agrees(spec: ModelSpec, layer: str, network: KerasNetwork, size: tuple[int, int]) -> bool:
    try:
        return network.shape(layer, size) == spec.layer(layer).shape(*size)
    except ValueError:  # tensors of unlike sizes meet
        return False


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200].rstrip(".")

"""Weights of networks: found, checked and folded into plain convolutions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dreamcore import keras_weights, pickled_weights
from dreamcore.errors import WeightsError
from dreamcore.networks.applications import APPLICATIONS
from dreamcore.networks.weight_hashes import KNOWN, KNOWN_WITH_CLASSES, algorithm_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dreamcore.catalog import ModelSpec
    from dreamcore.features import Arrays, ConvWeights
    from dreamcore.graph import Graph, Node

RANDOM_SEED = 0


@dataclass(frozen=True, eq=False)
class Weights:
    """Kernel (rows, columns, inputs, outputs) and bias (outputs,) of each convolution; SHA-256 of their source.

    A network that Keras runs stands here as a whole.
    """

    arrays: Arrays
    sha256: str


class Source(NamedTuple):
    """Where a model's ImageNet weights come from, and how a file of them is read; digests by the files' names."""

    digests: Mapping[str, str]
    algorithm: str
    find: Callable[[], Path]
    read: Callable[[Path, Graph], Mapping[str, ConvWeights]]


SOURCES = {
    "squeezenet": Source(
        digests={"squeezenet_weights.pkl": "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"},
        algorithm="sha256",
        find=pickled_weights.find,
        read=pickled_weights.read,
    ),
    "inception_v3": Source(
        digests={
            keras_weights.FILE_NAME: keras_weights.MD5,
            keras_weights.WITHOUT_CLASSES: keras_weights.MD5_WITHOUT_CLASSES,
        },
        algorithm="md5",
        find=keras_weights.download,
        read=keras_weights.read,
    ),
}


def load_weights(model: ModelSpec, weights: str, *, weights_dir: Path | None) -> Weights:
    """Load weights: "imagenet", "random" or a path.

    Raises
    ------
    WeightsError
        There are none, their hash is another, or they don't fit the network.
    """
    if model.file is not None:
        return _own(model, weights)
    if model.graph is None:
        return _run_by_keras(model, weights, weights_dir)
    if weights == "random":
        return random_weights(model)
    source = SOURCES[model.name]
    path = _imagenet(source, weights_dir) if weights == "imagenet" else _given(weights)
    arrays = source.read(path, model.nodes)
    check(arrays, model)
    return Weights(arrays, _digest(path, "sha256"))


def _run_by_keras(model: ModelSpec, weights: str, weights_dir: Path | None) -> Weights:
    from dreamcore.keras_applications import application  # noqa: PLC0415  # loads Keras

    path = None if weights in {"imagenet", "random"} else _given(weights)
    whole = None
    if weights == "imagenet" and weights_dir:
        path = _stored(weights_dir / f"{model.name}.h5", KNOWN.get(model.name))
        whole = _stored(weights_dir / f"{model.name}_classes.h5", KNOWN_WITH_CLASSES.get(model.name))
    network = application(model, APPLICATIONS[model.name].builder, weights, path=path, whole=whole)
    return Weights(network, network.sha256)


def _stored(path: Path, digest: str | None) -> Path | None:
    if not path.is_file():
        return None
    if digest:
        _check_digest(path, algorithm_of(digest), digest)
    return path


def _own(model: ModelSpec, weights: str) -> Weights:
    from dreamcore.model_files import open_network  # noqa: PLC0415  # loads Keras

    if weights != "imagenet":
        raise WeightsError(f"{model.name} has its weights in {model.file}: leave {weights!r} out.")
    return Weights(open_network(model), str(model.file_sha256))


def random_weights(model: ModelSpec) -> Weights:
    """Return the same random weights at every call, scaled so that activations neither vanish nor explode.

    kernel ~ N(0, 2 / fan_in), bias = 0

    References
    ----------
    .. [1] He et al., "Delving Deep into Rectifiers", 2015, arXiv:1502.01852.
    """
    numbers = np.random.default_rng(RANDOM_SEED)
    digest = hashlib.sha256()
    arrays: dict[str, ConvWeights] = {}
    for node in _convolutions(model.nodes):
        shape = _kernel_shape(node, model.nodes)
        kernel = numbers.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[:3])))
        arrays[node.name] = kernel, np.zeros(node.channels, np.float32)
        digest.update(kernel.tobytes())
    return Weights(arrays, digest.hexdigest())


def check(arrays: Mapping[str, ConvWeights], model: ModelSpec) -> None:
    """Raise `WeightsError` where an array is missing, of another shape or type, or not finite."""
    for node in _convolutions(model.nodes):
        if node.name not in arrays and node.name == model.class_layer:
            continue  # as in files that end before the classes
        if node.name not in arrays:
            raise WeightsError(f"The weights hold nothing for {node.name!r}: they are not those of {model.name}.")
        kernel, bias = arrays[node.name]
        wanted = _kernel_shape(node, model.nodes)
        if kernel.shape != wanted or bias.shape != (node.channels,):
            raise WeightsError(f"The weights of {node.name!r} have shape {kernel.shape}; {model.name} takes {wanted}.")
        if kernel.dtype != np.float32 or bias.dtype != np.float32 or not np.isfinite(kernel.sum() + bias.sum()):
            raise WeightsError(f"The weights of {node.name!r} are not finite numbers of 32 bits.")


def _convolutions(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes.values() if node.op == "conv"]


def _kernel_shape(node: Node, graph: Graph) -> tuple[int, ...]:
    return *node.kernel, graph.channels(node.inputs[0]), node.channels


def _imagenet(source: Source, weights_dir: Path | None) -> Path:
    stored = [weights_dir / name for name in source.digests if (weights_dir / name).is_file()] if weights_dir else []
    path = stored[0] if stored else source.find()
    _check_digest(path, source.algorithm, source.digests.get(path.name, next(iter(source.digests.values()))))
    return path


def _check_digest(path: Path, algorithm: str, wanted: str) -> None:
    found = _digest(path, algorithm)
    if found != wanted:
        raise WeightsError(
            f"{path} is not the file of ImageNet weights it should be: its {algorithm} is {found}, not {wanted}. "
            "Delete it and fetch it again; weights of your own are given as a file, --weights FILE."
        )


def _given(weights: str) -> Path:
    path = Path(weights)
    if not path.is_file():
        raise WeightsError(f"There is no file of weights at {weights!r}. Give 'imagenet', 'random', or a file's path.")
    return path


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()

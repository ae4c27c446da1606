"""Inception v3's weights, as Keras publishes them; batch normalisation folded into the convolutions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.errors import WeightsError
from dreamcore.networks.inception_v3 import CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dreamcore.features import ConvWeights
    from dreamcore.graph import Graph

FILE_NAME = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/{FILE_NAME}"
MD5 = "9a0d58056eeedaa3f26cb7ebd46da564"
WITHOUT_CLASSES = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
MD5_WITHOUT_CLASSES = "bcbd6486424b2319ff4ef7d526e38f63"


def download() -> Path:
    """Fetch the ImageNet weights, or find them where Keras keeps what was fetched before.

    Raises
    ------
    WeightsError
        They can't be fetched; the message names both ways to provide them.
    """
    import keras  # noqa: PLC0415  # loads TensorFlow

    try:
        return Path(keras.utils.get_file(FILE_NAME, URL, cache_subdir="models", file_hash=MD5))
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise WeightsError(
            f"Inception v3's ImageNet weights can't be fetched ({error}). Get {FILE_NAME} where there is internet, "
            "then pass it as --weights FILE, or put it into the folder that DREAMFARM_WEIGHTS_DIR names."
        ) from error


def read(path: Path, graph: Graph) -> Mapping[str, ConvWeights]:
    """Read a file of weights that Keras' application wrote; one without its classifier has none for the classes."""
    layers = _loaded(path).layers
    convolutions = _by_age(layers, "conv2d")
    norms = _by_age(layers, "batch_normalization")
    names = [node.name for node in graph.nodes.values() if node.op == "conv" and node.name != CLASSES]
    arrays = {name: _folded(*pair) for name, *pair in zip(names, convolutions, norms, strict=True)}
    return arrays | {layer.name: _as_convolution(layer) for layer in layers if layer.name == CLASSES}


def _as_convolution(dense: Any) -> ConvWeights:
    return dense.kernel.numpy()[None, None], dense.bias.numpy()


def _loaded(path: Path) -> Any:
    from keras.applications import InceptionV3  # noqa: PLC0415  # loads TensorFlow

    reasons = []
    for include_top in (True, False):
        model = InceptionV3(weights=None, include_top=include_top)
        try:
            model.load_weights(path)
        except (ValueError, OSError, KeyError) as error:
            reasons.append(str(error).splitlines()[0])
        else:
            return model
    raise WeightsError(
        f"{path} is no file of Inception v3 weights that Keras reads ({reasons[0].rstrip('.')}). Give {FILE_NAME}, as "
        "Keras publishes it, or 'imagenet', which fetches it."
    )


def _by_age(layers: list[Any], kind: str) -> list[Any]:
    """Return layers of a kind in the order in which they were made, which Keras counts up in their names."""
    numbered = [(re.fullmatch(rf"{kind}(?:_(\d+))?", layer.name), layer) for layer in layers]
    found = [(int(match[1] or 0), layer) for match, layer in numbered if match]
    return [layer for _, layer in sorted(found, key=lambda pair: pair[0])]


def _folded(convolution: Any, norm: Any) -> ConvWeights:
    """Fold y = (conv(x) - mean) / sqrt(variance + epsilon) + beta into one kernel and bias."""
    kernel, variance, mean, beta = (
        np.array(each.numpy(), np.float64)
        for each in (convolution.kernel, norm.moving_variance, norm.moving_mean, norm.beta)
    )
    scale = 1 / np.sqrt(variance + norm.epsilon)
    return (kernel * scale).astype(np.float32), (beta - mean * scale).astype(np.float32)

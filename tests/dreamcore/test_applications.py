"""Networks that Keras runs: each as Keras itself computes it, described without it, and good to dream with."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from bench.catalog import described_anew
from bench.networks import departures
from dreamcore import DreamParams, catalog, dream, load_model
from dreamcore.errors import WeightsError
from dreamcore.networks.applications import APPLICATIONS, described
from dreamcore.networks.weight_hashes import KNOWN, KNOWN_WITH_CLASSES
from tests.support import noise

FEW = ["vgg16", "resnet50", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0"]
MORE = ["xception", "densenet121", "convnext_tiny", "inception_resnet_v2", "resnet50_v2", "nasnet_mobile"]
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in MORE]


@pytest.mark.parametrize("name", [*FEW, *SLOW])
def test_a_network_answers_as_keras_does(name):
    """Folded and named by the catalog, every layer's answer is that of the network as Keras builds it."""
    compared = departures(name, size=(75, 97))

    for layer, (departure, shape) in compared.items():
        assert departure < 1e-4, layer
        assert shape == catalog.get_model(name).layer(layer).shape(75, 97), layer


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0"])
def test_the_catalog_says_what_keras_says(name):
    """A new description of the network is the one that is kept."""
    assert json.loads(json.dumps(described_anew(name))) == described(name)


def test_every_application_can_be_described():
    """Each has layers that a picture of the least side reaches, and default layers that it has."""
    for name in APPLICATIONS:
        spec = catalog.get_model(name)
        assert spec.parameters > 500_000
        spec.check_layers(spec.default_layers)
        assert all(min(layer.shape(512, 512)) > 0 for layer in spec.layers)


@pytest.mark.parametrize(
    ("name", "layer", "field", "stride"),
    [("vgg16", "block5_conv3", 196, 16), ("resnet50", "conv5_block3_out", 483, 32), ("vgg19", "block3_conv1", 24, 4)],
)
def test_known_receptive_fields(name, layer, field, stride):
    """Fields and strides of well-known layers, as worked out by hand: r += (k - 1) * j."""
    found = catalog.get_model(name).layer(layer)

    assert (found.receptive_field, found.stride) == (field, stride)


def test_parameters_are_those_published():
    """VGG16 without its classifier has 14.7 M."""
    assert catalog.get_model("vgg16").parameters == 14_714_688


def test_a_dream_with_a_network_that_keras_runs():
    """It goes through octaves, climbs, and gives the same picture again."""
    image = np.random.default_rng(0).integers(0, 255, (80, 96, 3), dtype=np.uint8)
    params = DreamParams(model="mobilenet_v2", octaves=2, steps=3, jitter=2)
    model = load_model("mobilenet_v2", "random")

    first, second = (dream(image, params, model=model) for _ in range(2))

    assert np.array_equal(first.image, second.image)
    assert first.losses[-1][-1] > first.losses[-1][0]


def test_weights_that_are_not_the_networks_are_refused(tmp_path):
    """The message names the file that is wanted and where to put it."""
    wrong = tmp_path / "wrong.h5"
    wrong.write_bytes(b"no weights")

    with pytest.raises(WeightsError, match=r"MobileNetV2\(include_top=False\).*mobilenet_v2.h5"):
        load_model("mobilenet_v2", str(wrong))


@pytest.mark.parametrize(
    ("name", "file", "known", "algorithm"),
    [
        ("resnet50", "resnet50.h5", KNOWN, "md5"),
        ("convnext_tiny", "convnext_tiny.h5", KNOWN, "sha256"),
        ("convnext_tiny", "convnext_tiny_classes.h5", KNOWN_WITH_CLASSES, "sha256"),
    ],
)
def test_other_bytes_in_the_weights_folder_are_refused(tmp_path, name, file, known, algorithm):
    """The message holds the file, the hash it has and the one that Keras lists."""
    (tmp_path / file).write_bytes(b"other")
    found = hashlib.new(algorithm, b"other").hexdigest()

    with pytest.raises(WeightsError, match=rf"{file} is not .* {algorithm} is {found}, not {known[name]}.*--weights"):
        load_model(name, weights_dir=tmp_path)


def test_the_known_hashes_are_those_that_keras_lists():
    """Each stands in Keras' own source, and only the two that it lists nothing for are missing."""
    folder = Path(importlib.util.find_spec("keras").submodule_search_locations[0], "src", "applications")
    sources = "".join(file.read_text() for file in folder.glob("*.py"))

    assert all(digest in sources for digest in [*KNOWN.values(), *KNOWN_WITH_CLASSES.values()])
    assert set(APPLICATIONS) - set(KNOWN) == {"mobilenet", "mobilenet_v2"}
    assert set(KNOWN_WITH_CLASSES) == set(KNOWN)
    assert not set(KNOWN.values()) & set(KNOWN_WITH_CLASSES.values())


BUILT_SLOWLY = [("mobilenet_v2", 96), ("efficientnet_b0", 96), ("xception", 96), ("convnext_tiny", 96), ("vgg16", 224)]


@pytest.fixture
def whole_file(tmp_path):
    """Make Keras' own network with its classes, random weights and lively norms, for a size; and a file of it."""
    import keras  # noqa: PLC0415  # loads TensorFlow

    def make(builder, size):
        build = getattr(keras.applications, builder)
        network = build(weights=None, include_top=True, classifier_activation=None, input_shape=(*size, 3))
        numbers = np.random.default_rng(4)
        for layer in network.layers:
            layer.set_weights([_drawn(numbers, values) for values in layer.get_weights()])
        network.save_weights(tmp_path / "whole.weights.h5")
        return network, tmp_path / "whole.weights.h5"

    return make


def _drawn(numbers, values):
    if values.ndim < 2:
        return numbers.uniform(0.5, 1.5, values.shape)
    return numbers.standard_normal(values.shape, np.float32) * np.float32(np.sqrt(2 / np.prod(values.shape[:-1])))


def _as_taken(name, pixels):
    """Return pixels, 0 to 255, as Keras' own documentation says that the network takes them."""
    if name.startswith("vgg"):
        return pixels[..., ::-1] - np.array([103.939, 116.779, 123.68])
    if name.startswith("densenet"):
        return (pixels / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    takes_pixels = name.startswith(("efficientnet", "convnext", "mobilenet_v3"))
    return pixels if takes_pixels else pixels / 127.5 - 1


@pytest.mark.parametrize(
    ("name", "height"),
    [("mobilenet_v3_small", 96), *[pytest.param(*each, marks=pytest.mark.slow) for each in BUILT_SLOWLY]],
)
def test_a_class_is_the_score_that_keras_gives(whole_file, name, height):
    """A dream of a class begins at the score that Keras' own network, from the same file, has before its softmax."""
    size = (height, 224 if height == 224 else 128)
    network, path = whole_file(APPLICATIONS[name].builder, size)
    pixels = noise(*size)
    terms = [{"class_name": "goldfish"}]
    params = DreamParams.model_validate({"model": name, "octaves": 1, "steps": 1, "jitter": 0, "terms": terms})

    found = dream(pixels, params, model=load_model(name, path)).losses[0][0]

    scores = network(_as_taken(name, pixels[None].astype(np.float64)).astype(np.float32), training=False)
    scores = np.asarray(scores, np.float64)[0]
    assert found == pytest.approx(scores[1], rel=1e-4, abs=1e-4 * float(np.abs(scores).max()))


def test_every_application_has_classes():
    """Each has a layer of a thousand classes, which a picture of 512 px reaches."""
    for name in APPLICATIONS:
        spec = catalog.get_model(name)
        rows, columns, classes = spec.layer(spec.class_layer).shape(512, 512)
        assert (min(rows, columns) > 0, classes) == (True, 1000)


def test_a_class_is_dreamt_with_random_weights():
    """A dream of a class climbs, and gives the same picture again."""
    image = noise(80, 96)
    params = {"model": "mobilenet_v2", "octaves": 2, "steps": 3, "terms": [{"class_name": "goldfish"}]}
    model = load_model("mobilenet_v2", "random")

    first, second = (dream(image, DreamParams.model_validate(params), model=model) for _ in range(2))

    assert np.array_equal(first.image, second.image)
    assert first.losses[-1][-1] > first.losses[-1][0]


@pytest.mark.slow
def test_classes_that_are_nowhere_are_one_clear_error(tmp_path):
    """With a file that ends before them other layers are dreamt, and a class' message names the file that has them."""
    import keras  # noqa: PLC0415  # loads TensorFlow

    keras.applications.MobileNetV2(weights=None, include_top=False).save_weights(tmp_path / "bare.weights.h5")
    model = load_model("mobilenet_v2", tmp_path / "bare.weights.h5")
    terms = [{"class_name": "goldfish"}]

    with pytest.raises(WeightsError, match=r"MobileNetV2\(include_top=True\).*mobilenet_v2_classes.h5"):
        dream(noise(64, 64), DreamParams.model_validate({"model": "mobilenet_v2", "terms": terms}), model=model)

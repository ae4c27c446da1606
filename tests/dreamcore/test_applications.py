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
from dreamcore.networks.weight_hashes import KNOWN

FEW = ["vgg16", "resnet50", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0"]
MORE = ["xception", "densenet121", "convnext_tiny", "inception_resnet_v2", "resnet50_v2"]
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


@pytest.mark.parametrize(("name", "algorithm"), [("resnet50", "md5"), ("convnext_tiny", "sha256")])
def test_other_bytes_in_the_weights_folder_are_refused(tmp_path, name, algorithm):
    """The message holds the file, the hash it has and the one that Keras lists."""
    (tmp_path / f"{name}.h5").write_bytes(b"other")
    found = hashlib.new(algorithm, b"other").hexdigest()

    with pytest.raises(
        WeightsError, match=rf"{name}.h5 is not .* {algorithm} is {found}, not {KNOWN[name]}.*--weights"
    ):
        load_model(name, weights_dir=tmp_path)


def test_the_known_hashes_are_those_that_keras_lists():
    """Each stands in Keras' own source, and only the two that it lists nothing for are missing."""
    folder = Path(importlib.util.find_spec("keras").submodule_search_locations[0], "src", "applications")
    sources = "".join(file.read_text() for file in folder.glob("*.py"))

    assert all(digest in sources for digest in KNOWN.values())
    assert set(APPLICATIONS) - set(KNOWN) == {"mobilenet", "mobilenet_v2"}

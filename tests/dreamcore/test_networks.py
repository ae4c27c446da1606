"""The catalog and the weights against the real networks."""

import hashlib
import pickle

import numpy as np
import pytest

from dreamcore import DreamParams, dream, load_model
from dreamcore.catalog import MODELS
from dreamcore.errors import WeightsError
from tests.dreamcore.oracles import PlainSqueezeNet, caffe_input, squeezenet_file
from tests.support import noise


def assert_equal_values(found, wanted):
    """They differ by no more than a ten-thousandth of the largest."""
    assert np.abs(found - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_squeezenets_catalog_is_the_network(squeezenet):
    """At an odd size every layer has the catalog's shape, and its values are the plain network's."""
    batch = noise(131, 98)[None].astype(np.float32) / 127.5 - 1
    layers = tuple(layer.name for layer in squeezenet.spec.layers)
    expected = PlainSqueezeNet()(caffe_input(batch))

    for spec, found in zip(squeezenet.spec.layers, squeezenet.features(layers)(batch), strict=True):
        assert tuple(found.shape[1:]) == spec.shape(131, 98)
        assert_equal_values(found, expected[spec.name])


@pytest.mark.slow
def test_inceptions_catalog_is_keras_network(keras_inception):
    """Every layer is in Keras' application under the same name, with the catalog's shape and the same values."""
    import keras  # noqa: PLC0415  # loads TensorFlow

    network, path = keras_inception
    batch = noise(131, 98)[None].astype(np.float32) / 127.5 - 1
    ours = load_model("inception_v3", path)
    layers = tuple(layer.name for layer in ours.spec.layers if layer.name != "predictions")
    expected = keras.Model(network.inputs, [network.get_layer(name).output for name in layers]).predict(batch)

    for spec, found, wanted in zip(map(ours.spec.layer, layers), ours.features(layers)(batch), expected, strict=True):
        assert tuple(found.shape[1:]) == spec.shape(131, 98)
        assert_equal_values(found, wanted)


@pytest.mark.slow
def test_inceptions_classes_are_keras_scores(tmp_path):
    """The mean over the cells is the score that Keras' whole network gives a class before its softmax."""
    import keras  # noqa: PLC0415  # loads TensorFlow

    keras.utils.set_random_seed(3)
    network = keras.applications.InceptionV3(weights=None, classifier_activation=None)
    network.save_weights(tmp_path / "whole.weights.h5")
    batch = noise(299, 299)[None].astype(np.float32) / 127.5 - 1

    [cells] = load_model("inception_v3", tmp_path / "whole.weights.h5").features(("predictions",))(batch)

    expected = network.predict(batch)[0]
    np.testing.assert_allclose(np.mean(cells, axis=(0, 1, 2)), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.slow
def test_a_class_needs_weights_that_hold_the_classes(keras_inception, picture):
    """With a file that ends before them every other dream is dreamt, and one of a class gets one sentence."""
    ours = load_model("inception_v3", keras_inception[1])
    params = DreamParams.model_validate({"model": "inception_v3", "terms": [{"class_name": "goldfish"}]})

    with pytest.raises(WeightsError, match="end before its classes"):
        dream(picture, params, model=ours)


@pytest.mark.parametrize("layer", ["conv1", "fire3", "fire5"])
def test_a_cell_sees_its_receptive_field_and_no_more(layer):
    """Pixels change a cell's value exactly within the field that the catalog names."""
    model = load_model("squeezenet", "random")
    spec = model.spec.layer(layer)
    numbers = np.random.default_rng(0)
    batch = numbers.uniform(-1, 1, (1, 150, 150, 3)).astype(np.float32)
    features = model.features((layer,))
    cell = spec.shape(150, 150)[0] // 2
    before = np.asarray(features(batch)[0])[0, cell, cell]

    seen = []
    for row in range(150):
        changed = batch.copy()
        changed[0, row] = -changed[0, row]
        seen.append(not np.array_equal(np.asarray(features(changed)[0])[0, cell, cell], before))
    rows = np.flatnonzero(seen)
    assert rows[-1] - rows[0] + 1 == spec.receptive_field


@pytest.mark.parametrize("name", ["squeezenet", "inception_v3"])
def test_random_weights_are_the_same_every_time(name):
    """Random weights come from a fixed seed, and their hash says so."""
    from dreamcore.weights import random_weights  # noqa: PLC0415  # loads TensorFlow

    assert random_weights(MODELS[name]).sha256 == random_weights(MODELS[name]).sha256


def test_a_model_is_loaded_once():
    """The same arguments give the same object, so nothing is compiled twice."""
    assert load_model("squeezenet", "random") is load_model("squeezenet", weights="random")


def test_squeezenets_hash_is_the_files(squeezenet):
    """The hash that a result records is that of the file."""
    assert squeezenet.weights_sha256 == hashlib.sha256(squeezenet_file().read_bytes()).hexdigest()


def test_the_weights_folder_goes_first(tmp_path):
    """A file of the right name in the folder is used, and one of other bytes is refused by its hash."""
    stored = tmp_path / "squeezenet_weights.pkl"
    stored.write_bytes(squeezenet_file().read_bytes())
    assert load_model("squeezenet", weights_dir=tmp_path).weights_sha256

    stored.write_bytes(b"other")
    with pytest.raises(WeightsError, match=r"sha256 is .* not f286bbf4"):
        load_model("squeezenet", weights_dir=str(tmp_path) + "/.")


NO_WEIGHTS = r"is no file of SqueezeNet weights\. Give squeezenet_weights\.pkl.* finds it by itself\.$"


class Intruder:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", NO_WEIGHTS, id="empty"),
        pytest.param(b"text, not weights", NO_WEIGHTS, id="text"),
        pytest.param(b"Pid\n.", NO_WEIGHTS, id="what pickle would explain to programmers"),
        pytest.param(pickle.dumps(Intruder()), "builtins.print, which is no array", id="program"),
        pytest.param(pickle.dumps({}), "hold nothing for 'conv1'", id="nothing"),
        pytest.param(
            pickle.dumps({"conv1": [np.zeros((1, 1)), np.zeros(1)]}), r"shape \(1, 1\).* takes \(3, 3", id="shape"
        ),
    ],
)
def test_files_that_are_no_weights_are_refused(tmp_path, capsys, content, message):
    """A wrong file of weights gives one sentence, and runs nothing."""
    path = tmp_path / "wrong.pkl"
    path.write_bytes(content)

    with pytest.raises(WeightsError, match=message):
        load_model("squeezenet", path)
    assert "must not run" not in capsys.readouterr().out


def test_a_missing_file_of_weights_is_named(tmp_path):
    """The message names the path and what else may be given."""
    with pytest.raises(WeightsError, match=r"missing\.h5.*'imagenet', 'random'"):
        load_model("inception_v3", tmp_path / "missing.h5")

"""A user's own network, out of a file of Keras': opened safely, described, dreamt with."""

import json

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from dreamcore import DreamParams, catalog, dream, load_model
from dreamcore.errors import ModelFileError, WeightsError
from dreamcore.model_files import add_file, inspect
from dreamcore.own_models import add_folder
from tests.dreamcore.oracles import keras_recipe

FORMATS = [".keras", ".h5"]
layers = keras.layers


def network(*, size=None, scaled=False, classes=None):
    """A small network with what own networks have: normalisation, two branches, perhaps scaling, perhaps a head."""
    keras.utils.set_random_seed(4)
    x = image = keras.Input((size, size, 3))
    if scaled:
        x = layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="stem")(x)
    x = layers.Activation("relu", name="stem_out")(layers.BatchNormalization(name="stem_norm")(x))
    left = layers.Conv2D(12, 3, padding="same", activation="relu", name="left")(x)
    right = layers.Conv2D(4, 1, activation="relu", name="right")(x)
    x = layers.MaxPooling2D(name="pool")(layers.Concatenate(name="both")([left, right]))
    x = layers.Conv2D(16, 3, activation="relu", name="deep")(x)
    if classes:
        x = layers.Dense(classes, name="answer")(layers.Flatten(name="flat")(x))
    model = keras.Model(image, x)
    norm = model.get_layer("stem_norm")
    norm.set_weights([np.linspace(0.5, 1.5, 8), np.linspace(-0.2, 0.2, 8), np.zeros(8), np.ones(8)])
    return model


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a model under a name of its own, which the catalog forgets afterwards."""
    known = set(catalog.MODELS)

    def save(model, suffix=".keras", name="own"):
        path = tmp_path / f"{name}{suffix}"
        model.save(path)
        return path

    yield save
    for name in set(catalog.MODELS) - known:
        catalog.MODELS.remove(name)


def expected(model, image, layer, *, to_input=lambda x: x, **course):
    submodel = keras.Model(model.input, {layer: model.get_layer(layer).output})
    return keras_recipe(image, lambda x: submodel(x, training=False), {layer: 1.0}, to_input=to_input, **course)


def params_for(name, layer):
    return DreamParams.model_validate(
        {"model": name, "layers": {layer: 1.0}, "profile": "keras", "octaves": 3, "steps": 2, "jitter": 0}
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_dream_is_that_of_keras_own_network(saved, picture, float_pixels, suffix):
    """A network out of either kind of file dreams what a plain loop over Keras' model dreams, to 1e-3."""
    model = network()
    loaded = load_model(saved(model, suffix))

    found = float_pixels(picture, params_for(loaded.name, "both"), loaded)

    assert loaded.name == "own"
    assert np.abs(found - expected(model, picture, "both", octaves=3, steps=2)).max() <= 0.255


def test_one_that_scales_by_itself_is_given_pixels(saved, picture, float_pixels):
    """Where the network begins with a scaling it is taken to want 0..255."""
    model = network(scaled=True)
    loaded = load_model(saved(model))

    found = float_pixels(picture, params_for(loaded.name, "both"), loaded)

    wanted = expected(model, picture, "both", octaves=3, steps=2, to_input=lambda x: (x + 1) * 127.5)
    assert np.abs(found - wanted).max() <= 0.255


def test_a_fixed_size_and_a_head_are_no_hindrance(saved, picture):
    """A classifier made for 64x64 px dreams a picture of another size; its head is left out."""
    loaded = load_model(saved(network(size=64, classes=5)))

    result = dream(picture, params_for(loaded.name, "deep"), model=loaded)

    assert result.image.shape == picture.shape
    assert np.abs(result.image.astype(int) - picture).mean() > 1
    assert "answer" not in {layer.name for layer in loaded.spec.layers}


def test_classes_of_ones_own_are_not_known_by_name(saved):
    """A class by its name is refused with a message that names a network that has it."""
    loaded = load_model(saved(network(size=64, classes=5)))

    with pytest.raises(ValidationError, match=r"network of your own.*can't dream of 'goldfish'.*squeezenet"):
        DreamParams.model_validate({"model": loaded.name, "terms": [{"class_name": "goldfish"}]})


def test_layers_are_described(saved):
    """Shapes, strides and fields are what hand and Keras say: 3 px at stride 2, then 3, then a pool of 2, then 3."""
    model = network()
    spec = load_model(saved(model)).spec

    found = {layer.name: (layer.stride, layer.receptive_field, layer.shape(97, 123)) for layer in spec.layers}

    assert found["stem_out"][:2] == (2, 3)
    assert found["both"][:2] == (2, 7)
    assert found["deep"][:2] == (4, 17)
    for name, (_, _, shape) in found.items():
        submodel = keras.Model(model.input, model.get_layer(name).output)
        assert submodel(np.zeros((1, 97, 123, 3), np.float32)).shape[1:] == shape, name
    assert spec.min_size == 11  # deep needs 3 cells of the pool, so 6 of the stem


def test_layers_past_an_enlargement_are_left_out(saved):
    """Where the size grows again the windows say nothing: such layers can't be named, those before can."""
    model = network()
    x = layers.Conv2D(3, 3, padding="same", name="late")(layers.UpSampling2D(2)(model.output))

    spec = load_model(saved(keras.Model(model.input, x))).spec

    with pytest.raises(ValueError, match="late"):
        spec.check_layers(["late"])
    spec.check_layers(["deep"])


def with_lambda():
    image = keras.Input((None, None, 3))
    return keras.Model(image, layers.Conv2D(4, 3)(layers.Lambda(lambda x: x * 2)(image)))


def with_a_network_inside():
    inner = network()
    image = keras.Input((None, None, 3))
    return keras.Model(image, layers.Conv2D(4, 3)(inner(image)))


def grey():
    image = keras.Input((None, None, 1))
    return keras.Model(image, layers.Conv2D(4, 3)(image))


def dense():
    image = keras.Input((8, 8, 3))
    return keras.Model(image, layers.Dense(4)(layers.Flatten()(image)))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("build", "words"),
    [
        (with_lambda, ["own"]),
        (with_a_network_inside, ["network inside", "get_layer("]),
        (grey, ["(None, None, None, 1)", "(N, height, width, 3)"]),
        (dense, ["no layer", "convolutional"]),
    ],
)
def test_what_can_not_be_dreamt_with_is_refused(saved, build, words, suffix):
    """Code in it, a network in a network, grey input, no convolution: one error each, and the catalog as before."""
    path = saved(build(), suffix)
    before = list(catalog.MODELS)

    with pytest.raises(ModelFileError) as caught:
        load_model(path)

    assert all(word in str(caught.value) for word in [*words, path.name])
    assert list(catalog.MODELS) == before


def test_files_that_hold_no_model_are_refused(tmp_path):
    """Nothing there, weights alone, and noise are told apart."""
    model = network()
    model.save_weights(tmp_path / "some.weights.h5")
    (tmp_path / "noise.keras").write_bytes(b"no zip at all")
    words = {"away.keras": "There is no", "some.weights.h5": "weights alone", "noise.keras": "can't be"}
    for name, word in words.items():
        with pytest.raises(ModelFileError, match=word):
            load_model(tmp_path / name)


def test_a_name_that_is_taken_is_refused(saved):
    """A file can't stand in for a model of the catalog, nor for another file."""
    with pytest.raises(ModelFileError, match="squeezenet"):
        load_model(saved(network(), name="squeezenet"))


def test_a_folder_of_described_networks_needs_no_inspection(saved, tmp_path):
    """A description beside the file is enough for the catalog; a file that was changed since is refused."""
    path = saved(network(), name="kept")
    (tmp_path / "kept.json").write_text(inspect(path, takes="0..1").model_dump_json())

    add_folder(tmp_path)

    assert catalog.get_model("kept").mapping.scale == 0.5
    load_model("kept")
    path.write_bytes(path.read_bytes() + b"more")
    load_model.__globals__["_load"].cache_clear()
    with pytest.raises(ModelFileError, match="not the file that was described"):
        load_model("kept")


@pytest.mark.parametrize("damage", [{"version": 2}, {"file": "../etc/passwd"}, {"layers": []}, {"sha256": "12"}])
def test_a_damaged_description_is_refused(saved, tmp_path, damage):
    """A description with a wrong value, or one that points out of its folder, ends in an error that names its file."""
    about = json.loads(inspect(saved(network())).model_dump_json())
    (tmp_path / "own.json").write_text(json.dumps(about | damage))

    with pytest.raises(ModelFileError, match=r"own\.json"):
        add_folder(tmp_path)


def test_weights_are_in_the_file(saved):
    """Other weights than the file's own are refused."""
    with pytest.raises(WeightsError, match="has its weights in"):
        load_model(saved(network()), "random")


def test_the_same_file_twice_is_the_same_model(saved):
    """A file that is named again is not loaded again."""
    path = saved(network())

    assert load_model(path) is load_model(path) is load_model("own")
    assert add_file(path).name == "own"

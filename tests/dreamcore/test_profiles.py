"""Each profile against its recipe, written by itself in plain loops.

Ascent is chaotic. Where rounding flips a maximum, single spots depart by a few levels, the engine from the recipe as
much as the recipe from itself with its input moved by 1e-7; where, differs from processor to processor. So two steps
per octave are compared on five pictures, of which two must agree: rounding meets some, an error would meet all.
On the deep random network, in which far more maxima nearly tie, they are compared with steps of 0.001. Pictures are
odd-sized and not square.
"""

from functools import partial

import numpy as np
import pytest

from dreamcore import DreamParams, dream, load_model
from dreamcore.noise import random_shift
from tests.dreamcore import oracles_recipes as oracles
from tests.dreamcore.oracles import PlainSqueezeNet, caffe_input
from tests.support import noise

RANGE = 255
STEPS = 2
JITTERED = {
    "google2015": {"jitter": 32},
    "tf-tutorial": {"jitter": 512, "end": False},
    "lapnorm": {"jitter": 256, "end": False},
    "smoothed": {"jitter": 32},
}


def expected(profile, image, features, layers, **step):
    """Run a profile's oracle for three octaves; jitter is the engine's, octave by octave."""
    dice = JITTERED.get(profile, {"jitter": 0})

    def shifts(octave, step):
        return random_shift(0, octave + 1, step, **dice)

    run = {
        "article": partial(oracles.article, octaves=3),
        "google2015": partial(oracles.google2015, octaves=3, shifts=shifts),
        "tf-tutorial": partial(oracles.tf_tutorial, octaves=(-1, 0, 1), shifts=shifts),
        "lapnorm": partial(oracles.lapnorm, octaves=3, shifts=shifts),
        "smoothed": partial(oracles.smoothed, octaves=3, shifts=shifts),
    }[profile]
    named = layers[0] if profile in {"google2015", "lapnorm"} else layers
    return np.clip(run(image, features, named, steps=STEPS, **step), 0, 255)


def dreamt(profile, model, layers, **step):
    return DreamParams(
        profile=profile,
        model=model,
        layers=dict.fromkeys(layers, 1.0),
        octaves=3,
        steps=STEPS,
        max_loss=None,
        **step,
    )


def assert_some_equal(height, width, *, ours, theirs):
    """Compare both ways to dream on five pictures."""
    departures = []
    for seed in range(5):
        image = noise(height, width, seed=seed)
        one, other = ours(image), theirs(image)
        assert one.shape == other.shape
        departures.append(np.abs(one - other) / RANGE)
    assert sorted(departure.max() for departure in departures)[1] <= 1e-3
    assert sorted(departure.mean() for departure in departures)[1] <= 1e-5


@pytest.mark.parametrize("profile", ["article", "google2015", "tf-tutorial", "lapnorm", "smoothed"])
def test_a_profile_equals_its_recipe_on_squeezenet(squeezenet, float_pixels, profile):
    """Three octaves differ from the recipe's plain loops by a thousandth of the range at most."""
    layers = ["fire7"] if profile in {"google2015", "lapnorm"} else ["fire5", "fire7"]
    plain = PlainSqueezeNet()

    assert_some_equal(
        123,
        161,
        ours=lambda image: float_pixels(image, dreamt(profile, "squeezenet", layers), squeezenet),
        theirs=lambda image: expected(profile, image, lambda x: plain(caffe_input(x)), layers),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "step"),
    [
        ("article", {"step_size": 0.001}),
        ("google2015", {"step_size": 0.001}),
        ("tf-tutorial", {"step_size": 0.001}),
        ("lapnorm", {"step_size": 0.001}),
        ("smoothed", {"step_size": 0.001}),
    ],
)
def test_a_profile_equals_its_recipe_on_inception(keras_inception, float_pixels, profile, step):
    """Keras' own network in the recipe's plain loops, and ours, dream the same within a thousandth of the range."""
    import keras  # noqa: PLC0415  # loads TensorFlow

    network, path = keras_inception
    layers = ["mixed4"] if profile in {"google2015", "lapnorm"} else ["mixed3", "mixed5"]
    features = keras.Model(network.inputs, {name: network.get_layer(name).output for name in layers})

    model = load_model("inception_v3", path)

    assert_some_equal(
        249,
        263,
        ours=lambda image: float_pixels(image, dreamt(profile, "inception_v3", layers, **step), model),
        theirs=lambda image: expected(profile, image, features, layers, **step),
    )


def test_a_dream_larger_than_its_picture_comes_back_to_the_pictures_size(squeezenet):
    """The tutorial's octaves end at 1.69 times the picture; the result has the picture's size."""
    image = noise(57, 75)
    params = DreamParams(profile="tf-tutorial", model="squeezenet", layers={"fire3": 1}, steps=1)
    sizes = []

    result = dream(
        image, params, model=squeezenet, on_octave=lambda checkpoint, _: sizes.append(checkpoint.image.shape)
    )

    assert sizes[-1] == (96, 126, 3)
    assert result.image.shape == image.shape

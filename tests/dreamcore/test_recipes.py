"""The engine against independent implementations.

Ascent is chaotic: after a few steps the recipe departs from itself by half the range when its input moves by 1e-7. So
two steps per octave are compared pixel by pixel, and longer courses against how far the recipe departs from itself.
"""

from functools import partial

import numpy as np
import pytest

from dreamcore import DreamParams, dream, load_model
from tests.dreamcore.oracles import PlainSqueezeNet, caffe_input, keras_recipe
from tests.support import noise

RANGE = 255


def test_keras_profile_equals_the_recipe_on_squeezenet(squeezenet, float_pixels):
    """Three octaves of the `keras` recipe differ from plain eager TensorFlow by a thousandth of the range at most."""
    layers = {"fire7": 1.0, "fire9": 2.0}
    params = DreamParams(profile="keras", model="squeezenet", layers=layers, steps=2, max_loss=None)
    recipe = partial(
        keras_recipe, features=PlainSqueezeNet(), layer_weights=layers, octaves=3, steps=2, to_input=caffe_input
    )

    def departure(image):
        return np.abs(float_pixels(image, params, squeezenet) - recipe(image, max_loss=np.inf)).max() / RANGE

    # Rounding flips a maximum in every third picture or so; an error would meet all.
    departures = sorted(departure(noise(211, 233, seed=seed)) for seed in range(5))
    assert departures[1] <= 1e-3


def test_a_long_course_departs_from_the_recipe_no_further_than_the_recipe_from_itself(squeezenet, float_pixels):
    """Fifteen steps end as near to the recipe as the recipe does to itself, its input moved by a rounding error."""
    image = noise(203, 261)
    layers = {"fire5": 1.0}
    params = DreamParams(profile="keras", model="squeezenet", layers=layers, steps=5, step_size=0.001, max_loss=None)

    def recipe(to_input):
        return keras_recipe(
            image, PlainSqueezeNet(), layers, octaves=3, steps=5, step_size=0.001, to_input=to_input, max_loss=np.inf
        )

    exact, nudged = recipe(caffe_input), recipe(lambda x: caffe_input(x * (1 + 1e-7)))
    departure = np.abs(float_pixels(image, params, squeezenet) - exact).mean()
    assert departure <= 2 * np.abs(nudged - exact).mean() + 1e-3


@pytest.mark.slow
def test_keras_profile_equals_the_recipe_on_inception(keras_inception, float_pixels):
    """Keras' own network, run eagerly, and ours, folded and fused, dream the same within a thousandth of the range."""
    import keras  # noqa: PLC0415  # loads TensorFlow

    network, path = keras_inception
    image = noise(227, 243)
    layers = {"mixed4": 1.0, "mixed5": 1.5, "mixed6": 2.0, "mixed7": 2.5}
    features = keras.Model(network.inputs, {name: network.get_layer(name).output for name in layers})

    dreamt = float_pixels(image, DreamParams(profile="keras", steps=2), load_model("inception_v3", path))

    expected = keras_recipe(image, features, layers, octaves=3, steps=2)
    assert np.abs(dreamt - expected).max() / RANGE <= 1e-3


def test_max_loss_ends_the_octave_after_the_step_that_passed_it(squeezenet, float_pixels):
    """The step that went beyond the limit is still applied, as in the recipe, and no other follows in the octave."""
    image = noise(243, 243)
    params = DreamParams(profile="keras", model="squeezenet", layers={"fire9": 1.0}, steps=4, max_loss=1.0)

    expected = keras_recipe(
        image, PlainSqueezeNet(), params.layers, octaves=3, steps=4, to_input=caffe_input, max_loss=1.0
    )
    assert np.abs(float_pixels(image, params, squeezenet) - expected).max() / RANGE <= 1e-3
    assert [len(octave) for octave in dream(image, params, model=squeezenet).losses] == [2, 1, 1]


def test_guide_dot_is_the_position_wise_product(squeezenet, picture):
    """The first loss under a guide is the dot product of both pictures' activations over their size."""
    guide = noise(97, 131, seed=5)
    params = DreamParams(objective="guide-dot", layers={"fire8": 3.0}, octaves=1, steps=1, jitter=0)
    plain = PlainSqueezeNet()

    losses = dream(picture, params, guide=guide, model=squeezenet).losses

    ours, theirs = (
        plain(caffe_input(each[None] / np.float32(127.5) - 1))["fire8"].numpy() for each in (picture, guide)
    )
    assert losses[0][0] == pytest.approx(3 * (ours * theirs).sum() / ours.size, rel=1e-3)


def test_squeezenet_sees_the_lion(squeezenet, shared_image):
    """A lion's photograph, cut to the middle 227 px, is class 291, lion, at 0.97: weights and input are right."""
    from PIL import Image, ImageOps  # noqa: PLC0415  # with its neighbours

    from dreamcore.pictures import decode  # noqa: PLC0415

    cut = ImageOps.fit(Image.fromarray(decode(shared_image("lion.jpg")).rgb), (227, 227))
    batch = np.asarray(cut)[None].astype(np.float32) / 127.5 - 1

    scores = np.asarray(squeezenet.features(("conv10",))(batch)[0]).mean(axis=(0, 1, 2))
    chances = np.exp(scores - scores.max())
    assert chances.argmax() == 291
    assert chances.max() / chances.sum() == pytest.approx(0.97, abs=0.02)

"""Models and pictures that the engine's tests share."""

from pathlib import Path

import numpy as np
import pytest

from tests.support import noise

IMAGES = Path(__file__).resolve().parents[3] / "shared" / "images"


@pytest.fixture(scope="session")
def squeezenet():
    from dreamcore import load_model  # noqa: PLC0415  # loads TensorFlow

    return load_model("squeezenet")


@pytest.fixture(scope="session")
def keras_inception(tmp_path_factory):
    """Keras' own Inception v3 with random weights and lively batch norms, and a file of them."""
    import keras  # noqa: PLC0415  # loads TensorFlow

    keras.utils.set_random_seed(1)
    network = keras.applications.InceptionV3(weights=None, include_top=False)
    numbers = np.random.default_rng(2)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.beta.shape[0]
            layer.beta.assign(numbers.normal(0, 0.1, channels))
            layer.moving_mean.assign(numbers.normal(0, 0.1, channels))
            layer.moving_variance.assign(numbers.uniform(0.5, 1.5, channels))
    path = tmp_path_factory.mktemp("weights") / "inception.weights.h5"
    network.save_weights(path)
    return network, path


@pytest.fixture(scope="session")
def picture():
    return noise(97, 131)


@pytest.fixture
def shared_image():
    def find(name):
        path = IMAGES / name
        if not path.exists():
            pytest.skip(f"the photograph {name} is not beside this checkout")
        return path.read_bytes()

    return find


@pytest.fixture(scope="session")
def float_pixels():
    """Dream, and return the pixels before they are cut to whole ones."""

    def run(image, params, model):
        from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

        checkpoints = []
        dream(image, params, model=model, on_octave=lambda checkpoint, _: checkpoints.append(checkpoint))
        return np.clip((checkpoints[-1].image + 1) * 127.5, 0, 255)

    return run

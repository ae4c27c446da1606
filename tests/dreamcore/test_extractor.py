"""Feature extractors for other programs: Keras loads them, and they answer as the engine does."""

from __future__ import annotations

import numpy as np
import pytest

from dreamcore import load_model
from dreamcore.extractor import extractor
from dreamcore.keras_network import keras


@pytest.mark.parametrize(
    ("name", "layers"),
    [("squeezenet", ["fire3", "fire8"]), ("inception_v3", ["mixed2"]), ("mobilenet_v2", ["block_3_expand_relu"])],
)
def test_a_saved_extractor_answers_as_the_engine_does(name, layers, tmp_path):
    """Saved, loaded without any of our code, and run on an odd size: the same activations to 1e-4."""
    model = load_model(name, "random")
    image = np.random.default_rng(2).uniform(-1, 1, (1, 97, 113, 3)).astype(np.float32)
    expected = model.features(tuple(layers))(image)

    extractor(model, layers).save(tmp_path / "extractor.keras")
    found = keras.models.load_model(tmp_path / "extractor.keras")(image)

    for layer, wanted in zip(layers, map(np.asarray, expected), strict=True):
        assert np.abs(np.asarray(found[layer]) - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_a_layer_that_is_not_there_is_named():
    """The nearest right ones come with it."""
    with pytest.raises(ValueError, match=r"fire88.*Did you mean 'fire8'"):
        extractor(load_model("squeezenet", "random"), ["fire88"])

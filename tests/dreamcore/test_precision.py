"""Precision: fewer bits in the network alone, and how far that leads from 32."""

import numpy as np
import pytest

from dreamcore import DreamParams, dream, load_model

MODELS = {"squeezenet": ("imagenet", "fire8"), "inception_v3": ("random", "mixed3")}


def stepped(model, weights, layer, picture, precision, **params):
    checkpoints = []
    dream(
        picture,
        DreamParams(model=model, layers={layer: 1.0}, octaves=1, precision=precision, **params),
        model=load_model(model, weights),
        on_octave=lambda checkpoint, _: checkpoints.append(checkpoint),
    )
    return checkpoints[-1]


@pytest.mark.parametrize("model", MODELS)
def test_in_bfloat16_a_step_goes_the_same_way(model, picture):
    """The loss is within 1 % of float32's and the step points the same way (cosine over 0.98), yet isn't the same."""
    weights, layer = MODELS[model]
    start = picture.astype(np.float32) / 127.5 - 1
    here, there = (
        stepped(model, weights, layer, picture, precision, steps=1, step_size=1e-4, jitter=0)
        for precision in ("float32", "bfloat16")
    )
    exact, coarse = ((checkpoint.image - start).ravel() for checkpoint in (here, there))
    cosine = exact @ coarse / np.linalg.norm(exact) / np.linalg.norm(coarse)

    assert there.image.dtype == np.float32
    assert there.losses[0][0] == pytest.approx(here.losses[0][0], rel=0.01)
    assert 0.98 < cosine < 1
    assert not np.array_equal(exact, coarse)


def test_a_dream_in_bfloat16_is_as_strong(picture):
    """Ten steps in bfloat16 reach a loss within 10 % of float32's, though details grow elsewhere."""
    reached = [
        stepped("squeezenet", "imagenet", "fire8", picture, precision, steps=10).losses[0][-1]
        for precision in ("float32", "bfloat16")
    ]

    assert reached[1] == pytest.approx(reached[0], rel=0.1)


def test_where_there_is_no_tf32_all_bits_count(picture):
    """On a processor "tf32" gives the bytes of float32."""
    images = [
        stepped("squeezenet", "imagenet", "fire8", picture, precision, steps=2).image
        for precision in ("float32", "tf32")
    ]

    assert np.array_equal(*images)

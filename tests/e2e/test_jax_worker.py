"""A farm whose worker computes with JAX."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dreamcore import DreamParams, dream
from dreamcore.pictures import decode
from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm.states import JobState
from tests.support import picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PARAMS = {"octaves": 2, "steps": 2, "seed": 3}
PICTURE = picture(123, 97)


@pytest.fixture(scope="module")
def starts(tmp_path_factory):
    """What each of two farms, one after the other, made, and the compiled functions kept after it."""
    cache = tmp_path_factory.mktemp("cache")
    environment = {"KERAS_BACKEND": "jax", "DREAMFARM_CACHE_DIR": str(cache)}
    return [(*rendered(tmp_path_factory.mktemp("farm"), environment), kept(cache)) for _ in range(2)]


def rendered(folder, environment):
    with Stack(folder, workers=1, environment=environment) as stack:
        stack.wait_for_workers()
        farm = Farm(stack.api_url)
        job = farm.wait(farm.submit(PICTURE, params=PARAMS).id)
        farm.download_result(job.id, folder / "dream.png")
    return job, np.asarray(Image.open(folder / "dream.png"))


def kept(cache):
    return {file.name: file.stat().st_mtime_ns for file in cache.rglob("*-cache")}


def test_a_worker_on_jax_dreams_the_picture_that_tensorflow_dreams(starts):
    """The job succeeds, and its picture is the engine's on TensorFlow to 1e-3 of the range."""
    (job, image, _), _ = starts
    alone = dream(decode(PICTURE).rgb, DreamParams.model_validate(PARAMS)).image

    assert job.state is JobState.SUCCEEDED
    assert np.abs(image.astype(float) - alone).mean() <= 0.255


def test_a_second_start_compiles_nothing_anew(starts):
    """The first worker leaves compiled steps for three sizes at least; the second adds and rewrites none."""
    (_, first, before), (_, second, after) = starts

    assert sum("precise" in name for name in before) >= 3
    assert after == before
    assert np.array_equal(first, second)

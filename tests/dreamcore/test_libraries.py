"""The engine on JAX: the same pictures as on TensorFlow, without TensorFlow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PICTURES = [
    "dreamfarm",
    "keras",
    "guided",
    "terms",
    "lapnorm",
    "google2015",
    "exact",
    "rolled",
    "masked",
    "masked_terms",
    "moved",
    "repeated",
    "pack_first",
    "pack_middle",
    "pack_last",
]


@pytest.fixture(scope="module")
def dreams(tmp_path_factory):
    return {library: dreamt_on(library, tmp_path_factory.mktemp(library)) for library in ("tensorflow", "jax")}


def dreamt_on(library, folder):
    command = [sys.executable, "-m", "tests.dreamcore.on_a_library", str(folder)]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"KERAS_BACKEND": library, "PYTHONPATH": path}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    with np.load(folder / "dreams.npz") as stored:
        return json.loads((folder / "about.json").read_text()), dict(stored)


@pytest.mark.parametrize("name", PICTURES)
def test_both_libraries_dream_the_same_picture(dreams, name):
    """Pixel by pixel, alone and in a pack that shrinks, the pictures agree to 1e-3 of the range on average."""
    (_, here), (_, there) = dreams["tensorflow"], dreams["jax"]
    extent = 255 if here[name].dtype == np.uint8 else 2
    difference = np.abs(here[name].astype(float) - there[name]) / extent

    assert difference.mean() <= 1e-3
    assert np.quantile(difference, 0.999) <= 5e-3


@pytest.mark.parametrize("library", ["tensorflow", "jax"])
def test_steps_repeated_within_a_call_make_what_they_make_one_by_one(dreams, library):
    """On either library a call of two steps gives the picture of two calls, but for roundings."""
    _, pictures = dreams[library]

    assert np.abs(pictures["repeated"] - pictures["moved"]).mean() <= 1e-6


def test_on_jax_nothing_of_tensorflow_is_loaded(dreams):
    """Where JAX is chosen, TensorFlow needn't be installed."""
    about, _ = dreams["jax"]

    assert about["library"].startswith("jax ")
    assert not about["tensorflow"]


def test_on_jax_a_pack_that_shrinks_is_compiled_once_for_each_size(dreams):
    """A picture that leaves costs no compilation; on TensorFlow one trace serves all sizes."""
    assert dreams["jax"][0]["stopped_after"] == [2, 1]
    assert dreams["jax"][0]["compilations"] == 2
    assert dreams["tensorflow"][0]["compilations"] == 1


def test_on_jax_compiled_functions_are_kept_in_the_folder_given(dreams):
    """The folder holds compiled functions for processes to come, and no more than it may."""
    assert dreams["jax"][0]["cached"] > 0
    assert dreams["jax"][0]["cached_within_nothing"] == 0


def test_a_library_that_cannot_dream_is_refused():
    """Another backend of Keras is named, with those that are taken."""
    environment = os.environ | {"KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", "import dreamcore.backend"], env=environment, capture_output=True, text=True, check=False
    )

    assert run.returncode
    assert "KERAS_BACKEND is 'torch'; dreamcore runs on tensorflow and jax" in run.stderr

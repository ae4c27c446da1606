"""A move made band by band is the move made at once."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dreamcore import DreamParams, Stopped, dream
from dreamcore.ascent import Move, moved
from dreamcore.bands import mean_magnitude, move_in_bands
from dreamcore.course import _rules
from dreamcore.profiles import PROFILES
from dreamcore.tiles import plain_tiles
from dreamcore.tiling import banded_step, tiled_step
from tests.support import noise

ROOT = Path(__file__).resolve().parents[2]
HEIGHT, WIDTH = 331, 203
RULES = ["none", "mean-abs", "l2", "centred", "std", "local"]


def rules_of(**params):
    made = DreamParams(**params)
    return _rules(made, PROFILES[made.profile], confined=False)


def numbers(seed, low=-1.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, (1, HEIGHT, WIDTH, 3)).astype(np.float32)


def steep(seed):
    """Return a gradient that is far stronger in some places than in others."""
    slope = numbers(seed)
    slope[:, 40:90, 20:150] *= 30
    return 1e-4 * slope


MOVE = np.array([Move(0.02, 0.8, 3, 1.1, 0.3, 0.2)], np.float32)


@pytest.mark.parametrize(
    "params",
    [
        *({"normalise": rule} for rule in RULES),
        {"smoothing": 0.0},
        {"smoothing": 2.5, "keep_colors": True},
        {"smoothing_growth": 0.5},
        {"total_variation": 0.3, "l2_penalty": 0.2},
        {"total_variation": 0.3, "keep_colors": True},
        {"optimiser": "momentum"},
        {"optimiser": "adam", "normalise": "std"},
        {"profile": "keras"},
        {"profile": "lapnorm"},
        {"laplacian": 5, "smoothing": 1.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("blocks", [1, 3])
def test_a_move_by_bands_is_the_move_at_once(params, blocks):
    """Whatever the rules, image and memory differ by no more than rounding."""
    rules = rules_of(**params)
    image, gradient = numbers(1), steep(2)
    memory = [np.abs(numbers(3 + index)) for index in range(rules.kept)]
    expected, remembered = moved(image, gradient, MOVE, memory, rules=rules)

    move_in_bands(image, gradient, MOVE, memory, rules=rules, blocks=blocks)

    assert np.abs(image - np.asarray(expected)).max() <= 2e-6
    for kept, wanted in zip(memory, remembered, strict=True):
        assert np.abs(kept - np.asarray(wanted)).max() <= 2e-5


def test_the_mean_magnitude_by_bands_is_that_of_the_whole():
    """Bands of any height add up to the same mean."""
    gradient = steep(5)

    assert mean_magnitude(gradient, blocks=1) == pytest.approx(np.abs(gradient).mean(dtype=np.float64), rel=1e-6)


PICTURE = noise(HEIGHT, WIDTH)
SMALL = {"octaves": 2, "steps": 2, "seed": 3, "layers": {"fire3": 1.0}}
LITTLE_GB = 0.5
"""Not even the library fits: moves are made in bands."""


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"profile": "keras", "model": "squeezenet"},
        {"keep_colors": True},
        {"profile": "google2015", "model": "squeezenet", "optimiser": "momentum"},
        {"start": "noise"},
        {"profile": "lapnorm", "model": "squeezenet"},
    ],
    ids=str,
)
def test_a_dream_by_bands_is_the_dream_by_tiles(params):
    """From octave to octave, step by step, an image that moves in bands stays the one that moves at once."""
    made = DreamParams(**{**SMALL, "tiling": "exact", **params})
    whole = dream(PICTURE, made, memory_gb=64)

    banded = dream(PICTURE, made, memory_gb=LITTLE_GB)

    difference = np.abs(whole.image.astype(int) - banded.image.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01
    assert np.allclose(banded.losses, whole.losses, rtol=1e-4)


@pytest.mark.parametrize("profile", ["dreamfarm", "keras", "smoothed"])
def test_a_masked_dream_by_bands_is_the_dream_by_tiles(profile):
    """Where a mask confines the dream, bands make what the whole move makes, and leave the black to the bit."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:, 30:150] = 255
    made = DreamParams(**SMALL, model="squeezenet", profile=profile, tiling="exact", feather=9)
    whole = dream(PICTURE, made, mask=mask, memory_gb=64)

    banded = dream(PICTURE, made, mask=mask, memory_gb=LITTLE_GB)

    difference = np.abs(whole.image.astype(int) - banded.image.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01
    assert np.array_equal(banded.image[mask == 0], PICTURE[mask == 0])
    assert not np.array_equal(banded.image[mask > 0], PICTURE[mask > 0])


def test_a_masks_share_of_a_move_is_the_same_by_bands():
    """Each pixel moves by as much as the mask lets it, as in the move at once."""
    rules = rules_of(optimiser="momentum")
    image, gradient, memory = numbers(1), steep(2), [numbers(3)]
    share = np.random.default_rng(4).uniform(0, 1, (1, HEIGHT, WIDTH, 1)).astype(np.float32)
    expected, _ = moved(image, gradient, MOVE, memory, [share], rules=rules)

    move_in_bands(image, gradient, MOVE, memory, [share], rules=rules)

    assert np.abs(image - np.asarray(expected)).max() <= 2e-6


@pytest.mark.parametrize("origin", [(0, 0), (48, 160)], ids=str)
def test_a_step_in_bands_is_the_step_by_tiles(squeezenet, origin):
    """Tiles cut from an image that is shifted, wherever they begin, give image, losses and slopes in place."""
    rules = rules_of(layers={"fire3": 1.0, "fire5": -0.5})
    tiles = plain_tiles(squeezenet.spec, rules.layers, (HEIGHT, WIDTH), core_px=96, origin=origin)
    inputs = np.array([[-7.0, 5.0]], np.float32), MOVE, np.array([[1.0, -0.5]], np.float32)
    image = numbers(1)
    expected, *figures = tiled_step(squeezenet, rules, tiles)(image, *inputs)

    stepped, *own = banded_step(squeezenet, rules, tiles)(image, *inputs)

    assert stepped is image
    assert np.abs(image - np.asarray(expected)).max() <= 1e-4
    assert np.allclose(np.ravel(own), np.ravel([np.asarray(figure) for figure in figures]), rtol=1e-5)


def test_a_dream_by_bands_goes_on_where_it_stopped():
    """Resumed within an octave it ends in the same bytes."""
    params = DreamParams(**SMALL, optimiser="momentum")
    straight = dream(PICTURE, params, memory_gb=LITTLE_GB)
    answers = iter([False, False, False, True])
    with pytest.raises(Stopped) as stopped:
        dream(PICTURE, params, memory_gb=LITTLE_GB, should_stop=lambda: next(answers))

    resumed = dream(PICTURE, params, memory_gb=LITTLE_GB, resume=stopped.value.checkpoint)

    assert np.array_equal(resumed.image, straight.image)


@pytest.mark.slow
def test_a_masked_dream_by_recipe_lapnorm_keeps_to_its_memory():
    """A process that makes a pyramid of the gradient, within a mask, takes no more than it was given."""
    command = [sys.executable, "-m", "tests.dreamcore.on_a_large_square", "1800", "1.05"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, check=True, capture_output=True, text=True
    )

    assert int(done.stdout) <= 1.05e9

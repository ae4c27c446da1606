"""The course of a dream: same bytes, stops, resumes, progress, errors."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from dreamcore import Checkpoint, DreamParams, Progress, Stopped, dream, load_model
from dreamcore.backend import describe_device, traces
from dreamcore.course import Course
from dreamcore.errors import CheckpointError, DreamError, GradientError, GuideError, PictureError, PictureTooSmallError
from tests.support import noise

PARAMS = DreamParams(octaves=2, steps=3)


@pytest.fixture(scope="module")
def uninterrupted(squeezenet, picture):
    return dream(picture, PARAMS, model=squeezenet)


def test_the_result_has_the_pictures_size_and_a_loss_per_step(uninterrupted, picture, squeezenet):
    """A dream returns a changed picture of the same size, every step's loss, and what made it."""
    assert uninterrupted.image.shape == picture.shape
    assert uninterrupted.image.dtype == np.uint8
    assert (uninterrupted.image != picture).mean() > 0.5
    assert [len(octave) for octave in uninterrupted.losses] == [3, 3]
    assert uninterrupted.weights_sha256 == squeezenet.weights_sha256
    assert uninterrupted.device == describe_device()


def test_the_objective_rises(squeezenet, picture):
    """Ascent goes up: in each octave the last loss is far above the first."""
    losses = dream(picture, DreamParams(octaves=2, jitter=0), model=squeezenet).losses

    assert all(octave[-1] > 2 * octave[0] for octave in losses)


def test_same_arguments_give_the_same_bytes(uninterrupted, squeezenet, picture):
    """A second run, jitter and all, gives the same picture and the same losses."""
    again = dream(picture, PARAMS, model=squeezenet)

    assert np.array_equal(again.image, uninterrupted.image)
    assert again.losses == uninterrupted.losses


def test_another_seed_gives_another_picture(uninterrupted, squeezenet, picture):
    """The seed matters."""
    other = dream(picture, PARAMS.model_copy(update={"seed": 1}), model=squeezenet)

    assert not np.array_equal(other.image, uninterrupted.image)


@pytest.mark.parametrize("profile", ["dreamfarm", "keras"])
def test_resumed_at_any_step_a_dream_ends_as_if_uninterrupted(squeezenet, profile):
    """Stopped before each step in turn and sent through bytes, the dream's picture and losses are the same bits."""
    image = noise(243, 211)
    params = DreamParams(profile=profile, model="squeezenet", octaves=2, steps=2, layers={"fire8": 1}, max_loss=None)
    whole = dream(image, params, model=squeezenet)

    for cut in range(4):
        answers = iter([False] * cut + [True])
        with pytest.raises(Stopped) as stopped:
            dream(image, params, model=squeezenet, should_stop=lambda answers=answers: next(answers))
        checkpoint = Checkpoint.from_bytes(stopped.value.checkpoint.to_bytes())
        resumed = dream(image, params, model=squeezenet, resume=checkpoint)
        assert np.array_equal(resumed.image, whole.image), cut
        assert resumed.losses == whole.losses, cut


def test_resumed_from_an_octaves_checkpoint_a_dream_ends_the_same(uninterrupted, squeezenet, picture):
    """What `on_octave` hands out leads to the same picture, after the last octave too."""
    checkpoints = []
    dream(picture, PARAMS, model=squeezenet, on_octave=lambda checkpoint, _: checkpoints.append(checkpoint))

    assert [checkpoint.octave for checkpoint in checkpoints] == [1, 2]
    for checkpoint in checkpoints:
        assert np.array_equal(dream(picture, PARAMS, model=squeezenet, resume=checkpoint).image, uninterrupted.image)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"params": PARAMS.model_copy(update={"step_size": 0.5})}, id="parameters"),
        pytest.param({"image": noise(97, 131, seed=9)}, id="picture"),
    ],
)
def test_a_foreign_checkpoint_is_refused(squeezenet, picture, change):
    """A checkpoint of another picture or other parameters is not gone on from."""
    checkpoints = []
    dream(picture, PARAMS, model=squeezenet, on_octave=lambda checkpoint, _: checkpoints.append(checkpoint))
    arguments = {"image": picture, "params": PARAMS, **change}

    with pytest.raises(CheckpointError, match="another picture"):
        dream(**arguments, model=squeezenet, resume=checkpoints[0])


def test_a_checkpoint_of_another_size_is_refused(squeezenet, picture):
    """An image that has not its octave's size is refused even under the right fingerprint."""
    checkpoints = []
    dream(picture, PARAMS, model=squeezenet, on_octave=lambda checkpoint, _: checkpoints.append(checkpoint))
    cut = replace(checkpoints[0], image=checkpoints[0].image[1:])

    with pytest.raises(CheckpointError, match="size"):
        dream(picture, PARAMS, model=squeezenet, resume=cut)


def test_progress_counts_every_step_and_ends_at_one(squeezenet, picture):
    """Progress comes after every step, its fraction only grows by pixels done, and its last value is 1."""
    seen: list[Progress] = []
    dream(picture, PARAMS, model=squeezenet, on_progress=seen.append)

    assert [(each.octave, each.step) for each in seen] == [(o, s) for o in (1, 2) for s in (1, 2, 3)]
    assert {(each.octaves, each.steps) for each in seen} == {(2, 3)}
    fractions = [each.fraction for each in seen]
    assert fractions == sorted(fractions)
    small, large = 69 * 93, 97 * 131
    assert fractions[2] == pytest.approx(small / (small + large))
    assert fractions[-1] == 1


def test_the_octaves_preview_has_the_octaves_size(squeezenet, picture):
    """The image handed out after each octave is that octave's."""
    shapes = []
    dream(picture, PARAMS, model=squeezenet, on_octave=lambda _, preview: shapes.append(preview.shape))

    assert shapes == [(69, 93, 3), (97, 131, 3)]


def test_twenty_sizes_are_one_trace(picture):
    """One compiled function serves every octave of twenty pictures of twenty sizes."""
    model = load_model("squeezenet", "random")
    params = DreamParams(octaves=2, steps=1, layers={"fire3": 1.0})
    for index in range(20):
        dream(noise(64 + index, 90 - index), params, model=model)

    course = Course(picture, params, guide=None, model=model)
    assert traces(course.compiled_step) == 1


def test_a_flat_objective_is_an_error(squeezenet, picture):
    """Where the gradient is zero, the dream says so instead of returning the picture unchanged."""
    params = DreamParams(octaves=1).model_copy(update={"layers": {"fire8": 0.0}})  # which nobody may ask for

    with pytest.raises(GradientError, match=r"zero everywhere in octave 1, step 1: fire8"):
        dream(picture, params, model=squeezenet)


@pytest.mark.parametrize(
    ("image", "error"),
    [
        pytest.param(np.zeros((64, 64), np.uint8), PictureError, id="grey"),
        pytest.param(np.zeros((64, 64, 4), np.uint8), PictureError, id="alpha"),
        pytest.param(np.zeros((64, 64, 3), np.float32), PictureError, id="float"),
        pytest.param(np.zeros((1, 1, 3), np.uint8), PictureTooSmallError, id="one pixel"),
    ],
)
def test_arrays_that_are_no_picture_are_refused(squeezenet, image, error):
    """An array of another shape or type is refused before anything is computed."""
    with pytest.raises(error):
        dream(image, PARAMS, model=squeezenet)


def test_a_model_that_the_parameters_do_not_name_is_refused(squeezenet, picture):
    """Model and parameters must agree."""
    with pytest.raises(DreamError, match="squeezenet, the parameters name inception_v3"):
        dream(picture, DreamParams(model="inception_v3"), model=squeezenet)


@pytest.mark.parametrize(
    ("objective", "guide"),
    [pytest.param("guide-dot", None, id="no guide"), pytest.param("l2", noise(40, 40), id="guide for nothing")],
)
def test_guide_and_objective_go_together(squeezenet, picture, objective, guide):
    """A guide without its objective, and the objective without a guide, are refused."""
    with pytest.raises(GuideError, match=objective):
        dream(picture, DreamParams(objective=objective), guide=guide, model=squeezenet)


def test_the_picture_handed_in_is_left_alone(squeezenet, picture):
    """The engine changes no argument."""
    before = picture.copy()
    dream(picture, DreamParams(octaves=1, steps=1), model=squeezenet)

    assert np.array_equal(picture, before)


def test_the_processors_fast_kernels_are_asked_for_before_tensorflow_loads():
    """The environment says so at the moment TensorFlow is first imported; later it would go unheard."""
    code = """
import os, sys

class Witness:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow" and not hasattr(self, "seen"):
            self.seen = os.environ.get("TF_ENABLE_ONEDNN_OPTS")

witness = Witness()
sys.meta_path.insert(0, witness)
import dreamcore.engine
assert witness.seen == "1", witness.seen
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))}

    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0

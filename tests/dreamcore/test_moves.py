"""What becomes of a gradient on its way to a move: conditioning, optimisers, penalties, starts, colours."""

import numpy as np
import pytest
import tensorflow as tf

from dreamcore import Checkpoint, DreamParams, DreamResult, Stopped, dream, dream_pack, load_model
from dreamcore.ascent import conditioned
from dreamcore.backend import traces
from dreamcore.course import Course
from dreamcore.errors import GradientError
from dreamcore.gradients import normalised, smoothed_thrice
from dreamcore.laplacian import evened_by_scale
from dreamcore.optimisers import advanced
from dreamcore.regularisers import penalty_slope
from dreamcore.resizing import resized
from tests.dreamcore import oracles_recipes as oracles
from tests.support import noise

PARAMS = DreamParams(octaves=2, steps=3)


def changed(**values):
    return PARAMS.model_copy(update=values)


def gradients(height=61, width=84, count=2):
    return np.random.default_rng(3).normal(0.1, 1, (count, height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize(
    ("rule", "measure"),
    [
        ("mean-abs", lambda g: np.abs(g).mean()),
        ("std", np.std),
        ("local", np.std),
        ("l2", lambda g: np.sqrt((g**2).mean())),
        ("centred", lambda g: g.std() + abs(g.mean())),
    ],
)
def test_a_normalised_gradient_is_one_by_its_rules_measure(rule, measure, scale):
    """Whatever the gradient's scale, the rule's own measure of the outcome is 1 for each image."""
    for each in np.asarray(normalised(gradients() * np.float32(scale), rule)):
        assert measure(each) == pytest.approx(1, rel=1e-3)


def test_a_gradient_can_be_left_as_it_is():
    """The rule "none" divides by nothing."""
    assert np.array_equal(normalised(gradients(), "none"), gradients())


@pytest.mark.parametrize(
    "rules",
    [
        {"laplacian": 3, "normalise": "none"},
        {"smoothing_growth_px": 1.0, "normalise": "centred"},
        {"smoothing_px": 1.2, "normalise": "l2", "keep_colors": True},
    ],
)
def test_images_of_one_batch_do_not_influence_each_other(squeezenet, picture, rules):
    """Conditioned side by side, each with its own blur, gradients come out as they do alone."""
    both, sigmas = gradients() * np.array([1, 50], np.float32)[:, None, None, None], np.array([0.8, 1.9], np.float32)
    rules = Course(picture, PARAMS, guide=None, model=squeezenet).rules._replace(**rules)

    together = np.asarray(conditioned(both, sigmas, rules))

    for index in range(2):
        alone = np.asarray(conditioned(both[index : index + 1], sigmas[index : index + 1], rules))
        assert together[index : index + 1] == pytest.approx(alone, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("size", [(61, 84), (64, 64), (33, 127), (17, 16)])
def test_scales_are_evened_as_the_notebook_does(size):
    """Odd and even sides: the pyramid equals plain strided convolutions and their transposes."""
    gradient = gradients(*size, count=1)

    expected = oracles.lapnorm_gradient(gradient[0], 4)
    assert np.asarray(evened_by_scale(gradient, 4))[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("sigma", [0.7, 2.5])
def test_three_blurs_are_averaged(sigma):
    """The growing blur is the mean of three 9x9 Gaussians with mirrored edges, sample by sample."""
    gradient = gradients(31, 44, count=1)

    expected = sum(oracles.blurred_nine(gradient[0], sigma * share) for share in (0.5, 1, 2)) / 3
    found = smoothed_thrice(gradient, np.array([sigma], np.float32))
    assert np.asarray(found)[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [(97, 131), (43, 61), (30, 200)])
def test_corner_aligned_resizing_keeps_the_corners(size):
    """Larger and smaller: equal to linear interpolation with first and last samples in one place."""
    image = noise(61, 87).astype(np.float32)

    found = np.asarray(resized(image[None], size, kernel="corner-aligned"))[0]

    assert found == pytest.approx(oracles.zoom_corner_aligned(image, size), abs=1e-3)
    assert found[[0, 0, -1, -1], [0, -1, 0, -1]] == pytest.approx(image[[0, 0, -1, -1], [0, -1, 0, -1]])


def test_optimisers_follow_their_equations():
    """Four steps of momentum and Adam equal the textbook, number by number."""
    b, directions = 0.8, np.random.default_rng(4).normal(size=(4, 1, 5, 6, 3))
    mean = square = 0.0
    kept = {"momentum": [np.zeros((1, 5, 6, 3), np.float32)], "adam": [np.zeros((1, 5, 6, 3), np.float32)] * 2}
    for t, d in enumerate(directions, start=1):
        mean, square = b * mean + (1 - b) * d, 0.999 * square + 0.001 * d**2
        expected = {
            "momentum": mean,
            "adam": mean / (1 - b**t) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8),
        }
        for optimiser, way in expected.items():
            inputs = {"momentum": np.float32(b), "count": np.float32(t)}
            found, kept[optimiser] = advanced(d.astype(np.float32), kept[optimiser], optimiser=optimiser, **inputs)
            assert np.asarray(found) == pytest.approx(way, rel=1e-3, abs=1e-5)


def test_the_penalties_slope_is_the_derivative_of_the_penalties():
    """The slope equals what automatic differentiation makes of the penalties' formula."""
    image = tf.constant(gradients(9, 12, count=1) / 3)
    with tf.GradientTape() as tape:
        tape.watch(image)
        rough = [image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]]
        variation = sum(tf.reduce_sum(tf.sqrt(d**2 + 0.01)) for d in rough)
        penalty = 0.3 * variation + 0.7 * tf.reduce_sum(image**2) / 2

    found = penalty_slope(image, total_variation=np.float32(0.3), l2=np.float32(0.7))
    assert np.asarray(found) == pytest.approx(tape.gradient(penalty, image).numpy(), abs=1e-5)


@pytest.mark.parametrize("optimiser", ["momentum", "adam"])
def test_an_optimiser_resumed_at_any_step_ends_as_if_uninterrupted(squeezenet, picture, optimiser):
    """Stopped before each step and sent through bytes, what it remembers leads to the same bits."""
    params = changed(optimiser=optimiser)
    whole = dream(picture, params, model=squeezenet)

    for cut in range(6):
        answers = iter([False] * cut + [True])
        with pytest.raises(Stopped) as stopped:
            dream(picture, params, model=squeezenet, should_stop=lambda answers=answers: next(answers))
        checkpoint = Checkpoint.from_bytes(stopped.value.checkpoint.to_bytes())
        resumed = dream(picture, params, model=squeezenet, resume=checkpoint)
        assert np.array_equal(resumed.image, whole.image), cut


def test_an_optimiser_forgets_at_each_octaves_end(squeezenet, picture):
    """Within an octave the checkpoint holds what Adam remembers; the one at its end holds nothing of it."""
    checkpoints = []
    answers = iter([False, True])
    with pytest.raises(Stopped) as stopped:
        dream(picture, changed(optimiser="adam"), model=squeezenet, should_stop=lambda: next(answers))
    dream(picture, changed(optimiser="adam"), model=squeezenet, on_octave=lambda c, _: checkpoints.append(c))

    assert [each.shape for each in stopped.value.checkpoint.memory] == [stopped.value.checkpoint.image.shape] * 2
    assert [each.memory for each in checkpoints] == [(), ()]


@pytest.mark.parametrize("optimiser", ["momentum", "adam"])
def test_an_optimiser_climbs(squeezenet, picture, optimiser):
    """In each octave the last loss is far above the first."""
    losses = dream(picture, changed(optimiser=optimiser, jitter=0, steps=10), model=squeezenet).losses

    assert all(octave[-1] > 2 * octave[0] for octave in losses)


def test_pictures_of_a_pack_have_memories_of_their_own(squeezenet):
    """Under Adam and a growing blur, pictures side by side come out as they do alone."""
    images = [noise(75, 98, seed=seed) for seed in range(2)]
    both = [changed(optimiser="adam", smoothing_growth=1.0, step_size=size) for size in (0.02, 0.005)]

    for outcome, image, params in zip(dream_pack(images, both, model=squeezenet), images, both, strict=True):
        assert isinstance(outcome, DreamResult), outcome
        alone = dream(image, params, model=squeezenet).image
        assert np.abs(outcome.image.astype(float) - alone).mean() <= 0.255


def test_penalties_pull_the_image_back(squeezenet, picture):
    """Against differences of neighbours the result is smoother, against strong values it is nearer to grey."""
    plain, smooth, grey = (
        dream(picture, changed(steps=10, **more), model=squeezenet).image / 127.5 - 1
        for more in ({}, {"total_variation": 1.0}, {"l2_penalty": 1.0})
    )

    assert np.abs(np.diff(smooth, axis=0)).mean() < 0.8 * np.abs(np.diff(plain, axis=0)).mean()
    assert (grey**2).mean() < 0.8 * (plain**2).mean()


def test_from_noise_the_photo_gives_the_size_alone(squeezenet):
    """Two photos lead to one dream, which the seed decides."""
    first, second = (
        dream(noise(75, 98, seed=seed), changed(start="noise"), model=squeezenet).image for seed in range(2)
    )
    other = dream(noise(75, 98), changed(start="noise", seed=1), model=squeezenet).image

    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"start": "noise"},
        {"profile": "keras", "max_loss": None},
        {"profile": "smoothed", "octave_scale": 1.4},
    ],
    ids=str,
)
def test_the_photos_colours_can_stay(squeezenet, more):
    """The dream adds the same to red, green and blue, so that I and Q of Y'IQ stay; brightness changes much."""
    image = (noise(97, 131) // 4 + 96).astype(np.uint8)
    given = {"model": "squeezenet", "layers": {"fire3": 1.0}, "octaves": 2, "steps": 3, "step_size": 0.01} | more
    params = DreamParams(keep_colors=True, total_variation=0.1, **given)

    added = dream(image, params, model=squeezenet).image.astype(float) - image

    assert np.ptp(added, axis=-1).max() <= 1
    assert np.abs(added).mean() > 1


def test_every_way_to_move_serves_all_sizes_at_once():
    """Twenty sizes, one trace, with all of conditioning, memory and penalties in use."""
    model = load_model("squeezenet", "random")
    params = changed(
        octaves=1, steps=1, layers={"fire3": 1.0}, optimiser="adam", laplacian=2, smoothing_growth=1.0, l2_penalty=0.1
    )
    for index in range(20):
        dream(noise(64 + index, 90 - index), params, model=model)

    assert traces(Course(noise(64, 64), params, guide=None, model=model).compiled_step) == 1


@pytest.mark.parametrize(("weight", "fault"), [(0.0, "zero everywhere"), (1e38, "not finite")])
@pytest.mark.parametrize(
    "way",
    [
        {"laplacian": 3, "normalise": "none"},
        {"smoothing_growth": 1.0, "normalise": "centred"},
        {"optimiser": "adam", "normalise": "l2"},
        {"optimiser": "momentum", "keep_colors": True, "start": "noise"},
        {"total_variation": 0.5, "l2_penalty": 0.5},
    ],
    ids=str,
)
def test_no_direction_is_an_error_by_every_way(squeezenet, picture, way, weight, fault):
    """However gradients become moves, one that is zero or not finite ends the dream with its code."""
    checked = DreamParams(layers={"fire3": 1.0}, octaves=1, steps=2, **way)
    params = checked.model_copy(update={"layers": {"fire3": weight}})  # such weights are refused, and here let in

    with pytest.raises(GradientError, match=fault) as raised:
        dream(picture, params, model=squeezenet)
    assert raised.value.code == "no_gradient"

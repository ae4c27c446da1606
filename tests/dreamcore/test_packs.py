"""Packs: each picture comes out as it would alone, and what ends one of them ends no other."""

import numpy as np
import pytest

from dreamcore import Checkpoint, DreamParams, DreamResult, Stopped, dream, dream_pack, load_model, pack_key
from dreamcore.errors import CheckpointError, GradientError, GuideError, PackError
from tests.support import noise

HEIGHT, WIDTH = 75, 98
PARAMS = DreamParams(octaves=2, steps=3, layers={"fire5": 1.0, "fire8": 2.0})
DIFFERENT = [
    PARAMS,
    PARAMS.model_copy(update={"seed": 5, "step_size": 0.005}),
    PARAMS.model_copy(update={"layers": {"fire8": 0.5, "fire5": 3.0}, "jitter": 3}),
]


@pytest.fixture(scope="module")
def pictures():
    return [noise(HEIGHT, WIDTH, seed=seed) for seed in range(3)]


@pytest.fixture(scope="module")
def alone(pictures, squeezenet):
    return [dream(image, params, model=squeezenet) for image, params in zip(pictures, DIFFERENT, strict=True)]


def assert_same(outcome, result):
    """The same picture to 1e-3 of the range: a kernel may sum in another order when it serves more pictures."""
    assert isinstance(outcome, DreamResult), outcome
    difference = np.abs(outcome.image.astype(float) - result.image)
    assert difference.mean() <= 0.255, (difference.mean(), difference.max())
    assert [len(octave) for octave in outcome.losses] == [len(octave) for octave in result.losses]
    assert outcome.losses[0] == pytest.approx(result.losses[0], rel=1e-3)


def test_each_picture_of_a_pack_comes_out_as_it_would_alone(pictures, alone, squeezenet):
    """Pictures with seeds, step sizes, jitters and weights of their own are dreamt as if each were the only one."""
    outcomes = dream_pack(pictures, DIFFERENT, model=squeezenet)

    for outcome, result, params in zip(outcomes, alone, DIFFERENT, strict=True):
        assert_same(outcome, result)
        assert outcome.params == params


def test_each_picture_follows_its_own_guide(pictures, squeezenet):
    """Guides of different sizes lead each picture its own way, as they would alone."""
    params = [PARAMS.model_copy(update={"objective": "guide-dot", "seed": seed}) for seed in range(2)]
    guides = [noise(60, 90, seed=7), noise(99, 64, seed=8)]
    outcomes = dream_pack(pictures[:2], params, guides=guides, model=squeezenet)

    for index, outcome in enumerate(outcomes):
        assert_same(outcome, dream(pictures[index], params[index], guide=guides[index], model=squeezenet))


@pytest.mark.parametrize("profile", ["dreamfarm", "keras"])
def test_one_picture_is_a_pack_too(squeezenet, profile):
    """A pack of one gives the same bytes as the dream of that picture."""
    image = noise(HEIGHT * 3, WIDTH * 3)
    params = DreamParams(profile=profile, model="squeezenet", layers={"fire8": 1.0}, octaves=2, steps=2)

    (outcome,) = dream_pack([image], [params], model=squeezenet)

    assert np.array_equal(outcome.image, dream(image, params, model=squeezenet).image)


def test_one_that_is_stopped_leaves_and_the_rest_go_on(pictures, alone, squeezenet):
    """A picture stopped in the second octave carries its checkpoint, and resumed alone ends as if never stopped."""
    asked = [0, 0, 0]

    def should_stop(index):
        asked[index] += 1
        return index == 1 and asked[1] == 5

    outcomes = dream_pack(pictures, DIFFERENT, model=squeezenet, should_stop=should_stop)

    assert asked == [6, 5, 6]
    assert_same(outcomes[0], alone[0])
    assert_same(outcomes[2], alone[2])
    assert isinstance(outcomes[1], Stopped)
    checkpoint = outcomes[1].checkpoint
    assert (checkpoint.octave, checkpoint.step) == (2, 1)
    assert_same(dream(pictures[1], DIFFERENT[1], model=squeezenet, resume=checkpoint), alone[1])


def test_what_an_optimiser_remembers_stays_with_its_picture(pictures, squeezenet):
    """With Adam, pictures that go on, and one that is stopped within an octave and resumed, end as they would alone."""
    params = [each.model_copy(update={"optimiser": "adam", "momentum": 0.9}) for each in DIFFERENT]
    asked = [0, 0, 0]

    def should_stop(index):
        asked[index] += 1
        return index == 0 and asked[0] == 3

    outcomes = dream_pack(pictures, params, model=squeezenet, should_stop=should_stop)

    assert len(outcomes[0].checkpoint.memory) == 2
    resumed = dream(pictures[0], params[0], model=squeezenet, resume=outcomes[0].checkpoint)
    for index, outcome in enumerate([resumed, *outcomes[1:]]):
        assert_same(outcome, dream(pictures[index], params[index], model=squeezenet))


def test_one_without_a_direction_fails_alone(pictures, alone, squeezenet):
    """A picture whose weights are all zero fails at its first step; the others don't notice."""
    flat = PARAMS.model_copy(update={"layers": {"fire5": 0.0, "fire8": 0.0}})
    outcomes = dream_pack(pictures, [DIFFERENT[0], flat, DIFFERENT[2]], model=squeezenet)

    assert isinstance(outcomes[1], GradientError)
    assert_same(outcomes[0], alone[0])
    assert_same(outcomes[2], alone[2])


def test_one_above_its_loss_limit_waits_for_the_rest(pictures, alone, squeezenet):
    """A picture whose octave ends early takes fewer steps, as alone, while the others take all."""
    limited = PARAMS.model_copy(update={"max_loss": alone[0].losses[0][0] / 2})
    outcomes = dream_pack(pictures[:2], [limited, DIFFERENT[1]], model=squeezenet)

    assert [len(octave) for octave in outcomes[0].losses] == [1, 1]
    assert_same(outcomes[0], dream(pictures[0], limited, model=squeezenet))
    assert_same(outcomes[1], alone[1])


def test_pictures_resume_each_where_it_got_to(pictures, alone, squeezenet):
    """From nothing, from within the first octave and from the end of it, all come out as if never interrupted."""
    within = dream_pack(pictures, DIFFERENT, model=squeezenet, should_stop=lambda index: index == 1)[1].checkpoint
    after: list[Checkpoint] = []
    dream(pictures[2], DIFFERENT[2], model=squeezenet, on_octave=lambda checkpoint, _: after.append(checkpoint))
    outcomes = dream_pack(pictures, DIFFERENT, model=squeezenet, resume=[None, within, after[0]])

    for outcome, result in zip(outcomes, alone, strict=True):
        assert_same(outcome, result)


def test_a_finished_checkpoint_is_a_result_at_once(pictures, alone, squeezenet):
    """A picture that had been finished takes no step more."""
    seen = []
    dream(pictures[0], PARAMS, model=squeezenet, on_octave=lambda checkpoint, _: seen.append(checkpoint))
    steps = []
    (outcome,) = dream_pack(
        pictures[:1], [PARAMS], model=squeezenet, resume=[seen[-1]], on_progress=lambda *step: steps.append(step)
    )

    assert not steps
    assert np.array_equal(outcome.image, alone[0].image)


def test_every_picture_reports_its_own_progress_and_octaves(pictures, squeezenet):
    """Progress and previews come per picture, with its index, in step with the others."""
    progress, octaves = [], []
    dream_pack(
        pictures[:2],
        DIFFERENT[:2],
        model=squeezenet,
        on_progress=lambda index, each: progress.append((index, each.octave, each.step)),
        on_octave=lambda index, checkpoint, preview: octaves.append((index, checkpoint.octave, preview.shape)),
    )

    assert progress == [(i, o, s) for o in (1, 2) for s in (1, 2, 3) for i in (0, 1)]
    assert octaves == [(i, o, shape) for o, shape in ((1, (53, 70, 3)), (2, (75, 98, 3))) for i in (0, 1)]


def test_what_a_pictures_listener_raises_ends_that_picture_alone(pictures, alone, squeezenet):
    """An error out of a callback is the outcome of the picture it was called for."""

    def on_progress(index, _):
        if index == 0:
            raise OSError("disk full")

    outcomes = dream_pack(pictures[:2], DIFFERENT[:2], model=squeezenet, on_progress=on_progress)

    assert isinstance(outcomes[0], OSError)
    assert_same(outcomes[1], alone[1])


def test_a_foreign_checkpoint_and_a_guide_for_nothing_end_their_pictures_alone(pictures, alone, squeezenet):
    """What can't even start is an outcome too."""
    foreign = dream_pack(pictures[:1], [PARAMS], model=squeezenet, should_stop=lambda _: True)[0].checkpoint
    outcomes = dream_pack(
        pictures, DIFFERENT, model=squeezenet, resume=[None, foreign, None], guides=[None, None, noise(64, 64)]
    )

    assert_same(outcomes[0], alone[0])
    assert isinstance(outcomes[1], CheckpointError)
    assert isinstance(outcomes[2], GuideError)


@pytest.mark.parametrize(
    ("change", "height", "named"),
    [
        pytest.param({}, HEIGHT + 1, r"shape is \[76, 98\]", id="shape"),
        pytest.param({"steps": 4}, HEIGHT, r"steps is 4, not 3", id="steps"),
        pytest.param({"layers": {"fire5": 1.0}}, HEIGHT, r"terms is \['l2 of fire5'\]", id="layers"),
        pytest.param({"octave_scale": 1.5}, HEIGHT, "octave_scale is 1.5", id="octaves"),
        pytest.param({"profile": "keras"}, HEIGHT, "profile is 'keras'", id="profile"),
        pytest.param({"model": "inception_v3", "layers": {"mixed0": 1.0}}, HEIGHT, "inception_v3", id="model"),
    ],
)
def test_pictures_that_do_not_go_together_are_refused(pictures, change, height, named):
    """One error names the first difference, and the keys of the two differ."""
    other = DreamParams.model_validate({**PARAMS.model_dump(), **change})

    with pytest.raises(PackError, match=named):
        dream_pack([pictures[0], noise(height, WIDTH)], [PARAMS, other])
    assert pack_key(PARAMS, (HEIGHT, WIDTH)) != pack_key(other, (height, WIDTH))


def test_a_parameter_set_too_few_is_refused(pictures):
    """Pictures and parameters come in pairs, and an empty pack is none."""
    with pytest.raises(PackError, match="2 pictures and 1 sets"):
        dream_pack(pictures[:2], [PARAMS])
    with pytest.raises(PackError, match="at least one"):
        dream_pack([], [])


def test_what_may_differ_leaves_the_key_alone():
    """Seed, step size, jitter, loss limit, and weights of the same layers don't matter to the key."""
    keys = {pack_key(params, (HEIGHT, WIDTH, 3)) for params in DIFFERENT}

    assert len(keys) == 1
    assert keys == {pack_key(PARAMS.model_copy(update={"max_loss": 1.0}), (HEIGHT, WIDTH))}


def test_a_pack_that_shrinks_is_not_compiled_again(pictures):
    """One compiled function serves the whole pack and what is left of it."""
    from dreamcore.backend import traces  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.course import Course  # noqa: PLC0415

    model = load_model("squeezenet", "random")
    params = [PARAMS.model_copy(update={"layers": {"fire3": 1.0}, "seed": seed}) for seed in range(3)]
    dream_pack(pictures, params, model=model, should_stop=lambda index: index == 2)

    assert traces(Course(pictures[0], params[0], guide=None, model=model).compiled_step) == 1


@pytest.mark.parametrize(
    ("memory_gb", "said"),
    [pytest.param(0.635, "2 at a time", id="smaller packs"), pytest.param(0.61, "one by one", id="tiled")],
)
def test_pictures_that_do_not_fit_side_by_side_come_out_the_same(squeezenet, memory_gb, said):
    """Within a small budget pictures go in smaller packs, or singly and in tiles, and come out as they would alone."""
    pictures = [noise(150, 131, seed=seed) for seed in range(4)]
    params = [PARAMS.model_copy(update={"octaves": 1, "seed": seed}) for seed in range(4)]
    seen = []
    outcomes = dream_pack(
        pictures, params, model=squeezenet, memory_gb=memory_gb, on_progress=lambda index, _: seen.append(index)
    )

    for image, own, outcome in zip(pictures, params, outcomes, strict=True):
        assert_same(outcome, dream(image, own, model=squeezenet))
        assert outcome.notices == (f"4 pictures don't fit the memory side by side; they were dreamt {said}.",)
    assert [seen.count(index) for index in range(4)] == [PARAMS.steps] * 4


def test_in_a_small_budget_what_ends_one_picture_ends_no_other(squeezenet):
    """One by one, too, a picture that is stopped ends alone, and goes on where it was."""
    pictures = [noise(150, 131, seed=seed) for seed in range(3)]
    asked = [0, 0, 0]

    def should_stop(index):
        asked[index] += 1
        return index == 1 and asked[index] == 2

    first, middle, last = dream_pack(pictures, [PARAMS] * 3, model=squeezenet, memory_gb=0.61, should_stop=should_stop)
    assert isinstance(middle, Stopped)
    resume = [None, middle.checkpoint, None]
    _, again, _ = dream_pack(pictures, [PARAMS] * 3, model=squeezenet, memory_gb=0.61, resume=resume)

    for image, outcome in zip(pictures, (first, again, last), strict=True):
        assert_same(outcome, dream(image, PARAMS, model=squeezenet))

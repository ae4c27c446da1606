"""Several steps per call: the same dream, in fewer calls."""

import numpy as np
import pytest

from dreamcore import DreamParams, DreamResult, Stopped, dream, dream_pack, load_model
from dreamcore.errors import DreamError, GradientError
from tests.support import noise

PARAMS = DreamParams(octaves=2, steps=5, max_loss=None, layers={"fire3": 1.0})
MANY = 128


@pytest.fixture(scope="module")
def image():
    return noise(61, 83)


@pytest.fixture(scope="module")
def one_by_one(squeezenet, image):
    return dream(image, PARAMS, model=squeezenet, steps_per_call=1)


def assert_close(found, wanted):
    """The same but for roundings, which another compiled function may do elsewhere."""
    assert np.abs(found.image.astype(float) - wanted.image).mean() <= 1e-3
    for octave, its in zip(found.losses, wanted.losses, strict=True):
        assert octave == pytest.approx(its, rel=1e-5)


def assert_same_bytes(found, wanted):
    assert np.array_equal(found.image, wanted.image)
    assert found.losses == wanted.losses


def test_repeated_within_a_call_a_step_makes_what_the_step_alone_makes(image, one_by_one, squeezenet):
    """The compiled repetition dreams as the compiled step does."""
    assert_close(one_by_one, dream(image, PARAMS, model=squeezenet))


@pytest.mark.parametrize("steps_per_call", [2, 5, MANY])
def test_how_many_steps_a_call_takes_changes_no_byte(image, one_by_one, squeezenet, steps_per_call):
    """Whether calls divide the octave's steps evenly, leave a remainder or hold them all, picture and losses agree."""
    assert_same_bytes(dream(image, PARAMS, model=squeezenet, steps_per_call=steps_per_call), one_by_one)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"optimiser": "adam", "smoothing": 0.5, "smoothing_growth": 1.0}, id="adam, growing blur"),
        pytest.param({"optimiser": "momentum", "laplacian": 3, "keep_colors": True}, id="momentum, pyramid"),
        pytest.param({"tiling": "exact"}, id="tiles"),
    ],
)
def test_what_steps_hand_on_to_each_other_stays_within_a_call(image, squeezenet, changes):
    """The optimiser's memory, each step's number and shift reach the next step; tiles are taken one by one as ever."""
    params = DreamParams.model_validate(PARAMS.model_dump() | changes)
    wanted = dream(image, params, model=squeezenet)

    assert_close(dream(image, params, model=squeezenet, steps_per_call=3), wanted)


def test_a_guide_leads_every_step_of_a_call(image, squeezenet):
    """What an objective takes besides the picture reaches each of the call's steps."""
    params = PARAMS.model_copy(update={"objective": "guide-dot"})
    guided = {"guide": noise(50, 70, seed=4), "model": squeezenet}

    assert_close(dream(image, params, **guided, steps_per_call=3), dream(image, params, **guided))


@pytest.mark.parametrize("step", [0, 2, 4])
@pytest.mark.parametrize("is_over", [True, False])
def test_a_call_ends_with_the_step_whose_loss_is_over_the_limit(image, one_by_one, squeezenet, step, is_over):
    """A limit a hair below a step's loss ends the octave there; the loss itself as limit does not."""
    loss = one_by_one.losses[0][step]
    params = PARAMS.model_copy(update={"max_loss": float(np.nextafter(loss, 0)) if is_over else loss})
    found = dream(image, params, model=squeezenet, steps_per_call=MANY)

    assert_same_bytes(found, dream(image, params, model=squeezenet, steps_per_call=1))
    assert len(found.losses[0]) == min(5, step + (1 if is_over else 2))


def test_progress_is_told_after_every_step_and_stopping_asked_before_every_call(image, squeezenet):
    """Two octaves of five steps, three to a call, are ten reports in order, and four questions."""
    reports, questions = [], []
    dream(
        image,
        PARAMS,
        model=squeezenet,
        steps_per_call=3,
        on_progress=lambda progress: reports.append((progress.octave, progress.step)),
        should_stop=lambda: bool(questions.append(len(reports))),
    )

    assert reports == [(octave, step) for octave in (1, 2) for step in range(1, 6)]
    assert questions == [0, 3, 5, 8]


def test_stopped_between_calls_a_dream_ends_as_if_uninterrupted(image, one_by_one, squeezenet):
    """Its checkpoint holds the step that the call ended with, from which calls of another length go on."""
    asked = iter([False, True])
    with pytest.raises(Stopped) as stopped:
        dream(image, PARAMS, model=squeezenet, steps_per_call=2, should_stop=lambda: next(asked))
    checkpoint = stopped.value.checkpoint
    resumed = dream(image, PARAMS, model=squeezenet, steps_per_call=4, resume=checkpoint)

    assert (checkpoint.octave, checkpoint.step) == (1, 2)
    assert_same_bytes(resumed, one_by_one)


def test_no_direction_within_a_call_is_told_with_its_step(image, squeezenet):
    """Where the gradient is lost halfway through a call, the error names that step, as it does one by one."""
    params = PARAMS.model_copy(update={"step_size": 1e38, "profile": "lapnorm"})
    messages = []
    for steps_per_call in (None, MANY):
        with pytest.raises(GradientError) as error:
            dream(image, params, model=squeezenet, steps_per_call=steps_per_call)
        messages.append(str(error.value))

    assert messages[0] == messages[1]


def test_a_pack_takes_several_steps_per_call(image, one_by_one, squeezenet):
    """Pictures of a pack keep their own limits and stops: one ends early, one is stopped, one goes to its end."""
    limited = PARAMS.model_copy(update={"max_loss": one_by_one.losses[0][1] * 0.999})
    images = [image, noise(61, 83, seed=1), image]
    asked = [0, 0, 0]

    def should_stop(index):
        asked[index] += 1
        return index == 1 and asked[index] == 2

    outcomes = dream_pack(
        images, [limited, PARAMS, PARAMS], model=squeezenet, steps_per_call=4, should_stop=should_stop
    )
    alone = dream(image, limited, model=squeezenet)

    assert isinstance(outcomes[0], DreamResult)
    assert [*map(len, outcomes[0].losses)] == [*map(len, alone.losses)]
    assert isinstance(outcomes[1], Stopped)
    assert isinstance(outcomes[2], DreamResult)
    assert np.abs(outcomes[2].image.astype(float) - one_by_one.image).mean() <= 0.255


@pytest.mark.parametrize("steps_per_call", [0, MANY + 1])
def test_a_call_takes_between_one_and_128_steps(image, squeezenet, steps_per_call):
    """Other numbers are refused, with those that are taken."""
    with pytest.raises(DreamError, match=rf"steps_per_call is {steps_per_call}; 1 to 128"):
        dream(image, PARAMS, model=squeezenet, steps_per_call=steps_per_call)


def test_calls_take_one_step_until_a_steps_time_is_known_and_fewer_on_larger_pictures(image):
    """How many steps a call takes follows from what its steps took before."""
    from dreamcore.course import Course  # noqa: PLC0415  # loads TensorFlow

    model = load_model("squeezenet", "random")
    course = Course(image, PARAMS, guide=None, model=model)
    run = model.run(course.rules)
    unknown = run.fitting_steps(1)
    dream(image, PARAMS, model=model, steps_per_call=3)

    assert unknown == 1
    assert run.fitting_steps(1) > run.fitting_steps(10**9) == 1

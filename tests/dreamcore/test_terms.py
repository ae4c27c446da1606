"""Objectives as data: what terms may say, and that the engine maximises just that."""

import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from dreamcore.class_names import class_index
from dreamcore.errors import GradientError, GuideError
from dreamcore.params import DreamParams
from dreamcore.terms import Term
from tests.support import noise

ONE_STEP = {"model": "squeezenet", "octaves": 1, "steps": 1, "jitter": 0}


@pytest.fixture(scope="module")
def answers():
    """Plain TensorFlow's activations of a picture by layer, (h, w, C)."""
    from tests.dreamcore.oracles import PlainSqueezeNet, caffe_input  # noqa: PLC0415  # loads TensorFlow

    plain = PlainSqueezeNet()

    def run(image):
        found = plain(caffe_input(image[None] / np.float32(127.5) - 1))
        return {layer: value.numpy()[0].astype(np.float64) for layer, value in found.items()}

    return run


@pytest.fixture
def first_loss(squeezenet):
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    def run(image, *terms, guide=None, **changes):
        params = DreamParams.model_validate({**ONE_STEP, "terms": terms, **changes})
        return dream(image, params, guide=guide, model=squeezenet).losses[0][0]

    return run


@pytest.mark.parametrize(
    ("term", "message"),
    [
        pytest.param({}, "either a layer or a class_name, and this one has neither", id="nothing"),
        pytest.param({"layer": "fire8", "class_name": "goldfish"}, "this one has layer 'fire8' and", id="two targets"),
        pytest.param({"class_name": "goldfish", "channels": [1]}, "leave channels out", id="a class and channels"),
        pytest.param({"layer": "fire88"}, "'fire88'.*'fire8'", id="no such layer"),
        pytest.param({"class_name": "goldfisch"}, "'goldfisch'.*'goldfish'", id="no such class"),
        pytest.param({"class_name": "crane"}, "several classes", id="two classes"),
        pytest.param({"layer": "fire8", "channels": [512]}, "channels 0 to 511, and 512 is asked for", id="channel"),
        pytest.param({"layer": "fire8", "channels": [1, 1]}, "twice", id="a channel twice"),
        pytest.param({"layer": "fire8", "channels": []}, "at least 1 item", id="no channel"),
        pytest.param(
            {"layer": "fire2", "channels": {"pick": "weakest", "count": 129}}, "128 channels.*129 weakest", id="count"
        ),
        pytest.param({"layer": "fire8", "at": [0.5, 1.1]}, "less than or equal to 1", id="outside the picture"),
        pytest.param({"layer": "fire8", "weight": float("nan")}, "finite number", id="weight"),
        pytest.param({"layer": "fire8", "guide": 0}, "kind 'l2' follows no guide", id="an idle guide"),
        pytest.param({"layer": "fire8", "kind": "max"}, "'guide-match'", id="kind"),
        pytest.param({"layer": "fire8", "chanels": [1]}, "chanels", id="unknown key"),
    ],
)
def test_a_wrong_term_is_one_clear_error(term, message):
    """What a term can't say is refused with a message that holds the value and what is right."""
    with pytest.raises(ValidationError, match=message) as caught:
        DreamParams.model_validate({"model": "squeezenet", "terms": [term]})
    assert "layer" in message or caught.value.error_count() <= 2


def test_layers_and_terms_exclude_each_other():
    """Each says the whole objective, so that both are an error, and a preset's layers give way to terms."""
    term = {"layer": "fire4"}
    with pytest.raises(ValidationError, match="layers and terms are both given"):
        DreamParams.model_validate({"layers": {"fire8": 1}, "terms": [term]})

    params = DreamParams.model_validate({"preset": "birds-of-paradise", "terms": [term]})
    assert params.layers == {}
    assert params.aimed_layers == ("fire4",)


def test_terms_survive_json():
    """Written and read again, parameters with every kind of term are equal."""
    terms = [
        {"layer": "fire8", "channels": [3, 5], "weight": -0.5, "kind": "mean"},
        {"layer": "fire8", "channels": {"pick": "strongest", "count": 3}},
        {"layer": "fire4", "channels": [1], "at": [0.25, 1]},
        {"class_name": "goldfish"},
        {"layer": "fire6", "kind": "guide-match", "guide": 1},
    ]
    params = DreamParams.model_validate({"terms": terms})

    assert DreamParams.model_validate_json(params.model_dump_json()) == params
    assert params.terms[0] == Term(layer="fire8", channels=(3, 5), weight=-0.5, kind="mean")


@pytest.mark.parametrize(
    ("name", "index"),
    [("tench", 0), ("Goldfish", 1), ("man-eating shark", 2), ("lion", 291), ("toilet_tissue", 999)],
)
def test_classes_are_known_by_any_of_their_names(name, index):
    """A synonym and any case find the class' index in ImageNet's order."""
    assert class_index(name) == index


@pytest.mark.parametrize("where", [{"at": [0.5, 0.5]}, {"mask": 0}])
def test_a_network_that_judges_the_whole_picture_has_no_class_in_a_place(where):
    """The message says why, and what to leave out."""
    terms = [{"class_name": "goldfish", **where}]
    with pytest.raises(ValidationError, match="convnext_tiny judges a picture as a whole: leave at and mask out"):
        DreamParams.model_validate({"model": "convnext_tiny", "terms": terms})


def test_terms_are_summed_by_their_weights(first_loss, picture, answers):
    """The loss is the weighted sum of means over the channels that each term lists, a negative weight included."""
    found = answers(picture)

    loss = first_loss(
        picture,
        {"layer": "fire8", "channels": [3, 40, 41], "weight": 2},
        {"layer": "fire8", "kind": "mean", "weight": -0.5},
        {"layer": "fire4", "channels": [7], "kind": "mean"},
    )

    eight, four = found["fire8"], found["fire4"]
    expected = 2 * (eight[..., [3, 40, 41]] ** 2).mean() - 0.5 * eight.mean() + four[..., 7].mean()
    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("pick", ["strongest", "weakest", "average"])
def test_channels_are_picked_by_their_answers_to_the_photo(first_loss, picture, answers, pick):
    """The picked channels are those whose mean answers, among the ones that answer, are extreme or most usual."""
    means = answers(picture)["fire6"].mean(axis=(0, 1))
    rank = {"strongest": -means, "weakest": means, "average": abs(means - means.mean())}[pick]
    chosen = [channel for channel in np.argsort(rank, kind="stable") if means[channel] != 0][:5]

    loss = first_loss(picture, {"layer": "fire6", "channels": {"pick": pick, "count": 5}, "kind": "mean"})

    assert loss == pytest.approx(means[chosen].mean(), rel=1e-3)


def test_picked_channels_stay_the_same_through_the_dream_and_are_told(squeezenet, picture):
    """A notice names the channels, and dreaming with these by a list gives the same bytes."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    def run(channels):
        terms = [{"layer": "fire6", "channels": channels}]
        return dream(picture, DreamParams.model_validate({"octaves": 2, "steps": 2, "terms": terms}), model=squeezenet)

    by_pick = run({"pick": "strongest", "count": 2})
    [notice] = [text for text in by_pick.notices if "fire6" in text]
    channels = [int(word) for word in notice.rpartition(": ")[2].rstrip(".").split(", ")]
    assert len(channels) == 2
    assert np.array_equal(by_pick.image, run(channels).image)


def test_one_neuron_is_one_channel_of_one_cell(first_loss, picture, answers):
    """A term with a place is the answer of the cell there, its kind by default the mean."""
    four = answers(picture)["fire4"]
    cell = four[int(0.3 * four.shape[0]), four.shape[1] - 1]
    channel = int(cell.argmax())

    loss = first_loss(picture, {"layer": "fire4", "channels": [channel], "at": [0.3, 1]})

    assert loss == pytest.approx(cell[channel], rel=1e-3)


def test_a_class_is_its_score(first_loss, picture, answers):
    """A class' term is the mean of its channel in the last layer: the score before the softmax."""
    expected = answers(picture)["conv10"][..., 1].mean()

    assert first_loss(picture, {"class_name": "goldfish"}) == pytest.approx(expected, rel=1e-3)


def test_a_dream_of_a_class_is_taken_for_it(squeezenet, picture):
    """After a few steps the network's own answer to the picture is the class that was dreamt."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    still = {"octaves": 1, "steps": 12, "jitter": 0, "normalise": "l2"}
    params = DreamParams.model_validate(still | {"terms": [{"class_name": "daisy"}]})
    dreamt = dream(picture, params, model=squeezenet).image

    scores = np.asarray(squeezenet.features(("conv10",))(dreamt[None] / np.float32(127.5) - 1)[0])
    assert scores.mean(axis=(0, 1, 2)).argmax() == class_index("daisy")


def test_a_negative_weight_pushes_away(squeezenet, picture):
    """Under a negative weight the layer answers less from step to step."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    terms = [{"layer": "fire8", "weight": -1}]
    params = DreamParams.model_validate({**ONE_STEP, "steps": 6, "step_size": 0.02, "terms": terms})
    losses = dream(picture, params, model=squeezenet).losses[0]

    assert abs(losses[-1]) < abs(losses[0]) / 2


def test_layers_are_shorthand_for_terms(squeezenet, picture):
    """The same layers, weights and objective dream the same bytes as terms, under a guide as well."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    short = {"model": "squeezenet", "octaves": 2, "steps": 2, "objective": "guide-dot"}
    layers = {"fire4": 1.0, "fire8": 0.5}
    terms = [{"layer": name, "weight": weight, "kind": "guide-dot"} for name, weight in layers.items()]
    by_layers, by_terms = (
        dream(picture, DreamParams.model_validate(short | way), guide=noise(60, 80, seed=3), model=squeezenet)
        for way in ({"layers": layers}, {"terms": terms})
    )

    assert np.array_equal(by_layers.image, by_terms.image)
    assert by_layers.losses == by_terms.losses


def test_terms_of_other_channels_compile_nothing(squeezenet, picture):
    """Channels, places and weights are inputs: another dream of the same layers and kinds uses the same step."""
    from dreamcore.backend import traces  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.course import Course  # noqa: PLC0415

    def course(channel, at):
        terms = [{"layer": "fire4", "channels": [channel], "at": at}, {"layer": "fire8"}]
        return Course(picture, DreamParams.model_validate({"terms": terms}), guide=None, model=squeezenet)

    steps = []
    for one in (course(3, [0, 0]), course(9, [0.5, 0.7])):
        state = one.start(None)
        one.enter(state, 1)
        one.compiled_step(state.image, *one.step_inputs(state), *state.memory, *one.octave_inputs(state))
        steps.append(one.compiled_step)
    assert steps[0] is steps[1]
    assert traces(steps[0]) == 1


def test_guide_match_follows_the_most_alike_cell(first_loss, picture, answers):
    """Each cell's answer times that of the guide's cell with the largest product, guides at their own sizes."""
    guides = [noise(97, 200, seed=5), noise(70, 64, seed=6)]
    ours = answers(picture)["fire6"]
    cells = [cell for guide in guides for row in answers(guide)["fire6"] for cell in row]
    total = sum(max(float(here @ there) for there in cells) for row in ours for here in row)

    loss = first_loss(picture, {"layer": "fire6", "kind": "guide-match"}, guide=guides)

    assert loss == pytest.approx(total / ours.size, rel=1e-3)


def test_guide_match_moves_towards_the_matched_cells():
    """The gradient is that of the products with the matched cells held constant."""
    import tensorflow as tf  # noqa: PLC0415

    from dreamcore.objectives import best_match  # noqa: PLC0415

    numbers = np.random.default_rng(1)
    ours = numbers.normal(size=(2, 3, 4, 5)).astype(np.float32)
    guide = numbers.normal(size=(2, 700, 5)).astype(np.float32)
    with tf.GradientTape() as tape:
        x = tf.constant(ours)
        tape.watch(x)
        loss = tf.reduce_sum(x * best_match(x, tf.constant(guide)))
    gradient = tape.gradient(loss, x).numpy()

    for n, i, j in np.ndindex(2, 3, 4):
        products = [float(ours[n, i, j] @ cell) for cell in guide[n]]
        assert np.array_equal(gradient[n, i, j], guide[n, int(np.argmax(products))])


def test_guides_are_told_apart(first_loss, picture, answers):
    """A term follows the guide that it names; one that names none follows the mean answer of all."""
    guides = [noise(97, 131, seed=seed) for seed in (5, 6)]
    ours, first, second = (answers(each)["fire8"] for each in (picture, *guides))

    dot = {"layer": "fire8", "kind": "guide-dot"}
    named = first_loss(picture, {**dot, "guide": 1}, {**dot, "guide": 0, "weight": 2}, guide=guides)
    unnamed = first_loss(picture, dot, guide=guides)

    assert named == pytest.approx((ours * (second + 2 * first)).mean(), rel=1e-3)
    assert unnamed == pytest.approx((ours * (first + second) / 2).mean(), rel=1e-3)


@pytest.mark.parametrize(
    ("terms", "guides", "message"),
    [
        ([{"layer": "fire8", "kind": "guide-dot"}], [], "'guide-dot' follows a guide picture"),
        ([{"layer": "fire8"}], [(64, 64)], "'l2' follows no guide"),
        ([{"layer": "fire8", "kind": "guide-dot", "guide": 1}], [(64, 64)], "follows guide 1.* 1 are given"),
        ([{"layer": "fire8", "kind": "guide-dot", "guide": 1}], [(64, 64)] * 2, "No term follows guide 0"),
        ([{"layer": "fire8", "kind": "guide-match"}], [(20, 64)], "guide is 64x20 px; squeezenet takes 32 px"),
    ],
)
def test_guides_and_terms_go_together(first_loss, picture, terms, guides, message):
    """A guide too many, too few, or smaller than the network takes is one clear error."""
    with pytest.raises(GuideError, match=message):
        first_loss(picture, *terms, guide=[noise(*size) for size in guides])


def test_a_silent_channel_is_an_error(first_loss, answers):
    """A channel that answers nothing gives no direction, and the message says so."""
    flat = np.full((64, 64, 3), 128, np.uint8)
    silent = int(np.argmin(answers(flat)["fire9"].max(axis=(0, 1))))

    with pytest.raises(GradientError, match=r"zero everywhere.*fire9"):
        first_loss(flat, {"layer": "fire9", "channels": [silent]})


def test_pictures_of_a_pack_have_terms_of_their_own(squeezenet):
    """Weights, channels, places and guides differ from picture to picture, and each comes out as it does alone."""
    from dreamcore import dream, dream_pack  # noqa: PLC0415  # loads TensorFlow

    def params(channel, weight, at, guide):
        terms = [
            {"layer": "fire8", "channels": [channel], "weight": weight},
            {"layer": "fire4", "at": at},
            {"layer": "fire6", "kind": "guide-match", "guide": guide},
        ]
        return DreamParams.model_validate({"octaves": 2, "steps": 1, "seed": channel, "terms": terms})

    images = [noise(75, 98, seed=seed) for seed in (1, 2)]
    guides = [[noise(64, 70, seed=3)], [noise(80, 96, seed=4)]]
    each = [params(3, 2.0, [0, 0.2], 0), params(77, -1.0, [0.9, 0.5], 0)]

    together = dream_pack(images, each, guides=guides, model=squeezenet)

    for image, own, guide, packed in zip(images, each, guides, together, strict=True):
        alone = dream(image, own, guide=guide, model=squeezenet)
        assert np.abs(alone.image.astype(int) - packed.image).max() <= 1
        assert np.allclose(alone.losses, packed.losses, rtol=1e-3)


def test_the_docs_examples_are_parameters_with_their_pictures():
    """Each example of the page on objectives is valid as it stands, and has a picture of at most 60 kB."""
    docs = Path(__file__).parents[2] / "docs"
    shown = re.findall(
        r"objectives/([\w-]+)\.jpg\).*?```json\n(.*?)```", (docs / "objectives.md").read_text(), re.DOTALL
    )

    assert len(shown) == 9
    for name, text in shown:
        assert DreamParams.model_validate_json(text).aims
        assert 1_000 < (docs / "images" / "objectives" / f"{name}.jpg").stat().st_size <= 60_000

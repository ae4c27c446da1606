"""Validation errors as sentences: not by the thousand, and a number out of bounds is told with all that it may be."""

import math

import pytest
from pydantic import BaseModel, ValidationError

from dreamcore.explain import explain
from dreamcore.params import DreamParams
from dreamcore.zoom_path import ZoomParams


class Numbers(BaseModel):
    """Some numbers."""

    numbers: list[int]


@pytest.mark.parametrize(
    ("wrong", "told"), [pytest.param(20, 20, id="as-many-as-are-told"), pytest.param(5000, 21, id="more")]
)
def test_many_wrong_fields_are_counted(wrong, told):
    """The first 20 are explained, and a line says how many more there are: an answer stays short."""
    with pytest.raises(ValidationError) as caught:
        Numbers(numbers=["x"] * wrong)

    found = explain(caught.value)

    assert len(found) == told
    assert found[0].pointer == "/numbers/0"
    assert (found[-1].detail == "And 4980 more are wrong.") == (wrong > 20)


def told(model, **given):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    return [problem.detail for problem in explain(caught.value, models=(DreamParams, ZoomParams))]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param({"octaves": 0}, "octaves is 0: input should be at least 1 and at most 16.", id="below"),
        pytest.param({"octaves": 17}, "octaves is 17: input should be at least 1 and at most 16.", id="above"),
        pytest.param(
            {"octave_scale": 1}, "octave_scale is 1: input should be more than 1 and at most 4.", id="a bound left out"
        ),
        pytest.param({"momentum": 1}, "momentum is 1: input should be at least 0 and less than 1.", id="the upper one"),
        pytest.param({"max_loss": 0}, "max_loss is 0: input should be greater than 0.", id="one bound alone"),
        pytest.param(
            {"layers": {"fire8": 1000.1}},
            "layers.fire8 is 1000.1: input should be at least -1000 and at most 1000.",
            id="in a dict",
        ),
        pytest.param(
            {"terms": [{"layer": "fire8", "at": [0.5, 1.1]}]},
            "terms.0.at.1 is 1.1: input should be at least 0 and at most 1.",
            id="in a list of models",
        ),
    ],
)
def test_both_bounds_are_told(given, says):
    """Whichever is passed, wherever the number stands; who has one bound has that one."""
    assert told(DreamParams, **given) == [says]


def test_bounds_in_one_branch_of_several():
    """Among what a union says, the branch that was meant tells both."""
    term = {"layer": "fire8", "channels": {"pick": "strongest", "count": 4097}}

    assert any("at least 1 and at most 4096" in each for each in told(DreamParams, terms=[term]))


def test_a_films_bounds_are_its_own():
    """The model that was validated is the one whose bounds are told."""
    assert told(ZoomParams, frames=0) == ["frames is 0: input should be at least 1 and at most 10000."]


@pytest.mark.parametrize("weight", [-1000, -1e-3, 1e-3, 1000])
def test_a_weight_within_its_bounds(weight):
    """The bounds themselves are weights, of layers and of terms."""
    assert DreamParams.model_validate({"layers": {"fire8": weight}}).aims[0].weight == weight
    assert DreamParams.model_validate({"terms": [{"layer": "fire8", "weight": weight}]}).aims[0].weight == weight


@pytest.mark.parametrize("weight", [-math.inf, -1000.1, 0, -0.0, 1000.1, 1e300, math.nan])
def test_a_weight_beyond_its_bounds(weight):
    """Such a weight would overflow or count for nothing, so that no layer and no term has it."""
    for given in ({"layers": {"fire8": weight}}, {"terms": [{"layer": "fire8", "weight": weight}]}):
        [detail] = told(DreamParams, **given)
        assert "1000" in detail or "finite number" in detail

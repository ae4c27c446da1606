"""Sweeps: which points they have, and what they refuse."""

from __future__ import annotations

from itertools import product

import pytest
from pydantic import ValidationError

from farm.sweep import Sweep, applied, at_point, check_points


def points(**fields):
    axes = Sweep.model_validate(fields).axes()
    return [axes[index] for index in range(len(axes))]


def test_without_lists_there_is_one_point():
    """A batch without a sweep makes one job of each input."""
    assert points() == [{}]


def test_lists_are_tried_each_with_each():
    """The points are the product of the lists, the last changing fastest."""
    steps, sizes = [5, 10, 20], [0.01, 0.02]

    assert points(product={"steps": steps, "step_size": sizes}) == [
        {"steps": n, "step_size": size} for n, size in product(steps, sizes)
    ]


def test_a_zip_group_counts_as_one_list():
    """The lists of a group go in step, and with each value of the others."""
    found = points(product={"seed": [1, 2]}, zip=[{"steps": [5, 10], "octaves": [3, 4]}])

    assert found == [{"seed": seed, "steps": n, "octaves": o} for seed, (n, o) in product([1, 2], [(5, 3), (10, 4)])]


def test_a_path_reaches_into_a_parameter_and_leaves_the_given_ones():
    """`layers.fire8` sets one layer's weight in a copy."""
    params = {"layers": {"fire8": 1.0, "fire9": 1.0}}

    assert applied(params, {"layers.fire8": 2.0, "steps": 3}) == {"layers": {"fire8": 2.0, "fire9": 1.0}, "steps": 3}
    assert params == {"layers": {"fire8": 1.0, "fire9": 1.0}}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"product": {"steps": []}}, "'steps' is empty"),
        ({"zip": [{"steps": [1, 2], "octaves": [1]}]}, "steps: 2, octaves: 1"),
        ({"zip": [{}]}, "must be of one length"),
        ({"product": {"steps": [1]}, "zip": [{"steps": [2]}]}, "steps is swept more than once"),
    ],
)
def test_a_sweep_that_can_not_be_is_refused(fields, says):
    """The message names the list and what is wrong with it."""
    with pytest.raises(ValidationError, match=says):
        Sweep.model_validate(fields)


def test_a_point_out_of_bounds_is_named():
    """The first point whose parameters can't be is told, with both bounds."""
    with pytest.raises(ValueError, match=r"With \{'steps': 0\}.*at least 1 and at most 1000"):
        check_points({}, None, Sweep.model_validate({"product": {"steps": [1, 0]}}))


def test_a_film_s_own_parameters_are_swept_too():
    """`zoom.scale` reaches the film, and what stands beside it the dream."""
    params, zoom = at_point({"steps": 3}, {"frames": 7}, {"zoom.scale": 1.1, "octaves": 2})

    assert (params.steps, params.octaves, zoom.frames, zoom.scale) == (3, 2, 7, 1.1)


@pytest.mark.parametrize(
    ("zoom", "says"),
    [
        (None, "pictures have no zoom. Ask for the kind zoom"),
        ({}, r"With \{'zoom.scale': 9\}: /scale scale is 9"),
    ],
    ids=["picture", "out of bounds"],
)
def test_a_film_s_point_that_can_not_be_is_named(zoom, says):
    """What pictures don't have, and what no film may have, is refused with the point."""
    with pytest.raises(ValueError, match=says):
        check_points({}, zoom, Sweep.model_validate({"product": {"zoom.scale": [9]}}))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        pytest.param([f"n{number}" for number in range(101)], "101 parameters are swept; 100 may be", id="too-many"),
        pytest.param(["a." * 9 + "a"], "further down than 8 levels", id="too-deep"),
    ],
)
def test_a_sweep_has_bounds(names, says):
    """So that nobody's sweep takes more than a moment to look at."""
    with pytest.raises(ValidationError, match=says):
        Sweep(product={name: [1] for name in names})


def test_a_sweep_of_more_points_than_can_be_counted_has_a_count():
    """Python's own lengths end at 2^63; what is refused for its number of jobs is told that number."""
    sweep = Sweep(product={f"n{number}": list(range(100)) for number in range(12)})

    assert sweep.axes().count == 100**12
    assert len(sweep.axes()) == 2**63 - 1

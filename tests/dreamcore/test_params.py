"""Parameters: bounds, defaults, names, octave plans; and that none of it loads TensorFlow."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from dreamcore.catalog import MODELS, get_model
from dreamcore.errors import PictureTooSmallError
from dreamcore.octaves import plan_octaves
from dreamcore.params import DreamParams
from dreamcore.presets import PRESETS
from dreamcore.profiles import PROFILES

BOUNDS = {
    "octaves": ([1, 16], [0, 17]),
    "octave_scale": ([1.01, 4], [1, 4.01]),
    "steps": ([1, 1000], [0, 1001]),
    "step_size": ([1e-9, 10], [0, 10.1, float("nan")]),
    "jitter": ([0, 512], [-1, 513]),
    "max_loss": ([1e-9, 1e30, None], [0, -1, float("inf")]),
    "seed": ([0, 2**63 - 1], [-1, 2**63]),
    "objective": (["l2", "mean", "guide-dot", "guide-match"], ["l1", 3]),
    "normalise": (["local", "mean-abs", "std", "centred", "l2", "none"], ["max", None]),
    "smoothing": ([0, 8], [-0.1, 8.1]),
    "smoothing_growth": ([0, 8], [-0.1, 8.1]),
    "laplacian": ([0, 8], [-1, 9]),
    "optimiser": (["ascent", "momentum", "adam"], ["sgd", 1]),
    "momentum": ([0, 0.999], [-0.1, 1]),
    "total_variation": ([0, 10], [-0.1, 10.1]),
    "l2_penalty": ([0, 10], [-0.1, 10.1]),
    "start": (["photo", "noise"], ["white", None]),
    "keep_colors": ([True, False], [None, "perhaps"]),
    "feather": ([0, 256], [-1, 257]),
    "precision": (["float32", "tf32", "bfloat16"], ["float16", None]),
    "profile": ([*PROFILES], ["", ["keras"]]),
    "preset": ([*PRESETS, "none"], ["", None, ["eyes-and-creatures"]]),
    "model": (["squeezenet", "inception_v3"], ["vgg", None]),
    "layers": ([{"fire2": 1}, {"fire2": -1.5}], [{}, {"fire1": 1}, {"fire2": float("inf")}, ["fire2"]]),
}
GOOD = [pytest.param(f, v, id=f"{f}={v}") for f, (good, _) in BOUNDS.items() for v in good]
BAD = [pytest.param(f, v, id=f"{f}={v}") for f, (_, bad) in BOUNDS.items() for v in bad]


@pytest.mark.parametrize(("field", "value"), GOOD)
def test_a_value_at_its_bound_is_taken(field, value):
    """Each parameter takes what lies on its bounds."""
    assert getattr(DreamParams.model_validate({field: value}), field) == value


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_value_beyond_its_bound_is_refused(field, value):
    """Each parameter refuses what lies beyond its bounds, or is of another type."""
    with pytest.raises(ValidationError):
        DreamParams.model_validate({field: value})


def test_an_unknown_key_is_refused():
    """A misspelt parameter is an error, never ignored."""
    with pytest.raises(ValidationError, match="stepsize"):
        DreamParams.model_validate({"stepsize": 1})


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_left_out_comes_from_the_profile(name):
    """A profile's defaults and its model's default layers fill in, and what is given stays."""
    defaults = PROFILES[name].defaults
    params = DreamParams(profile=name, seed=7)

    assert params.model_dump(
        exclude={"seed", "preset", "profile", "layers", "terms", "feather", "precision", "tiling"}
    ) == {k: v for k, v in defaults.items() if k != "seed"}
    model = MODELS[defaults["model"]]
    assert params.layers == PROFILES[name].layers.get(model.name, model.default_layers)
    assert params.seed == 7


def test_no_arguments_are_the_dreamfarm_profile():
    """The field's own defaults are those of the default profile."""
    assert DreamParams() == DreamParams(profile="dreamfarm")
    fields = {name: field.default for name, field in DreamParams.model_fields.items() if name != "layers"}
    assert fields == DreamParams().model_dump(exclude={"layers"})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_in_what_is_not_given(name):
    """A preset's values count before the profile's, what is given counts before both, and the outcome is stable."""
    preset = PRESETS[name]
    params = DreamParams.model_validate({"preset": name, "seed": 7})

    assert {key: getattr(params, key) for key in preset.params} == preset.params
    assert (params.model, params.layers, params.seed) == (preset.model, preset.layers, 7)
    assert DreamParams.model_validate({"preset": name, "steps": 3}).steps == 3
    assert DreamParams.model_validate(params.model_dump()) == params


def test_a_presets_layers_are_for_its_model_alone():
    """Under another model a preset's look is dreamt with that model's own layers."""
    params = DreamParams.model_validate({"preset": "liquid-brushwork", "model": "inception_v3"})

    assert params.layers == MODELS["inception_v3"].default_layers
    assert params.keep_colors


def test_parameters_survive_json():
    """Written and read again, parameters are equal."""
    params = DreamParams(profile="keras", octaves=2)

    assert DreamParams.model_validate_json(params.model_dump_json()) == params


def test_a_wrong_layer_names_the_nearest_and_all():
    """The message holds the wrong name, the nearest ones and every right one."""
    with pytest.raises(ValueError, match=r"'fire88'.*'fire8'.*conv1, fire2.*conv10"):
        get_model("squeezenet").check_layers(["fire88"])


@pytest.mark.parametrize(
    ("name", "layer"), [("vgg16", "fc1"), ("vgg16", "flatten"), ("resnet50", "avg_pool"), ("inception_v3", "avg_pool")]
)
def test_a_layer_without_height_and_width_is_none_to_dream_with(name, layer):
    """Dense layers and means over the whole picture are refused by name, whatever the network, with those there are."""
    with pytest.raises(ValueError, match=rf"{name} has no layer '{layer}'.*Layers: "):
        DreamParams(model=name, layers={layer: 1.0})


def test_a_wrong_model_names_the_nearest_and_all():
    """The message holds the wrong name, the nearest one and every right one."""
    with pytest.raises(ValueError, match=r"'inception'.*'inception_v3'.*squeezenet, inception_v3"):
        get_model("inception")


def test_octave_sizes_are_cut_to_whole_pixels():
    """size_i = int(dim / scale^i), smallest first, the last one the picture's own."""
    params = DreamParams(octaves=3, octave_scale=1.4)

    assert plan_octaves(params, 431, 767).sizes == ((219, 391), (307, 547), (431, 767))


@pytest.mark.parametrize(
    ("profile", "octaves", "sizes"),
    [
        pytest.param("smoothed", 3, ((133, 237), (239, 426), (431, 767)), id="rounded"),
        pytest.param("lapnorm", 3, ((219, 390), (307, 547), (431, 767)), id="cut in turn"),
        pytest.param("google2015", 3, ((220, 391), (308, 548), (431, 767)), id="rounded in turn"),
        pytest.param("tf-tutorial", 3, ((331, 590), (431, 767), (560, 997)), id="around"),
        pytest.param("tf-tutorial", 2, ((331, 590), (431, 767)), id="around, even number"),
        pytest.param("tf-tutorial", 1, ((431, 767),), id="around, alone"),
    ],
)
def test_each_profile_has_its_octave_sizes(profile, octaves, sizes):
    """Sizes are cut or rounded, from the picture's or from the next larger, below it or around it."""
    params = DreamParams(profile=profile, model="squeezenet", octaves=octaves)

    assert plan_octaves(params, 431, 767).sizes == sizes


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_has_its_picture_in_the_docs(name):
    """The page on presets shows each by a picture of at most 60 kB."""
    docs = Path(__file__).parents[2] / "docs"
    picture = docs / "images" / "presets" / f"{name}.jpg"

    assert 1_000 < picture.stat().st_size <= 60_000
    assert f"images/presets/{name}.jpg" in (docs / "presets.md").read_text()
    assert f"`{name}`: {PRESETS[name].title[0].lower()}" in (docs / "presets.md").read_text()


def test_octaves_too_small_for_the_network_are_left_out_and_it_says_so():
    """A small picture gets fewer octaves and one sentence about it; a large one gets all and none."""
    plan = plan_octaves(DreamParams(octaves=4), 60, 80)

    assert plan.sizes == ((42, 57), (60, 80))
    assert plan.notices == (
        "2 of 4 octaves are dreamt, from 57x42 px: the network takes 32 px or more on the shorter side.",
    )
    assert plan_octaves(DreamParams(octaves=4), 600, 800).notices == ()


def test_a_picture_too_small_at_full_size_is_refused():
    """The message holds the size, the least one, and what to do."""
    with pytest.raises(PictureTooSmallError, match=r"31x200 px; squeezenet takes 32 px .* Enlarge"):
        plan_octaves(DreamParams(), 200, 31)


def test_a_border_left_out_needs_cells_left_over():
    """Under the `keras` profile the least size leaves each layer a cell within the border."""
    params = DreamParams(profile="keras", layers={"mixed7": 1})
    least = get_model("inception_v3").least_side(["mixed7"], cells=5)

    assert get_model("inception_v3").layer("mixed7").shape(least, least)[:2] == (5, 5)
    assert get_model("inception_v3").layer("mixed7").shape(least - 1, least - 1)[:2] == (4, 4)
    assert plan_octaves(params.model_copy(update={"octaves": 1}), least, least).sizes == ((least, least),)


@pytest.mark.parametrize("module", ["", ".params", ".catalog", ".octaves", ".pictures", ".checkpoint", ".recipe"])
def test_it_loads_no_tensorflow(module):
    """What the api needs of the engine comes without TensorFlow and Keras."""
    program = f"import sys, dreamcore{module}; sys.exit(bool({{'tensorflow', 'keras'}} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

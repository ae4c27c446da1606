"""What to dream: the parameters, their bounds and their defaults. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dreamcore import catalog
from dreamcore.errors import GuideError, MaskError
from dreamcore.masks import check_mask_size
from dreamcore.presets import PRESETS, PresetName
from dreamcore.profiles import DREAMFARM, PROFILES, Normalise, Objective, Optimiser, ProfileName, Start
from dreamcore.terms import MOST_TERMS, Aim, Term, Weight, layers_of, resolve

if TYPE_CHECKING:
    from dreamcore.octaves import Size

Precision = Literal["float32", "tf32", "bfloat16"]

Tiling = Literal["auto", "off", "exact", "rolled"]

DEFAULTS = DREAMFARM.defaults


class DreamParams(BaseModel):
    """What to dream; immutable, and an unknown key is an error.

    A value that is left out comes from the preset, else from the profile; layers that are left out from these or from
    the model's catalog entry. So a validated instance always holds every value that the render depends on. The defaults
    below are those of the profile "dreamfarm".
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    preset: Annotated[PresetName, Field(description="Named look: fills in what isn't given.")] = "none"
    profile: Annotated[ProfileName, Field(description="Named recipe: the rules of a step, and the defaults.")] = (
        "dreamfarm"
    )
    model: Annotated[str, Field(description="Network to dream with.")] = DEFAULTS["model"]
    layers: Annotated[dict[str, Weight], Field(max_length=MOST_TERMS, description="Layer name → weight.")] = Field(
        default_factory=dict
    )
    terms: Annotated[
        tuple[Term, ...],
        Field(max_length=MOST_TERMS, description="In place of layers: what the objective is the sum of, term by term."),
    ] = ()
    octaves: Annotated[int, Field(ge=1, le=16, description="Scales, smallest first.")] = DEFAULTS["octaves"]
    octave_scale: Annotated[float, Field(gt=1, le=4, description="Size ratio of neighbouring octaves.")] = DEFAULTS[
        "octave_scale"
    ]
    steps: Annotated[int, Field(ge=1, le=1000, description="Gradient steps per octave.")] = DEFAULTS["steps"]
    step_size: Annotated[float, Field(gt=0, le=10, description="Step length, in units of half the pixel range.")] = (
        DEFAULTS["step_size"]
    )
    jitter: Annotated[int, Field(ge=0, le=512, description="Largest random shift before each step, in px.")] = DEFAULTS[
        "jitter"
    ]
    max_loss: Annotated[float | None, Field(gt=0, description="End an octave early above this loss.")] = DEFAULTS[
        "max_loss"
    ]
    seed: Annotated[int, Field(ge=0, lt=2**63, description="Source of all randomness.")] = DEFAULTS["seed"]
    objective: Annotated[Objective, Field(description="What to maximise.")] = DEFAULTS["objective"]
    normalise: Annotated[Normalise, Field(description="What each gradient is divided by, so that steps are alike.")] = (
        DEFAULTS["normalise"]
    )
    smoothing: Annotated[float, Field(ge=0, le=8, description="Blur of the gradient: standard deviation in px.")] = (
        DEFAULTS["smoothing"]
    )
    smoothing_growth: Annotated[
        float, Field(ge=0, le=8, description="Above 0: blur at three scales, by so many px more at an octave's end.")
    ] = DEFAULTS["smoothing_growth"]
    laplacian: Annotated[
        int, Field(ge=0, le=8, description="Scales below the finest that the gradient is split into, all made alike.")
    ] = DEFAULTS["laplacian"]
    optimiser: Annotated[Optimiser, Field(description="How directions become moves.")] = DEFAULTS["optimiser"]
    momentum: Annotated[
        float, Field(ge=0, lt=1, description="Share of earlier directions that momentum and Adam keep at each step.")
    ] = DEFAULTS["momentum"]
    total_variation: Annotated[
        float, Field(ge=0, le=10, description="Pull against differences between neighbouring pixels.")
    ] = DEFAULTS["total_variation"]
    l2_penalty: Annotated[float, Field(ge=0, le=10, description="Pull of every pixel towards mid-grey.")] = DEFAULTS[
        "l2_penalty"
    ]
    start: Annotated[Start, Field(description="Dream on the photo, or on noise of its size.")] = DEFAULTS["start"]
    keep_colors: Annotated[bool, Field(description="Dream in brightness alone; the photo's colours stay.")] = DEFAULTS[
        "keep_colors"
    ]
    feather: Annotated[
        float, Field(ge=0, le=256, description="How wide the fading within a mask's white is, in px of the picture.")
    ] = 16.0
    precision: Annotated[
        Precision,
        Field(description="Numbers that the network computes with; image and gradient are float32 throughout."),
    ] = "float32"
    tiling: Annotated[
        Tiling,
        Field(description="Gradient by tiles, in less memory: exact ones where need be, never, always, or cheap ones."),
    ] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _fill_in_defaults(cls, given: Any) -> Any:
        """Complete what the user gave with the preset, the profile's defaults and the model's default layers."""
        if not isinstance(given, Mapping):
            return given
        if given.get("terms"):
            _check_layers_left_out(given)
            given = {**given, "layers": {}}
        preset = PRESETS.get(str(given.get("preset")))
        if preset is not None:
            given = preset.fill(given)
        profile = PROFILES.get(str(given.get("profile", DREAMFARM.name)))
        if profile is None:
            return given
        filled = {"profile": profile.name, **profile.defaults, **given}
        model = catalog.MODELS.get(filled["model"]) if isinstance(filled["model"], str) else None
        if model is not None and "layers" not in filled:
            filled["layers"] = dict(profile.layers.get(model.name, model.default_layers))
        return filled

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        """Refuse a model, a layer or a channel that the catalog doesn't hold, naming the nearest ones."""
        catalog.get_model(self.model).check_layers(self.layers)
        if not self.aims:
            raise ValueError("layers is {}: name one or more, such as {'fire8': 1}, or give terms.")
        return self

    @property
    def aims(self) -> tuple[Aim, ...]:
        """What the objective is the sum of; layers stand for a term each."""
        model = catalog.get_model(self.model)
        if not self.terms:
            return tuple(Aim(layer, self.objective, self.layers[layer]) for layer in sorted(self.layers))
        return tuple(resolve(term, model, objective=self.objective) for term in self.terms)

    @property
    def aimed_layers(self) -> tuple[str, ...]:
        """The layers that the objective depends on, in the order of their names."""
        return layers_of(self.aims)

    def check_guides(self, sizes: Sequence[Size]) -> None:
        """Raise `GuideError` where a guide picture is missing, given for nothing, or too small to keep its size.

        Parameters
        ----------
        sizes
            Height and width of each guide, px.
        """
        count = len(sizes)
        guided = [aim for aim in self.aims if aim.is_guided]
        if not count and guided:
            raise GuideError(f"The objective {guided[0].kind!r} follows a guide picture: give one, or choose 'l2'.")
        if count and not guided:
            raise GuideError(
                f"The objective {self.aims[0].kind!r} follows no guide picture: choose 'guide-dot', or give none."
            )
        named = {aim.guide for aim in guided}
        wrong = sorted(guide for guide in named if guide is not None and guide >= count)
        if wrong:
            raise GuideError(
                f"A term follows guide {wrong[0]}, counted from 0, and {count} are given: give more, or name another."
            )
        idle = sorted(set(range(count)) - named)
        if idle and None not in named:
            raise GuideError(f"No term follows guide {idle[0]}, counted from 0: name it in a term, or leave it out.")
        for aim in guided:
            followed = sizes if aim.guide is None else [sizes[aim.guide]]
            if aim.kind == "guide-match":
                _check_guide_sizes(aim.layer, followed, catalog.get_model(self.model))

    def check_masks(self, sizes: Sequence[Size], *, picture: Size) -> None:
        """Raise `MaskError` where masks and terms don't go together, or a mask is of another size than the picture."""
        for size in sizes:
            check_mask_size(size, picture)
        self.confining_mask(len(sizes))

    def confining_mask(self, count: int) -> int | None:
        """Return which of so many mask pictures confines the dream: the one that no term names, if any.

        Raises
        ------
        MaskError
            A term names a mask that isn't there, or several are named by none.
        """
        named = {aim.mask for aim in self.aims if aim.mask is not None}
        if named and max(named) >= count:
            raise MaskError(
                f"A term names mask {max(named)}, counted from 0, and {count} are given: give more, or name another."
            )
        confining = sorted(set(range(count)) - named)
        if len(confining) > 1:
            raise MaskError(
                f"Masks {confining} are named by no term, and one alone can confine the dream: name them in terms."
            )
        return confining[0] if confining else None


def _check_guide_sizes(layer: str, sizes: Sequence[Size], model: catalog.ModelSpec) -> None:
    least = model.least_side([layer])
    for height, width in sizes:
        if min(height, width) < least:
            raise GuideError(
                f"The guide is {width}x{height} px; {model.name} takes {least} px or more on the shorter side for "
                f"{layer}. Enlarge the guide, or choose 'guide-dot', which resizes it."
            )


def _check_layers_left_out(given: Mapping[str, Any]) -> None:
    """Raise `ValueError` where both ways to say an objective are used."""
    if given.get("layers"):
        raise ValueError("layers and terms are both given, and each says the whole objective: leave one of them out.")

"""Named recipes: the rules of a step and of the octaves, and the defaults that go with them. Imports no TensorFlow.

`docs/recipes.md` says where each comes from and where it departs from what was published.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

ProfileName = Literal["dreamfarm", "keras", "article", "google2015", "tf-tutorial", "lapnorm", "smoothed"]
Objective = Literal["l2", "mean", "guide-dot", "guide-match"]
Normalise = Literal["local", "mean-abs", "std", "centred", "l2", "none"]
Optimiser = Literal["ascent", "momentum", "adam"]
Start = Literal["photo", "noise"]
Kernel = Literal["bilinear", "bicubic", "corner-aligned"]
OctaveRule = Literal["cut", "rounded", "cut-in-turn", "rounded-in-turn", "around"]
Divisor = Literal["elements", "two", "elements-and-layers"]

PIXEL = 1 / 127.5  # one level of 0..255, in units of half the pixel range


class Defaults(TypedDict):
    """A value for every parameter but the profile itself and the layers, which are the model's."""

    model: str
    octaves: int
    octave_scale: float
    steps: int
    step_size: float
    jitter: int
    max_loss: float | None
    seed: int
    objective: Objective
    normalise: Normalise
    smoothing: float
    smoothing_growth: float
    laplacian: int
    optimiser: Optimiser
    momentum: float
    total_variation: float
    l2_penalty: float
    start: Start
    keep_colors: bool


@dataclass(frozen=True)
class Profile:
    """The rules that are not parameters.

    Attributes
    ----------
    layers
        Model → the layers to dream with where the recipe has its own; other models' are the catalog's.
    wrapped
        Whether pixels that jitter moves across an edge dream there, among the pixels of the other side.
    jitter_end
        Whether the largest shift itself can be drawn, to the right and downwards.
    clip
        Whether each step ends within the range of pixels.
    kernel, antialias
        How pictures are resized between octaves; sample centres lie on half pixels, unless the kernel says otherwise.
    octave_rule
        How the octaves' sizes follow from the picture's; see `dreamcore.octaves`.
    detail
        When the detail that an octave's size lost is put back: before its ascent, after it, or never.
    border
        Cells left out on each side of an activation, where padding shows.
    divisor
        What each layer's sum is divided by: its number of elements, that and the number of layers, or 2.
    rounded
        Whether the result is rounded to whole pixel values, or cut.
    """

    name: ProfileName
    title: str
    defaults: Defaults
    wrapped: bool
    clip: bool
    kernel: Kernel
    antialias: bool
    detail: Literal["before", "after", "never"]
    rounded: bool
    octave_rule: OctaveRule = "cut"
    border: int = 0
    divisor: Divisor = "elements"
    jitter_end: bool = True
    layers: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))


DREAMFARM = Profile(
    name="dreamfarm",
    title="Dreamfarm's own: vivid, sharp, quick",
    defaults=Defaults(
        model="squeezenet",
        octaves=5,
        octave_scale=1.4,
        steps=15,
        step_size=0.025,
        jitter=16,
        max_loss=None,
        seed=0,
        objective="l2",
        normalise="local",
        smoothing=0.8,
        smoothing_growth=0.0,
        laplacian=0,
        optimiser="ascent",
        momentum=0.9,
        total_variation=0.0,
        l2_penalty=0.0,
        start="photo",
        keep_colors=False,
    ),
    wrapped=False,
    clip=True,
    kernel="bicubic",
    antialias=True,
    detail="before",
    rounded=True,
)

KERAS = Profile(
    name="keras",
    title="The Keras DeepDream example",
    defaults={
        **DREAMFARM.defaults,
        "model": "inception_v3",
        "octaves": 3,
        "steps": 20,
        "step_size": 0.01,
        "jitter": 0,
        "max_loss": 15.0,
        "normalise": "mean-abs",
        "smoothing": 0.0,
    },
    wrapped=True,
    clip=False,
    kernel="bilinear",
    antialias=False,
    detail="after",
    border=2,
    rounded=False,
)

ARTICLE = replace(
    KERAS,
    name="article",
    title="The tutorial article: whole layers, equally weighted",
    defaults={**KERAS.defaults, "max_loss": None},
    layers=MappingProxyType({"inception_v3": {"mixed4": 1.0, "mixed5": 1.0}}),
    border=0,
)

GOOGLE2015 = Profile(
    name="google2015",
    title="The original notebook of 2015",
    defaults={
        **KERAS.defaults,
        "model": "squeezenet",
        "octaves": 4,
        "steps": 10,
        "step_size": 1.5 * PIXEL,
        "jitter": 32,
        "max_loss": None,
    },
    wrapped=True,
    clip=True,
    kernel="corner-aligned",
    antialias=False,
    detail="before",
    rounded=False,
    octave_rule="rounded-in-turn",
    divisor="two",
)

TF_TUTORIAL = Profile(
    name="tf-tutorial",
    title="The TensorFlow tutorial: from small to larger than the picture, and back",
    defaults={
        **KERAS.defaults,
        "octaves": 5,
        "octave_scale": 1.3,
        "steps": 50,
        "jitter": 512,
        "max_loss": None,
        "objective": "mean",
        "normalise": "std",
    },
    wrapped=True,
    clip=True,
    kernel="bilinear",
    antialias=False,
    detail="never",
    rounded=False,
    octave_rule="around",
    jitter_end=False,
    layers=MappingProxyType({"inception_v3": {"mixed3": 1.0, "mixed5": 1.0}}),
)

LAPNORM = Profile(
    name="lapnorm",
    title="TensorFlow's older notebook: every scale of the gradient equally strong",
    defaults={
        **KERAS.defaults,
        "model": "squeezenet",
        "octaves": 4,
        "steps": 10,
        "step_size": PIXEL,
        "jitter": 256,
        "max_loss": None,
        "normalise": "none",
        "laplacian": 4,
    },
    wrapped=True,
    clip=False,
    kernel="bilinear",
    antialias=False,
    detail="before",
    rounded=False,
    octave_rule="cut-in-turn",
    jitter_end=False,
)

SMOOTHED = Profile(
    name="smoothed",
    title="A gradient smoothed at three scales, more from step to step",
    defaults={
        **KERAS.defaults,
        "model": "squeezenet",
        "octaves": 4,
        "octave_scale": 1.8,
        "steps": 10,
        "step_size": 0.04,
        "jitter": 32,
        "max_loss": None,
        "normalise": "centred",
        "smoothing": 0.5,
        "smoothing_growth": 2.0,
    },
    wrapped=True,
    clip=True,
    kernel="bilinear",
    antialias=False,
    detail="never",
    rounded=False,
    octave_rule="rounded",
    divisor="elements-and-layers",
)

PROFILES: dict[str, Profile] = {
    profile.name: profile for profile in (DREAMFARM, KERAS, ARTICLE, GOOGLE2015, TF_TUTORIAL, LAPNORM, SMOOTHED)
}

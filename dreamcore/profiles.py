"""Named recipes: the rules of a step and of the octaves, and the defaults that go with them. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

ProfileName = Literal["dreamfarm", "keras"]


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
    objective: Literal["l2", "guide-dot"]


@dataclass(frozen=True)
class Profile:
    """The rules that are not parameters.

    Attributes
    ----------
    wrapped
        Whether pixels that jitter moves across an edge dream there, among the pixels of the other side.
    smoothing_px
        Standard deviation of the Gaussian that blurs the gradient; 0 for none.
    normalise
        What the gradient is divided by: its standard deviation, its mean absolute value, or its strength nearby.
    clip
        Whether each step ends within the range of pixels.
    kernel, antialias
        How pictures are resized between octaves; sample centres lie on half pixels.
    detail
        When the detail that an octave's size lost is put back: before its ascent, or after.
    border
        Cells left out on each side of an activation, where padding shows.
    rounded
        Whether the result is rounded to whole pixel values, or cut.
    """

    name: ProfileName
    title: str
    defaults: Defaults
    wrapped: bool
    smoothing_px: float
    normalise: Literal["std", "mean-abs", "local"]
    clip: bool
    kernel: Literal["bilinear", "bicubic"]
    antialias: bool
    detail: Literal["before", "after"]
    border: int
    rounded: bool


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
    ),
    wrapped=False,
    smoothing_px=0.8,
    normalise="local",
    clip=True,
    kernel="bicubic",
    antialias=True,
    detail="before",
    border=0,
    rounded=True,
)

KERAS = Profile(
    name="keras",
    title="The Keras DeepDream example",
    defaults=Defaults(
        model="inception_v3",
        octaves=3,
        octave_scale=1.4,
        steps=20,
        step_size=0.01,
        jitter=0,
        max_loss=15.0,
        seed=0,
        objective="l2",
    ),
    wrapped=True,
    smoothing_px=0.0,
    normalise="mean-abs",
    clip=False,
    kernel="bilinear",
    antialias=False,
    detail="after",
    border=2,
    rounded=False,
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (DREAMFARM, KERAS)}

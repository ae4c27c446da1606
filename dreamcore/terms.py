"""The terms that a dream's objective is the sum of, as data. Imports no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dreamcore.class_names import class_index
from dreamcore.networks.applications import WHOLE
from dreamcore.profiles import Objective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.catalog import ModelSpec

MOST_TERMS = 64
LARGEST_WEIGHT = 1000
"""Above it, sums of activations leave the range of float32 before anything looks different."""


def _not_0(weight: float) -> float:
    if weight:
        return weight
    raise ValueError(
        f"A weight is 0, with which nothing counts: choose one from {-LARGEST_WEIGHT} to {LARGEST_WEIGHT} that is "
        "not 0, or leave the layer or term out."
    )


Weight = Annotated[float, Field(ge=-LARGEST_WEIGHT, le=LARGEST_WEIGHT), AfterValidator(_not_0)]
Channel = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Picture = Annotated[int, Field(ge=0, lt=16)]


class Pick(BaseModel):
    """Channels chosen by how strongly they answer to the undreamt picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pick: Annotated[
        Literal["strongest", "weakest", "average"],
        Field(description="Which channels: those with the largest, the smallest, the most average mean answer."),
    ]
    count: Annotated[int, Field(ge=1, le=4096, description="How many of them.")] = 1


class Term(BaseModel):
    """One part of an objective; immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    layer: Annotated[str | None, Field(description="The layer that answers; left out for a class.")] = None
    class_name: Annotated[
        str | None, Field(description="In place of a layer: an ImageNet class by its name, such as goldfish.")
    ] = None
    channels: Annotated[
        Annotated[tuple[Channel, ...], Field(min_length=1, max_length=4096)] | Pick | None,
        Field(description="Channels of the layer that count: a list, or a pick; left out: all."),
    ] = None
    at: Annotated[
        tuple[Share, Share] | None,
        Field(description="The one cell that counts: its place from the top and from the left, 0 to 1."),
    ] = None
    weight: Annotated[Weight, Field(description="How much the term counts; a negative one pushes away.")] = 1.0
    kind: Annotated[
        Objective | None,
        Field(description="What is maximised; left out: mean for a class or a single cell, else `objective`."),
    ] = None
    guide: Annotated[
        Picture | None, Field(description="The guide picture to follow, counted from 0; left out: all of them.")
    ] = None
    mask: Annotated[
        Picture | None, Field(description="The mask picture within whose white the term counts, counted from 0.")
    ] = None

    @model_validator(mode="after")
    def _check_target(self) -> Self:
        """Refuse a term of no layer or of two targets, and a channel that is listed twice."""
        if (self.layer is None) == (self.class_name is None):
            raise ValueError(f"A term has either a layer or a class_name, and this one has {self._targets()}.")
        if self.class_name is not None and self.channels is not None:
            raise ValueError(f"The class {self.class_name!r} is one channel: leave channels out.")
        if isinstance(self.channels, tuple) and len(set(self.channels)) < len(self.channels):
            raise ValueError(f"channels {list(self.channels)} names a channel twice; name each once.")
        return self

    def _targets(self) -> str:
        return "neither" if self.layer is None else f"layer {self.layer!r} and class_name {self.class_name!r}"


class Aim(NamedTuple):
    """A term with nothing left open but what the pictures decide.

    Attributes
    ----------
    layer, kind, weight, at, guide, mask
        As in `Term`.
    channels
        Their indices, how to pick them, or None for all.
    """

    layer: str
    kind: Objective
    weight: float
    channels: tuple[int, ...] | Pick | None = None
    at: tuple[float, float] | None = None
    guide: int | None = None
    mask: int | None = None

    @property
    def is_guided(self) -> bool:
        """Whether it follows guide pictures."""
        return self.kind.startswith("guide")

    @property
    def is_placed(self) -> bool:
        """Whether not all cells count alike."""
        return self.at is not None or self.mask is not None


def resolve(term: Term, model: ModelSpec, *, objective: Objective) -> Aim:
    """Return what a term aims at in a model; `objective` is the kind of terms that name none.

    Raises
    ------
    ValueError
        The model has no such layer, channel or class; the message names those to choose from.
    """
    layer, channels = term.layer, term.channels
    if term.class_name is not None:
        layer, channels = _class_layer(term.class_name, model), (class_index(term.class_name),)
    spec = model.layer(str(layer))
    _check_channels(channels, spec.name, spec.channels)
    single = term.class_name is not None or term.at is not None
    kind: Objective = term.kind or ("mean" if single else objective)
    aim = Aim(spec.name, kind, term.weight, channels, term.at, term.guide, term.mask)
    if aim.is_placed and spec.kind == WHOLE:
        raise ValueError(f"{model.name} judges a picture as a whole: leave at and mask out of terms of {spec.name}.")
    if aim.guide is not None and not aim.is_guided:
        raise ValueError(f"A term of kind {kind!r} follows no guide: choose 'guide-dot', or leave guide out.")
    return aim


def _class_layer(name: str, model: ModelSpec) -> str:
    if model.class_layer is None:
        raise ValueError(
            f"{model.name} is a network of your own, whose classes are not known, so it can't dream of {name!r}. "
            "Choose one of the catalog, such as squeezenet, or a layer."
        )
    return model.class_layer


def _check_channels(channels: tuple[int, ...] | Pick | None, layer: str, there: int) -> None:
    if isinstance(channels, Pick) and channels.count > there:
        raise ValueError(f"{layer} has {there} channels, and the {channels.count} {channels.pick} are asked for.")
    if isinstance(channels, tuple) and max(channels) >= there:
        raise ValueError(f"{layer} has channels 0 to {there - 1}, and {max(channels)} is asked for.")


def layers_of(aims: Sequence[Aim]) -> tuple[str, ...]:
    """Return the layers that aims name, each once, in the order of their names."""
    return tuple(sorted({aim.layer for aim in aims}))

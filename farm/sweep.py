"""Sweeps: one job's parameters become many, as data that JSON can hold."""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dreamcore.explain import explain
from dreamcore.params import DreamParams
from dreamcore.zoom_path import ZoomParams

if TYPE_CHECKING:
    from collections.abc import Mapping

Point = dict[str, Any]

MOST_NAMES, DEEPEST, SHOWN = 100, 8, 60
"""Parameters that a sweep may name, levels that a name may lead down, and characters of it that a message repeats."""

OF_FILM = "zoom."
"""How the names of a film's own parameters start."""


class Sweep(BaseModel):
    """Which parameters take which values.

    Every list of `product` is tried with every other; the lists of one `zip` group go in step, and the group counts as
    one list among the others. A name is a parameter, or a path into one: ``layers.fire8``, or a film's own parameter:
    ``zoom.scale``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: dict[str, list[Any]] = Field(default_factory=dict, description="Name → values, each with each.")
    zip: list[dict[str, list[Any]]] = Field(default_factory=list, description="Groups whose lists go in step.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = Counter([*self.product, *(name for group in self.zip for name in group)])
        if names.total() > MOST_NAMES:
            raise ValueError(f"{names.total()} parameters are swept; {MOST_NAMES} may be. Leave some out.")
        for name in names:
            if name.count(".") > DEEPEST:
                raise ValueError(f"{name[:SHOWN]!r} leads further down than {DEEPEST} levels.")
        twice = sorted(name for name, count in names.items() if count > 1)
        if twice:
            raise ValueError(f"{', '.join(twice)} is swept more than once. Name each parameter in one place.")
        for name, values in self.product.items():
            if not values:
                raise ValueError(f"The list of {name!r} is empty. Give it a value or leave it out.")
        for group in self.zip:
            _check_in_step(group)
        return self

    def axes(self) -> Axes:
        """Return the sweep's points, countable without being made."""
        alone = [[{name: value} for value in values] for name, values in self.product.items()]
        groups = [
            [dict(zip(group, values, strict=True)) for values in zip(*group.values(), strict=True)]
            for group in self.zip
        ]
        return Axes(tuple(map(tuple, [*alone, *groups])))


@dataclass(frozen=True)
class Axes:
    """Lists of points whose product is the sweep; the last changes fastest."""

    lists: tuple[tuple[Point, ...], ...]

    def __len__(self) -> int:
        return min(self.count, sys.maxsize)  # Python's len() takes no more

    @property
    def count(self) -> int:
        """How many points there are, however many."""
        return math.prod(len(points) for points in self.lists)

    def __getitem__(self, index: int) -> Point:
        if not 0 <= index < len(self):
            raise IndexError(index)
        found: Point = {}
        for points in reversed(self.lists):
            index, own = divmod(index, len(points))
            found = {**points[own], **found}
        return found


def applied(params: Mapping[str, Any], point: Point) -> dict[str, Any]:
    """Return the parameters with a point's values in place; the ones given stay as they are."""
    merged = dict(params)
    for path, value in point.items():
        _put(merged, path.split("."), value)
    return merged


def parts(point: Point) -> tuple[Point, Point]:
    """Return what a point sets of every dream, and what of a film alone."""
    film = {name.removeprefix(OF_FILM): value for name, value in point.items() if name.startswith(OF_FILM)}
    return {name: value for name, value in point.items() if not name.startswith(OF_FILM)}, film


def at_point(
    params: Mapping[str, Any], zoom: Mapping[str, Any] | None, point: Point
) -> tuple[DreamParams, ZoomParams | None]:
    """Return the parameters of one job; `zoom` is None for a picture.

    Raises
    ------
    ValidationError
        They can't be.
    """
    every, film = parts(point)
    made = DreamParams.model_validate(applied(params, every))
    return made, None if zoom is None else ZoomParams.model_validate(applied(zoom, film))


def check_points(params: Mapping[str, Any], zoom: Mapping[str, Any] | None, sweep: Sweep) -> None:
    """Raise `ValueError` at the first point of a sweep at which the parameters can't be."""
    axes = sweep.axes()
    for point in map(axes.__getitem__, range(len(axes))):
        if zoom is None and parts(point)[1]:
            raise ValueError(f"With {point}: pictures have no zoom. Ask for the kind zoom, or leave it out.")
        try:
            at_point(params, zoom, point)
        except ValidationError as error:
            known = (*DreamParams.model_fields, *ZoomParams.model_fields)
            problems = explain(error, known=known, models=(DreamParams, ZoomParams))
            where = f"With {point}: " if point else ""
            raise ValueError(where + " ".join(f"{at.pointer} {at.detail}" for at in problems)) from None


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    """Set a value deep inside, copying each level on the way."""
    name, *rest = path
    if not rest:
        target[name] = value
        return
    inner = target.get(name)
    target[name] = dict(inner) if isinstance(inner, dict) else {}
    _put(target[name], rest, value)


def _check_in_step(group: Mapping[str, list[Any]]) -> None:
    lengths = {name: len(values) for name, values in group.items()}
    if not lengths or len(set(lengths.values())) > 1 or 0 in lengths.values():
        shown = ", ".join(f"{name}: {length}" for name, length in lengths.items()) or "none"
        raise ValueError(f"The lists of a zip group must be of one length and not empty; they have {shown} values.")

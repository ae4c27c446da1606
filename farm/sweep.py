"""Sweeps: one job's parameters become many, as data that JSON can hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dreamcore.explain import explain
from dreamcore.params import DreamParams

if TYPE_CHECKING:
    from collections.abc import Mapping

Point = dict[str, Any]


class Sweep(BaseModel):
    """Which parameters take which values.

    Every list of `product` is tried with every other; the lists of one `zip` group go in step, and the group counts as
    one list among the others. A name is a parameter, or a path into one: ``layers.fire8``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: dict[str, list[Any]] = Field(default_factory=dict, description="Name → values, each with each.")
    zip: list[dict[str, list[Any]]] = Field(default_factory=list, description="Groups whose lists go in step.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [*self.product, *(name for group in self.zip for name in group)]
        twice = sorted({name for name in names if names.count(name) > 1})
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


def check_points(params: Mapping[str, Any], sweep: Sweep) -> None:
    """Raise `ValueError` at the first point of a sweep at which the parameters can't be."""
    axes = sweep.axes()
    for point in map(axes.__getitem__, range(len(axes))):
        try:
            DreamParams.model_validate(applied(params, point))
        except ValidationError as error:
            problems = explain(error, known=tuple(DreamParams.model_fields))
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

"""Pools of workers: those that offer the same tags, and the jobs that need some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_TAGS = 8

Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}$")]


def pool_name(tags: Iterable[str]) -> str:
    """Return the one name of a set of tags."""
    return "+".join(sorted(set(tags)))


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _few(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(tags) > MOST_TAGS:
        message = f"{len(tags)} tags are given; {MOST_TAGS} may be. Leave some out."
        raise ValueError(message)
    return tuple(sorted(set(tags)))


Tags = Annotated[tuple[Tag, ...], BeforeValidator(_split), AfterValidator(_few)]
"""Tags that a worker offers or a job needs; also read from text, with commas between."""

HIGHEST_PRIORITY = 9
Priority = Annotated[
    int, Field(ge=0, le=HIGHEST_PRIORITY, description="Of the owner's own jobs those of 9 go first, those of 0 last.")
]
Needs = Annotated[Tags, Field(description="Tags that a worker must offer to be given the job, as gpu.")]

"""What the shell completes: models, their layers, the ids of the farm's latest jobs."""

from __future__ import annotations

from typing import NamedTuple

import typer  # noqa: TC002  # typer reads annotations to know what a completer takes

from dreamcore.catalog import MODELS
from dreamcore.params import DreamParams
from dreamfarm.client import Farm
from dreamfarm.errors import FarmError

PATIENCE_S = 1.0
LATEST = 30


class Completion(NamedTuple):
    """A word that fits, as the command line's library takes it."""

    value: str
    type: str = "plain"
    help: str | None = None


def complete_model(incomplete: str) -> list[tuple[str, str]]:
    """Return the models whose names begin so, and what they are."""
    return [(name, model.title) for name, model in MODELS.items() if name.startswith(incomplete)]


def complete_layers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the layers, of the model that was named, whose names begin as the last one of the list does."""
    model = MODELS.get(str(ctx.params.get("model") or DreamParams().model))
    before, comma, begun = incomplete.rpartition(",")
    names = [layer.name for layer in model.layers] if model else []
    return [f"{before}{comma}{name}" for name in names if name.startswith(begun)]


def complete_job(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the ids of the farm's latest jobs that begin so, and what they are; none where the farm is away."""
    key = ctx.find_root().params.get("key")
    try:
        with Farm(ctx.params.get("url") or None, key=key, timeout_s=PATIENCE_S, tries=1) as farm:
            jobs = list(farm.jobs(limit=LATEST))
    except FarmError:
        return []
    return [(job.id, f"{job.state} {job.name or ''}".strip()) for job in jobs if job.id.startswith(incomplete)]

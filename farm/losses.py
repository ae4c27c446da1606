"""How the objective grew, octave by octave, as a job's record keeps it: thinned out, for a curve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

POINTS = 60
"""Values that are kept of an octave at most."""

Losses = tuple[tuple[float, ...], ...]


def losses_text(losses: Sequence[Sequence[float]]) -> str:
    """Return the losses of each octave's steps as text; of many steps so many, the last one among them."""
    return json.dumps([_thinned(octave) for octave in losses], separators=(",", ":"))


def read_losses(text: str | None) -> Losses:
    """Return what `losses_text` wrote; nothing where nothing was."""
    return tuple(map(tuple, json.loads(text))) if text else ()


def _thinned(octave: Sequence[float]) -> list[float]:
    last = len(octave) - 1
    if last < POINTS:
        return [_short(loss) for loss in octave]
    return [_short(octave[round(place * last / (POINTS - 1))]) for place in range(POINTS)]


def _short(loss: float) -> float:
    return float(f"{loss:.5g}")

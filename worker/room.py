"""How many jobs a worker takes at once. Imports the engine, so TensorFlow."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import structlog

from dreamcore import load_model
from dreamcore.backend import accelerator_bytes
from dreamcore.calibration import pack_gain
from dreamcore.capacity import LARGEST_PACK, WORKSPACE_SHARE
from dreamcore.memory import machine_bytes
from dreamcore.params import DreamParams

if TYPE_CHECKING:
    from farm.settings import Settings

WORTHWHILE = 1.1
"""Gain in pictures per second that packs are made for."""

log = structlog.get_logger()


class Room(NamedTuple):
    """The most jobs of a pack, and the bytes that their steps may take together."""

    most: int
    bytes: float


def room(settings: Settings) -> Room:
    """Return the room for packs: what is set, or on an accelerator as many as fit, where they gain.

    A processor renders one by one: a single picture keeps all of its cores at work (docs/benchmarks.md).
    """
    memory = accelerator_bytes()
    most = settings.pack_size or (1 if memory is None else _most_by_gain())
    given = settings.memory_gb * 1e9 if settings.memory_gb else memory or machine_bytes()
    return Room(most, given * (1 - WORKSPACE_SHARE))


@cache
def _most_by_gain() -> int:
    gain = pack_gain(load_model(DreamParams().model))
    log.info("packs_measured", gain=round(gain, 2))
    return LARGEST_PACK if gain >= WORTHWHILE else 1

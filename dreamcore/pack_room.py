"""How many pictures of a pack go through the network side by side, and how the others wait."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from dreamcore.backend import accelerator_bytes
from dreamcore.capacity import WORKSPACE_SHARE, image_bytes
from dreamcore.memory import PROCESS_BYTES, machine_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.catalog import ModelSpec
    from dreamcore.params import DreamParams


def pack_bytes() -> float:
    """Return what a pack may take where nobody says: the accelerator's memory but for a workspace, or the machine's."""
    accelerator = accelerator_bytes()
    return machine_bytes() if accelerator is None else accelerator * (1 - WORKSPACE_SHARE) + PROCESS_BYTES


def pictures_that_fit(model: ModelSpec, params: DreamParams, shape: Sequence[int], *, memory_bytes: float) -> int:
    """Return how many pictures of a shape (H, W, …) fit side by side, untiled; 0 where not even one does.

    most = (memory - process) / bytes of one picture's step
    """
    each = image_bytes(model, params.aimed_layers, (shape[0], shape[1]), precision=params.precision)
    return max(0, int((memory_bytes - PROCESS_BYTES) // each))


def shares(count: int, *, most: int) -> list[range]:
    """Split pictures into as few runs as there must be, each of `most` at most, or of one; as even as they go."""
    runs = -(-count // max(1, most))
    ends = [number * count // runs for number in range(runs + 1)]
    return [range(start, end) for start, end in pairwise(ends)]

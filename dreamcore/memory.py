"""How much memory there is, and how a step fits it. Imports no TensorFlow."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dreamcore.capacity import image_bytes
from dreamcore.tiles import exact_tiles, largest_crop, longest_plain_px

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.catalog import ModelSpec
    from dreamcore.octaves import Size
    from dreamcore.params import Tiling

PROCESS_BYTES = 0.6e9
"""What the library and the weights take before any image."""
WHOLE_COPIES = 12
"""Float32 images of the whole size that live during a tiled step: image, gradient, and what the move makes of them."""
BANDED_COPIES = 4
"""The same where the move is made in bands: image, gradient, and what else lives on the way to the next octave."""
MASK_PX_BYTES = 9
"""For each pixel of a mask: its share of the move, that at an octave's size, and whether the photo stays."""
CORES_PX = (1024, 512, 256, 128)
PLAIN_PX = 512
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_bytes(limits: Sequence[str] = LIMITS) -> float:
    """Return how much memory this process may use: the machine's, or less where a container's limit says so."""
    machine = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    texts = [Path(path).read_text(encoding="ascii").strip() for path in limits if Path(path).exists()]
    return min([machine, *(float(text) for text in texts if text.isdigit())])


def move_fits(size: Size, *, memory_bytes: float) -> bool:
    """Return whether a move on the whole image fits, made after its gradient was taken by tiles."""
    return PROCESS_BYTES + WHOLE_COPIES * 12 * math.prod(size) <= memory_bytes


def room_bytes(size: Size, *, largest: Size, memory_bytes: float, whole: bool) -> float:
    """Return what is left for a step on the whole image, or on a tile of it.

    Parameters
    ----------
    size
        Of the octave.
    largest : Size
        Of the last octave. Where it has to move in bands every octave leaves room for it, as the library keeps what it
        once took.
    memory_bytes
        For everything.
    whole
        Whether the step is on the whole image, whose copies count as its own.
    """
    if not move_fits(largest, memory_bytes=memory_bytes):
        beside = BANDED_COPIES * 12 * math.prod(largest)
    else:
        beside = 0 if whole else WHOLE_COPIES * 12 * math.prod(size)
    return memory_bytes - PROCESS_BYTES - beside


def whole_fits(model: ModelSpec, layers: Sequence[str], size: Size, *, precision: str, room: float) -> bool:
    """Return whether a step on the whole image fits into so many bytes."""
    return math.isinf(room) or image_bytes(model, layers, size, precision=precision) <= room


def fitting_core(model: ModelSpec, layers: Sequence[str], size: Size, *, precision: str, room: float) -> int:
    """Return the side of the largest core whose tiles fit into so many bytes, px; the smallest one where none does."""
    for core_px in CORES_PX:
        crop = largest_crop(exact_tiles(model, layers, size, core_px=core_px))
        if image_bytes(model, layers, crop, precision=precision) <= room:
            return core_px
    return CORES_PX[-1]


def fitting_plain(model: ModelSpec, layers: Sequence[str], size: Size, *, precision: str, room: float) -> int:
    """Return the same for plain tiles, 512 px at most."""
    sides = [side for side in CORES_PX if side <= PLAIN_PX]
    for side in sides:
        height, width = (longest_plain_px(model, layers, length, core_px=side) for length in size)
        if image_bytes(model, layers, (height, width), precision=precision) <= room:
            return side
    return sides[-1]


def planned_core_px(
    model: ModelSpec,
    layers: Sequence[str],
    size: Size,
    *,
    largest: Size,
    tiling: Tiling,
    precision: str,
    memory_bytes: float,
) -> int | None:
    """Return the side of the tiles' cores that an octave's steps begin with, px; None for the whole image at once.

    `largest` is the last octave's size.
    """
    tiles = room_bytes(size, largest=largest, memory_bytes=memory_bytes, whole=False)
    if tiling == "rolled":
        return fitting_plain(model, layers, size, precision=precision, room=tiles)
    can_tile = tiling != "off" and model.graph is not None
    whole = room_bytes(size, largest=largest, memory_bytes=memory_bytes, whole=True)
    if tiling != "exact" and (not can_tile or whole_fits(model, layers, size, precision=precision, room=whole)):
        return None
    return fitting_core(model, layers, size, precision=precision, room=tiles)

"""How much memory there is, and how a step fits it. Imports no TensorFlow."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dreamcore.capacity import image_bytes
from dreamcore.tiles import exact_tiles, largest, plain_tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.catalog import ModelSpec
    from dreamcore.octaves import Size
    from dreamcore.params import Tiling

PROCESS_BYTES = 0.6e9
"""What the library and the weights take before any image."""
WHOLE_COPIES = 12
"""Float32 images of the whole size that live during a tiled step: image, gradient, and what the move makes of them."""
CORES_PX = (1024, 512, 256, 128)
PLAIN_PX = 512
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_bytes(limits: Sequence[str] = LIMITS) -> float:
    """Return how much memory this process may use: the machine's, or less where a container's limit says so."""
    machine = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    texts = [Path(path).read_text(encoding="ascii").strip() for path in limits if Path(path).exists()]
    return min([machine, *(float(text) for text in texts if text.isdigit())])


def whole_fits(model: ModelSpec, layers: Sequence[str], size: Size, *, precision: str, memory_bytes: float) -> bool:
    """Return whether a step on the whole image fits."""
    return PROCESS_BYTES + image_bytes(model, layers, size, precision=precision) <= memory_bytes


def fitting_core(model: ModelSpec, layers: Sequence[str], size: Size, *, precision: str, memory_bytes: float) -> int:
    """Return the side of the largest core whose tiles fit, px; the smallest one where none does."""
    left = memory_bytes - PROCESS_BYTES - WHOLE_COPIES * 12 * math.prod(size)
    for core_px in CORES_PX:
        crop = largest(exact_tiles(model, layers, size, core_px=core_px))
        if image_bytes(model, layers, crop, precision=precision) <= left:
            return core_px
    return CORES_PX[-1]


def fitting_plain(model: ModelSpec, layers: Sequence[str], size: Size, *, precision: str, memory_bytes: float) -> int:
    """Return the side of the largest plain tile that fits, px, 512 at most; the smallest one where none does."""
    left = memory_bytes - PROCESS_BYTES - WHOLE_COPIES * 12 * math.prod(size)
    sides = [side for side in CORES_PX if side <= PLAIN_PX]
    for side in sides:
        crop = largest(plain_tiles(model, layers, size, core_px=side))
        if image_bytes(model, layers, crop, precision=precision) <= left:
            return side
    return sides[-1]


def planned_core_px(
    model: ModelSpec, layers: Sequence[str], size: Size, *, tiling: Tiling, precision: str, memory_bytes: float
) -> int | None:
    """Return the side of the tiles' cores that a step begins with, px; None for the whole image at once."""
    if tiling == "rolled":
        return fitting_plain(model, layers, size, precision=precision, memory_bytes=memory_bytes)
    can_tile = tiling != "off" and model.graph is not None
    fits = not can_tile or whole_fits(model, layers, size, precision=precision, memory_bytes=memory_bytes)
    if fits and tiling != "exact":
        return None
    return fitting_core(model, layers, size, precision=precision, memory_bytes=memory_bytes)

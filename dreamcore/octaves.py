"""The sizes that a dream goes through. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dreamcore import catalog
from dreamcore.errors import PictureTooSmallError
from dreamcore.profiles import PROFILES

if TYPE_CHECKING:
    from dreamcore.params import DreamParams

Size = tuple[int, int]


@dataclass(frozen=True)
class OctavePlan:
    """Sizes (height, width) in px, smallest first, and what was decided otherwise than asked for."""

    sizes: tuple[Size, ...]
    notices: tuple[str, ...] = ()


def plan_octaves(params: DreamParams, height: int, width: int) -> OctavePlan:
    """Plan a picture's octaves, leaving out those too small for the network.

    size_i = (int(height / octave_scale^i), int(width / octave_scale^i)), i = octaves - 1 … 0

    Raises
    ------
    PictureTooSmallError
        Even the full size is too small for the network and its layers.
    """
    least = _least_side(params)
    if min(height, width) < least:
        raise PictureTooSmallError(
            f"The picture is {width}x{height} px; {params.model} takes {least} px or more on the shorter side "
            f"for {', '.join(params.layers)}. Enlarge the picture, or choose layers nearer to the image."
        )
    wanted = [_scaled(height, width, params.octave_scale**i) for i in reversed(range(params.octaves))]
    sizes = tuple(size for size in wanted if min(size) >= least)
    return OctavePlan(sizes, _notices(len(wanted), sizes, least))


def _least_side(params: DreamParams) -> int:
    border = PROFILES[params.profile].border
    return catalog.get_model(params.model).least_side(params.layers, cells=2 * border + 1)


def _scaled(height: int, width: int, factor: float) -> Size:
    return int(height / factor), int(width / factor)


def _notices(wanted: int, sizes: tuple[Size, ...], least: int) -> tuple[str, ...]:
    if len(sizes) == wanted:
        return ()
    height, width = sizes[0]
    notice = (
        f"{len(sizes)} of {wanted} octaves are dreamt, from {width}x{height} px: "
        f"the network takes {least} px or more on the shorter side."
    )
    return (notice,)

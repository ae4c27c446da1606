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

    For octave i = octaves - 1 … 0, counted from the largest, by the profile's rule:

    cut              int(side / octave_scale^i)
    rounded          round(side / octave_scale^i)
    cut-in-turn      int(side_(i-1) / octave_scale), side_0 = side
    rounded-in-turn  round(side_(i-1) / octave_scale)
    around           int(side * octave_scale^n), n = (octaves - 1) // 2 - i … : as many octaves above the picture's size
                     as below it; with an even number, one more below

    Raises
    ------
    PictureTooSmallError
        Even the full size is too small for the network and its layers.
    """
    least = _least_side(params)
    if min(height, width) < least:
        raise PictureTooSmallError(
            f"The picture is {width}x{height} px; {params.model} takes {least} px or more on the shorter side "
            f"for {', '.join(params.aimed_layers)}. Enlarge the picture, or choose layers nearer to the image."
        )
    rows, columns = (_sides(side, params) for side in (height, width))
    wanted = list(zip(rows, columns, strict=True))
    sizes = tuple(size for size in wanted if min(size) >= least)
    return OctavePlan(sizes, _notices(len(wanted), sizes, least))


def _least_side(params: DreamParams) -> int:
    border = PROFILES[params.profile].border
    return catalog.get_model(params.model).least_side(params.aimed_layers, cells=2 * border + 1)


def _sides(side: int, params: DreamParams) -> list[int]:
    """Return a side's lengths in px, smallest first."""
    rule, scale = PROFILES[params.profile].octave_rule, params.octave_scale
    powers = range(params.octaves)
    if rule == "around":
        return [int(side * scale ** ((params.octaves - 1) // 2 - i)) for i in reversed(powers)]
    whole = round if rule.startswith("rounded") else int
    if not rule.endswith("in-turn"):
        return [whole(side / scale**i) for i in reversed(powers)]
    sides = [side]
    while len(sides) < params.octaves:
        sides.append(whole(sides[-1] / scale))
    return sides[::-1]


def _notices(wanted: int, sizes: tuple[Size, ...], least: int) -> tuple[str, ...]:
    if len(sizes) == wanted:
        return ()
    height, width = sizes[0]
    notice = (
        f"{len(sizes)} of {wanted} octaves are dreamt, from {width}x{height} px: "
        f"the network takes {least} px or more on the shorter side."
    )
    return (notice,)

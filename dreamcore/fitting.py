"""Whether a dream's steps are taken on the whole image or tile by tile: as asked, as memory allows, as it turns out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dreamcore.backend import describe_device
from dreamcore.errors import DreamError, OutOfMemoryError
from dreamcore.memory import CORES_PX, machine_bytes, move_fits, planned_core_px
from dreamcore.shortage import ran_out_of_memory
from dreamcore.tiles import exact_tiles, plain_tiles
from dreamcore.tiling import banded_step, tiled_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dreamcore.ascent import StepRules
    from dreamcore.models import Model
    from dreamcore.octaves import Size
    from dreamcore.params import Tiling
    from dreamcore.tiles import Tile


class Fitting:
    """Chooses the step for an image's size, and smaller tiles where memory ran out.

    Attributes
    ----------
    notices
        What was decided otherwise than asked for, for people.

    Parameters
    ----------
    beside_bytes
        What of the memory is taken by what is no step's.
    """

    def __init__(
        self,
        model: Model,
        rules: StepRules,
        tiling: Tiling,
        *,
        largest: Size,
        memory_bytes: float | None,
        beside_bytes: float = 0.0,
    ) -> None:
        if tiling == "exact" and model.spec.graph is None:
            raise DreamError(
                f"tiling 'exact' needs a network whose every node is known, and {model.name} is run as a whole. "
                "Choose 'auto', 'off' or 'rolled', or squeezenet or inception_v3."
            )
        self.notices: list[str] = []
        self._model, self._rules, self._tiling = model, rules, tiling
        self._largest = largest
        self._memory = _memory(memory_bytes) - beside_bytes
        self._most_px = 2 * CORES_PX[0]
        self._never_whole = False
        self._on_host = describe_device().startswith("CPU")
        self._tiles: dict[tuple[Size, int], list[Tile]] = {}

    def tile_px(self, size: Size) -> int | None:
        """Return the side of the tiles' cores for an image of a size, px; None for the whole image at once."""
        planned = planned_core_px(
            self._model.spec,
            self._rules.layers,
            size,
            largest=self._largest,
            tiling="exact" if self._never_whole and self._tiling == "auto" else self._tiling,
            precision=self._rules.precision,
            memory_bytes=self._memory,
        )
        return None if planned is None else min(self._most_px, planned)

    def step(self, size: Size, origin: Sequence[int]) -> Callable[..., Any]:
        """Return the step for an image of a size; `origin` is where rolled tiles begin, px, to within a stride."""
        core_px = self.tile_px(size)
        if core_px is None:
            return self._model.step(self._rules)
        make = banded_step if self.in_bands(size) else tiled_step
        return make(self._model, self._rules, self._cut(size, core_px, origin))

    def in_bands(self, size: Size) -> bool:
        """Return whether an image of a size is a NumPy array that moves in bands, because few copies of it fit."""
        scarce = self._never_whole and self._on_host
        return self._can_tile and (scarce or not move_fits(size, memory_bytes=self._memory))

    def shrink(self, size: Size, error: BaseException) -> None:
        """Make the tiles smaller after an error, for the rest of the dream.

        Raises
        ------
        OutOfMemoryError
            They are as small as they get, or were not asked for.
        BaseException
            The error itself, where memory is not what ran out.
        """
        if not ran_out_of_memory(error):
            raise error
        now = self.tile_px(size)
        if not self._can_tile or now == CORES_PX[-1]:
            raise OutOfMemoryError(
                f"The picture needs more memory at {size[1]}x{size[0]} px than there is, with "
                f"tiling {self._tiling!r}. Make it smaller, ask for fewer layers, or give tiling 'auto' or 'rolled'."
            ) from error
        self._never_whole = True
        self._most_px = self._smaller(now or min(2 * CORES_PX[0], *size))
        self.notices.append(
            f"Memory ran out at {size[1]}x{size[0]} px; from there on gradients come in tiles of {self._most_px} px."
        )

    def _smaller(self, refused_px: int) -> int:
        """Return the side to try next.

        On a processor the library may end the process where memory is short by a little: so the step down is steep.
        """
        most_px = refused_px // (4 if self._on_host else 2)
        return next((side for side in CORES_PX if side <= most_px), CORES_PX[-1])

    @property
    def _can_tile(self) -> bool:
        return self._tiling == "rolled" or (self._tiling != "off" and self._model.spec.graph is not None)

    def _cut(self, size: Size, core_px: int, origin: Sequence[int]) -> list[Tile]:
        spec, rules = self._model.spec, self._rules
        if self._tiling == "rolled":
            return plain_tiles(spec, rules.layers, size, core_px=core_px, origin=origin, border=rules.border)
        if (size, core_px) not in self._tiles:
            self._tiles[size, core_px] = exact_tiles(spec, rules.layers, size, core_px=core_px, border=rules.border)
        return self._tiles[size, core_px]


def _memory(given: float | None) -> float:
    """Return the memory to plan with; an accelerator's is known only once it runs out."""
    if given is not None:
        return given
    return machine_bytes() if describe_device().startswith("CPU") else float("inf")

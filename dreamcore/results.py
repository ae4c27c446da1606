"""What a dream reports and returns. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dreamcore.checkpoint import Checkpoint
    from dreamcore.params import DreamParams


@dataclass(frozen=True)
class Progress:
    """One step done; octaves and steps count from 1, `fraction` is of the whole dream's work."""

    octave: int
    octaves: int
    step: int
    steps: int
    loss: float
    fraction: float


@dataclass(frozen=True, eq=False)
class DreamResult:
    """A finished dream.

    Attributes
    ----------
    image : (H, W, 3) uint8 or uint16, as the picture was
    losses
        The objective before each step, octave by octave.
    notices
        What was done otherwise than asked for.
    """

    image: NDArray[np.uint8] | NDArray[np.uint16]
    losses: tuple[tuple[float, ...], ...]
    notices: tuple[str, ...]
    params: DreamParams
    weights_sha256: str
    backend: str
    device: str


class Stopped(Exception):  # noqa: N818  # asked for, so no error
    """The dream was asked to stop; `checkpoint` lets it go on."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(f"Stopped in octave {checkpoint.octave} after step {checkpoint.step}.")
        self.checkpoint = checkpoint

"""How long a dream takes and how much memory, told before it is dreamt. Imports no TensorFlow."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dreamcore import catalog
from dreamcore.capacity import image_bytes
from dreamcore.errors import OutOfMemoryError
from dreamcore.memory import BANDED_COPIES, WHOLE_COPIES, move_fits
from dreamcore.octaves import plan_octaves
from dreamcore.workload import COLOURS, Work, count_work, crops_of_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.octaves import Size
    from dreamcore.params import DreamParams
    from dreamcore.zoom_path import ZoomParams

FLOAT_BYTES = 4
STARTED_BYTES = 0.74e9
"""What the library and what it compiled take beside weights and images; measured."""
LIVING_SHARE = 0.5
"""How much of a step's activations and their gradients lives at once; measured. Plans keep room for all."""
OFF_BY = 1.25
"""How far from the truth an estimate of memory may be."""
WEIGHT_COPIES = 5
"""As they were read, folded, in the compiled functions, and as the library lays them out for itself; measured."""


@dataclass(frozen=True)
class Speed:
    """What each part of the work takes on a device with a model, in seconds.

    seconds = operations * s_per_operation + elements * s_per_element + launches * s_per_launch
    """

    s_per_operation: float
    s_per_element: float
    s_per_launch: float

    def seconds(self, work: Work) -> float:
        """Return what work takes, once the network is loaded and its step is compiled."""
        return (
            work.operations * self.s_per_operation
            + work.elements * self.s_per_element
            + work.launches * self.s_per_launch
        )

    def times(self, factor: float) -> Speed:
        """Return the speed of a device on which everything takes so many times as long."""
        return Speed(self.s_per_operation * factor, self.s_per_element * factor, self.s_per_launch * factor)


REFERENCE = Speed(s_per_operation=1e-11, s_per_element=2e-10, s_per_launch=3e-4)
"""A device of round numbers, about two cores of a server: what work weighs where no device was measured yet."""


@dataclass(frozen=True)
class Estimate:
    """What a dream takes.

    Attributes
    ----------
    work
        By parts.
    operations
        Multiplications and additions of the network, forward and back.
    pixel_steps
        Pixels of the image, each as often as it is moved.
    peak_memory_bytes
        Of the process that dreams.
    seconds
        Once the network is loaded and its step is compiled; None where no speed is known.
    """

    work: Work
    peak_memory_bytes: float
    seconds: float | None

    def at(self, speed: Speed) -> Estimate:
        """Return the estimate with the seconds at a speed."""
        return replace(self, seconds=speed.seconds(self.work))

    @property
    def operations(self) -> float:
        """The network's share of the work."""
        return self.work.operations

    @property
    def pixel_steps(self) -> int:
        """The image's share of the work."""
        return self.work.pixel_steps


def plan(
    params: DreamParams,
    shape: Sequence[int],
    *,
    speed: Speed | None = None,
    zoom: ZoomParams | None = None,
    guides: Sequence[Sequence[int]] = (),
    memory_bytes: float = math.inf,
) -> Estimate:
    """Return what a dream or a zoom takes; the arguments are those of `dreamcore.workload.count_work`.

    Parameters
    ----------
    speed
        Of the device with the model; without it there are no seconds.

    Raises
    ------
    PictureTooSmallError
        The network takes no image so small.
    """
    work = count_work(params, shape, zoom=zoom, guides=guides, memory_bytes=memory_bytes)
    untimed = Estimate(work, peak_memory(params, shape, memory_bytes=memory_bytes), seconds=None)
    return untimed if speed is None else untimed.at(speed)


def peak_memory(params: DreamParams, shape: Sequence[int], *, memory_bytes: float = math.inf) -> float:
    """Return about how many bytes a process takes that dreams on a picture (H, W, …), in tiles beyond `memory_bytes`.

    That is what the library and the weights take, and the dearest octave's step. In tiles a step takes what the network
    does, or the move that follows once that is given back.
    """
    sizes = plan_octaves(params, shape[0], shape[1]).sizes
    weights = WEIGHT_COPIES * FLOAT_BYTES * catalog.get_model(params.model).parameters
    return STARTED_BYTES + weights + max(_step_bytes(params, size, sizes[-1], memory_bytes) for size in sizes)


def check_untiled(params: DreamParams, shape: Sequence[int], *, memory_bytes: float) -> None:
    """Refuse a dream that may not be tiled and surely takes more than it is given; lack of memory may kill a process.

    Networks that Keras runs are let in: what they take was not measured.

    Raises
    ------
    OutOfMemoryError
        With what it would take.
    """
    if params.tiling != "off" or catalog.get_model(params.model).graph is None:
        return
    needed = peak_memory(params, shape)
    if needed > OFF_BY * memory_bytes:
        raise OutOfMemoryError(
            f"A picture of {shape[1]}x{shape[0]} px takes about {needed / 1e9:.1f} GB with tiling 'off', and may take "
            f"{memory_bytes / 1e9:.1f} GB. Give it more memory, make it smaller, or give tiling 'auto'."
        )


def _step_bytes(params: DreamParams, size: Size, largest: Size, memory_bytes: float) -> float:
    model = catalog.get_model(params.model)
    crops = crops_of_step(params, size, largest=largest, memory_bytes=memory_bytes)
    of_crop = LIVING_SHARE * max(
        image_bytes(model, params.aimed_layers, crop, precision=params.precision) for crop, _ in crops
    )
    if not move_fits(largest, memory_bytes=memory_bytes):
        return of_crop + BANDED_COPIES * COLOURS * FLOAT_BYTES * math.prod(largest)
    image = COLOURS * FLOAT_BYTES * math.prod(size)
    if crops == ((size, 1),):
        return of_crop
    return max(of_crop + BANDED_COPIES * image, WHOLE_COPIES * image)

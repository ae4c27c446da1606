"""The dream: octave by octave, step by step.

References
----------
.. [1] Mordvintsev, Olah, Tyka, "Inceptionism: Going Deeper into Neural Networks", 2015.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamcore.course import Course
from dreamcore.models import load_model
from dreamcore.shortage import shortage_named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dreamcore.checkpoint import Checkpoint
    from dreamcore.given import Mask, Pixels
    from dreamcore.models import Model
    from dreamcore.params import DreamParams
    from dreamcore.results import DreamResult, Progress


def dream(
    image: NDArray[np.uint8] | NDArray[np.uint16],
    params: DreamParams,
    *,
    guide: Pixels | Sequence[Pixels] | None = None,
    mask: Mask | Sequence[Mask] | None = None,
    model: Model | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_octave: Callable[[Checkpoint, NDArray[np.uint8]], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    resume: Checkpoint | None = None,
    memory_gb: float | None = None,
    steps_per_call: int | None = None,
) -> DreamResult:
    """Dream on an image: gradient ascent on what a network answers to it, from small scales to large.

    The same arguments give the same bytes on the same kind of device, whether or not the dream was interrupted.
    Tiles round otherwise than the whole image: where `tiling` is "auto", what decides is the memory there is.

    Parameters
    ----------
    image : (H, W, 3) uint8 or uint16, RGB
    params
        What to dream.
    guide : (H, W, 3) uint8 or uint16, RGB, any size; one or several
        For objectives "guide-dot" and "guide-match" alone: what the dream is to resemble.
    mask : (H, W) uint8, the image's size; one or several
        Those that terms name say where these count; one that none names confines the dream to its white, fading over
        `params.feather` px, and where it is black the image stays as it was, to the bit.
    model
        From `load_model`; by default the one that `params` name, with ImageNet weights.
    on_progress
        Called after every step.
    on_octave
        Called after every octave, with where the dream is and with the image at the octave's size.
    should_stop
        Asked before every step; on an accelerator several times a second.
    resume
        Where an interrupted dream of the same arguments got to.
    memory_gb
        What the dream may take; by default what the machine or its container has. What doesn't fit is tiled, if
        `params` allow it.
    steps_per_call
        How many steps, 1 to 128, are compiled into one call: the device goes from one to the next without the host, and
        progress comes in bursts. By default as many as take about 0.15 s on an accelerator, one on a processor.

    Raises
    ------
    Stopped
        `should_stop` said so; it carries the checkpoint to go on from.
    PictureTooSmallError
        The network takes no image so small.
    CheckpointError
        `resume` belongs to another dream.
    GuideError, MaskError
        Guides or masks don't go with the parameters, or a mask not with the image.
    GradientError
        There is no direction to dream in.
    OutOfMemoryError
        The picture doesn't fit the memory, even by tiles.
    WeightsError
        The model's weights can't be had.
    """
    memory = None if memory_gb is None else memory_gb * 1e9
    with shortage_named(image.shape):
        course = Course(
            image,
            params,
            guide=guide,
            mask=mask,
            model=model or load_model(params.model),
            memory_bytes=memory,
            steps_per_call=steps_per_call,
        )
        state = course.start(resume)
        for octave in course.octaves_left(state):
            course.enter(state, octave)
            for progress in course.ascend(state, should_stop or _never):
                if on_progress:
                    on_progress(progress)
            course.leave(state)
            if on_octave:
                on_octave(course.checkpoint(state), course.pixels(state))
        return course.result(state)


def _never() -> bool:
    return False

"""A zoom: each frame is the one before, moved and dreamt on.

References
----------
.. [1] Mordvintsev, Olah, Tyka, "Inceptionism: Going Deeper into Neural Networks", 2015: the zoom of its notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dreamcore.engine import dream
from dreamcore.models import load_model
from dreamcore.zoom_path import calmed, moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dreamcore.models import Model
    from dreamcore.params import DreamParams
    from dreamcore.results import DreamResult, Progress
    from dreamcore.zoom_path import ZoomParams


@dataclass(frozen=True)
class ZoomProgress:
    """One step done; frames count from 1, `fraction` is of all frames."""

    frame: int
    frames: int
    step: Progress

    @property
    def fraction(self) -> float:
        """Share of the zoom that is done, its frames counted alike."""
        return (self.frame - 1 + self.step.fraction) / self.frames


def zoom(
    image: NDArray[np.uint8],
    params: DreamParams,
    path: ZoomParams,
    *,
    done: int = 0,
    last: NDArray[np.uint8] | None = None,
    guide: NDArray[np.uint8] | Sequence[NDArray[np.uint8]] | None = None,
    mask: NDArray[np.uint8] | Sequence[NDArray[np.uint8]] | None = None,
    model: Model | None = None,
    on_progress: Callable[[ZoomProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    memory_gb: float | None = None,
) -> Iterator[DreamResult]:
    """Yield a zoom's frames in their order: dream, move, dream on.

    A zoom that goes on from its last frame yields the same frames as one that was never interrupted.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
    params
        What to dream; the first frame all of it.
    path
        How many frames, and the way from one to the next.
    done
        Frames that there are already.
    last : (H, W, 3) uint8, RGB
        The last of these.
    guide, mask, model, should_stop, memory_gb
        As for `dream`; each frame is tiled where it doesn't fit the memory.
    on_progress
        Called after every step.

    Raises
    ------
    Stopped
        `should_stop` said so; go on from the last frame that came.
    DreamError
        As `dream` raises it.
    """
    model = model or load_model(params.model)
    render = partial(dream, guide=guide, mask=mask, model=model, should_stop=should_stop, memory_gb=memory_gb)
    for frame in range(done + 1, path.frames + 1):
        start = image if last is None else calmed(moved(last, path), image)
        report = _reporter(frame, path.frames, on_progress)
        result = render(start, path.params_of(frame, params), on_progress=report)
        yield result
        last = result.image  # type: ignore[assignment]  # of the picture's depth, 8 bits


def _reporter(
    frame: int, frames: int, on_progress: Callable[[ZoomProgress], None] | None
) -> Callable[[Progress], None] | None:
    if on_progress is None:
        return None
    return lambda step: on_progress(ZoomProgress(frame, frames, step))

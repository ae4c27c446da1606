"""Measures how fast this device dreams with a model, once, to tell how long dreams take."""

from __future__ import annotations

import math
import time
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from dreamcore.backend import describe_backend, describe_device
from dreamcore.engine import dream
from dreamcore.memory import machine_bytes
from dreamcore.models import load_model
from dreamcore.packs import dream_pack
from dreamcore.params import DreamParams
from dreamcore.planner import plan
from dreamcore.speeds import Measurement, SpeedCache, SpeedKey, fitted
from dreamcore.workload import count_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dreamcore.models import Model
    from dreamcore.params import Precision
    from dreamcore.planner import Estimate, Speed
    from dreamcore.zoom_path import ZoomParams

SIDES_PX = (128, 512)
STEPS = 3
REPEATS = 3
ENOUGH_S = 0.6
"""A run that takes longer is not repeated more than once: it is long enough to tell."""


def estimate(
    params: DreamParams,
    shape: Sequence[int],
    *,
    zoom: ZoomParams | None = None,
    guides: Sequence[Sequence[int]] = (),
    memory_gb: float | None = None,
    model: Model | None = None,
    cache: SpeedCache | None = None,
) -> Estimate:
    """Return what a dream takes on this device: operations, seconds, memory.

    The first estimate for a model measures its speed, in a few seconds, and keeps it in the user's cache folder.

    Parameters
    ----------
    params
        What to dream.
    shape : (H, W, …)
        Of the picture, px.
    zoom
        How each frame is made of the one before, for a film: the estimate is of all its frames.
    guides : (H, W, …) each
        The guide pictures' shapes, px.
    memory_gb
        What the dream may take; by default what the machine or its container has.
    model
        As for `dream`.
    cache
        Where speeds are kept; by default in the user's cache folder.

    Raises
    ------
    PictureTooSmallError
        The network takes no image so small.
    WeightsError
        The model's weights can't be had.
    """
    untimed = plan(params, shape, zoom=zoom, guides=guides, memory_bytes=_memory(memory_gb))
    speed = known_speed(params.model, params.precision, model=model, cache=cache or SpeedCache())
    return untimed.at(speed)


def _memory(given_gb: float | None) -> float:
    """Return the memory that a dream is tiled for; an accelerator's is known only once it runs out."""
    if given_gb is not None:
        return given_gb * 1e9
    return machine_bytes() if describe_device().startswith("CPU") else math.inf


def known_speed(name: str, precision: Precision, *, model: Model | None, cache: SpeedCache) -> Speed:
    """Return a model's speed on this device, from the cache or measured now and kept there."""
    key = SpeedKey(describe_device(), describe_backend(), name, precision)
    speed = cache.get(key)
    if speed is None:
        speed = fitted(list(measured(model or load_model(name), precision)))
        cache.put(key, speed)
    return speed


def measured(model: Model, precision: Precision = "float32") -> Iterator[Measurement]:
    """Dream small pictures with a model's shallowest layer and with its default ones; yield what each took."""
    for params in (_shallow(model, precision), _deep(model, precision)):
        for side in SIDES_PX:
            yield _timed(model, params, max(side, model.spec.least_side(params.aimed_layers)))


def _shallow(model: Model, precision: Precision) -> DreamParams:
    return _params(model, precision, {model.spec.layers[0].name: 1.0})


def _deep(model: Model, precision: Precision) -> DreamParams:
    return _params(model, precision, dict(model.spec.default_layers))


def _params(model: Model, precision: Precision, layers: dict[str, float]) -> DreamParams:
    return DreamParams(
        model=model.name, layers=layers, precision=precision, octaves=1, steps=STEPS, tiling="off", max_loss=None
    )


def _timed(model: Model, params: DreamParams, side: int) -> Measurement:
    """Return what a dream on noise takes once its step is compiled: the median of a few times."""
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    dream(picture, params.model_copy(update={"steps": 1}), model=model)
    took: list[float] = []
    while len(took) < REPEATS and (len(took) <= 1 or min(took) < ENOUGH_S):
        start = time.perf_counter()
        dream(picture, params, model=model)
        took.append(time.perf_counter() - start)
    return Measurement(count_work(params, picture.shape), median(took))


def pack_gain(model: Model, *, pictures: int = 4, side_px: int = 256) -> float:
    """Return how many times the pictures per second a pack makes of what its pictures make one by one.

    Parameters
    ----------
    model
        From `load_model`.
    pictures
        In the pack.
    side_px
        Of each picture, px.
    """
    params = DreamParams.model_validate({"model": model.name, "octaves": 1, "steps": STEPS})
    images = list(np.random.default_rng(0).integers(0, 256, (pictures, side_px, side_px, 3), dtype=np.uint8))
    ways = (
        lambda: [dream(image, params, model=model) for image in images],
        lambda: dream_pack(images, [params] * pictures, model=model),
    )
    one_by_one, together = (min(_seconds(way) for _ in range(1 + REPEATS)) for way in ways)
    return one_by_one / together


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started

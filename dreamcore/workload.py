"""How much work a dream is, counted before it is dreamt. Imports no TensorFlow."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from dreamcore import catalog
from dreamcore.capacity import activation_elements, node_count, step_operations
from dreamcore.memory import planned_core_px
from dreamcore.octaves import plan_octaves
from dreamcore.profiles import PROFILES
from dreamcore.tiles import exact_tiles, plain_tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.octaves import Size
    from dreamcore.params import DreamParams
    from dreamcore.zoom_path import ZoomParams

    Crops = tuple[tuple[Size, int], ...]

# Measured on a processor, one image-wide pass being the unit; speeds that are fitted on a device scale them.
ACTIVATION_PASSES = 3
"""How often an activation is gone over, forward and back, besides being computed."""
MOVE_PASSES = 95
"""How often a step goes over the image outside the network: shifting, unwrapping, moving, clipping."""
OPTIONAL_PASSES = {"local": 65, "smoothing": 35, "growth": 45, "pyramid": 110, "penalty": 50, "memory": 15}
RESIZE_PASSES = {"bicubic": 45, "bilinear": 20, "corner-aligned": 30}
"""Of the larger of the two images."""
EDGE_PASSES = 20
"""How often the photo is gone over before the first step and after the last."""
MOVE_LAUNCHES = 15
OCTAVE_LAUNCHES = 15
COLOURS = 3


@dataclass(frozen=True)
class Work:
    """What a dream amounts to; each number is the sum over its steps.

    Attributes
    ----------
    operations
        Multiplications and additions of the network, forward and back.
    elements
        Numbers gone over: activations, and the image's colours, each as often as a step touches them.
    launches
        Operations of any size that are started: nodes of the network, and what a step does besides.
    pixel_steps
        Pixels of the image, each as often as it is moved.
    """

    operations: float = 0.0
    elements: float = 0.0
    launches: int = 0
    pixel_steps: int = 0

    def __add__(self, other: Work) -> Work:
        """Return the two together."""
        return Work(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def times(self, count: int) -> Self:
        """Return the same work done so often."""
        return type(self)(*(getattr(self, field.name) * count for field in fields(self)))


def count_work(
    params: DreamParams,
    shape: Sequence[int],
    *,
    zoom: ZoomParams | None = None,
    guides: Sequence[Sequence[int]] = (),
    memory_bytes: float = math.inf,
) -> Work:
    """Count the work of a dream, or of a zoom's frames all together.

    Every step counts; one that `max_loss` leaves out is known only when it comes.

    Parameters
    ----------
    params
        What to dream.
    shape : (H, W, …)
        Of the picture, px.
    zoom
        How each frame is made of the one before, for a film.
    guides : (H, W, …) each
        The guide pictures' shapes, px.
    memory_bytes
        What a step may take; it is tiled beyond.

    Raises
    ------
    PictureTooSmallError
        The network takes no image so small.
    """
    own = _dream_work(params, shape, guides, memory_bytes)
    if zoom is None or zoom.frames == 1:
        return own
    later = _dream_work(zoom.params_of(2, params), shape, guides, memory_bytes)
    return own + later.times(zoom.frames - 1)


def pixel_steps(params: DreamParams, shape: Sequence[int], *, zoom: ZoomParams | None = None) -> int:
    """Return how many pixels are moved in all: of each octave, its size times its steps; of a zoom, of all frames.

    Takes what `count_work` takes, and counts nothing else: quick enough for every request.
    """
    own = _moved_pixels(params, shape)
    if zoom is None or zoom.frames == 1:
        return own
    return own + (zoom.frames - 1) * _moved_pixels(zoom.params_of(2, params), shape)


def _moved_pixels(params: DreamParams, shape: Sequence[int]) -> int:
    return params.steps * sum(map(math.prod, plan_octaves(params, shape[0], shape[1]).sizes))


def _dream_work(
    params: DreamParams, shape: Sequence[int], guides: Sequence[Sequence[int]], memory_bytes: float
) -> Work:
    sizes, photo = plan_octaves(params, shape[0], shape[1]).sizes, (shape[0], shape[1])
    resized = RESIZE_PASSES[PROFILES[params.profile].kernel] * _resized_pixels(params, sizes, photo)
    edges = EDGE_PASSES * math.prod(photo)
    total = Work(elements=COLOURS * (resized + edges), launches=OCTAVE_LAUNCHES * len(sizes))
    for size in sizes:
        crops = crops_of_step(params, size, largest=sizes[-1], memory_bytes=memory_bytes)
        total += _step_work(params, size, guides, crops).times(params.steps)
    return total


def _resized_pixels(params: DreamParams, sizes: Sequence[Size], photo: Size) -> int:
    """Return the pixels of all changes of size, of the larger of the two images each."""
    profile, areas = PROFILES[params.profile], [math.prod(size) for size in sizes]
    from_photo = 0 if sizes[-1] == photo else math.prod(photo)

    def base(index: int) -> int:
        """Return the cost of the undreamt photo at an octave's size: made from the next larger one, or at once."""
        if profile.octave_rule.endswith("in-turn"):
            return from_photo + sum(areas[index + 1 :])
        return 0 if sizes[index] == photo else max(areas[index], math.prod(photo))

    bases = [base(index) for index in range(len(sizes))]
    started = params.start == "photo"
    total = bases[0] * started + sum(areas[1:]) + from_photo
    if started and profile.detail != "never":
        total += sum(bases[1:]) + sum(bases[:-1])
    return total + (sum(bases) if params.keep_colors else 0)


def _step_work(params: DreamParams, size: Size, guides: Sequence[Sequence[int]], crops: Crops) -> Work:
    layers, pixels = params.aimed_layers, math.prod(size)
    activations = sum(count * _elements(params.model, layers, crop) for crop, count in crops)
    return Work(
        operations=sum(count * _operations(params.model, layers, crop) for crop, count in crops)
        + _match_operations(params, size, guides),
        elements=ACTIVATION_PASSES * activations + COLOURS * _move_passes(params) * pixels,
        launches=MOVE_LAUNCHES + _nodes(params.model, layers) * sum(count for _, count in crops),
        pixel_steps=pixels,
    )


def crops_of_step(params: DreamParams, size: Size, *, largest: Size, memory_bytes: float) -> Crops:
    """Return the sizes that the network meets in a step on an image of a size; `largest` is the last octave's."""
    model, layers = catalog.get_model(params.model), params.aimed_layers
    core_px = planned_core_px(
        model,
        layers,
        size,
        largest=largest,
        tiling=params.tiling,
        precision=params.precision,
        memory_bytes=memory_bytes,
    )
    if core_px is None:
        return ((size, 1),)
    return _tiled(params.model, layers, size, core_px, border=_border(params))


def _border(params: DreamParams) -> int | None:
    """Return the cells that exact tiles leave out at the ends; None for tiles without halo."""
    return None if params.tiling == "rolled" else PROFILES[params.profile].border


@lru_cache(maxsize=1024)
def _tiled(model: str, layers: tuple[str, ...], size: Size, core_px: int, *, border: int | None) -> Crops:
    spec = catalog.get_model(model)
    if border is None:
        tiles = plain_tiles(spec, layers, size, core_px=core_px)
    else:
        tiles = exact_tiles(spec, layers, size, core_px=core_px, border=border)
    crops = ((tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start) for tile in tiles)
    return tuple(Counter(crops).items())


@lru_cache(maxsize=4096)
def _operations(model: str, layers: tuple[str, ...], size: Size) -> float:
    return step_operations(catalog.get_model(model), layers, size)


@lru_cache(maxsize=4096)
def _elements(model: str, layers: tuple[str, ...], size: Size) -> int:
    return activation_elements(catalog.get_model(model), layers, size)


@lru_cache(maxsize=256)
def _nodes(model: str, layers: tuple[str, ...]) -> int:
    return node_count(catalog.get_model(model), layers)


def _match_operations(params: DreamParams, size: Size, guides: Sequence[Sequence[int]]) -> float:
    """Return the operations of comparing each cell with each cell of the guides it follows."""
    model = catalog.get_model(params.model)
    total = 0.0
    for aim in params.aims:
        if aim.kind == "guide-match":
            rows, columns, channels = model.layer(aim.layer).shape(*size)
            followed = guides if aim.guide is None else guides[aim.guide : aim.guide + 1]
            others = sum(math.prod(model.layer(aim.layer).shape(guide[0], guide[1])[:2]) for guide in followed)
            total += 2.0 * rows * columns * channels * others
    return total


def _move_passes(params: DreamParams) -> int:
    extra = OPTIONAL_PASSES
    asked = {
        "local": params.normalise == "local",
        "smoothing": bool(params.smoothing) and not params.smoothing_growth,
        "growth": bool(params.smoothing_growth),
        "pyramid": bool(params.laplacian),
        "penalty": bool(params.total_variation or params.l2_penalty),
        "memory": params.optimiser != "ascent",
    }
    return MOVE_PASSES + sum(extra[name] for name, there in asked.items() if there)

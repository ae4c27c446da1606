"""A dream's course: its state, and the moves from one state to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dreamcore.ascent import Move, StepRules
from dreamcore.backend import describe_backend, describe_device, ops
from dreamcore.checkpoint import Checkpoint, fingerprint
from dreamcore.confinement import Confinement
from dreamcore.errors import CheckpointError, GradientError
from dreamcore.fitting import Fitting
from dreamcore.given import HALF_RANGES, check_given, several, to_range
from dreamcore.masks import feathered
from dreamcore.memory import MASK_PX_BYTES
from dreamcore.noise import random_origin, random_shift
from dreamcore.octaves import plan_octaves
from dreamcore.pictures import to_8_bit
from dreamcore.planner import check_untiled
from dreamcore.profiles import PROFILES
from dreamcore.pyramid import BAND_PX, Pyramid
from dreamcore.results import DreamResult, Progress, Stopped
from dreamcore.runs import Calls
from dreamcore.term_inputs import TermInputs, term_rules, term_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from dreamcore.given import Mask, Pixels
    from dreamcore.models import Model
    from dreamcore.params import DreamParams
    from dreamcore.profiles import Profile

Tensor = Any


@dataclass
class State:
    """Where a dream is.

    `image` is a (1, H, W, 3) float32 tensor, None before the first octave. `memory`, what the optimiser remembers,
    holds tensors of its shape; each octave begins with zeros, as directions at another size tell little.
    """

    octave: int = 0
    step: int = 0
    finished: bool = True
    image: Tensor = None
    memory: list[Tensor] = field(default_factory=list)
    losses: list[list[float]] = field(default_factory=list)


class Course:
    """What stays the same throughout a dream, and what each part of it does to the state."""

    def __init__(
        self,
        image: Pixels,
        params: DreamParams,
        *,
        guide: Pixels | Sequence[Pixels] | None,
        mask: Mask | Sequence[Mask] | None = None,
        model: Model,
        memory_bytes: float | None = None,
        confined: bool = False,
        steps_per_call: int | None = None,
    ) -> None:
        """Prepare a dream; with `confined` its step takes a mask even where there is none."""
        guides, masks = several(guide), several(mask)
        check_given(image, params, guides, masks, model=model)
        model.check_classes(params.aimed_layers)
        if memory_bytes is not None:
            check_untiled(params, image.shape, memory_bytes=memory_bytes)
        self.params = params
        self.model = model
        self.profile = PROFILES[params.profile]
        self.plan = plan_octaves(params, *image.shape[:2])
        self.fingerprint = fingerprint(params, image, guides, masks, weights_sha256=model.weights_sha256)
        self._pyramid = Pyramid(image, params, self.profile, self.plan.sizes)
        soft = [feathered(each, feather_px=params.feather) for each in masks]
        confining = params.confining_mask(len(masks))
        own = np.ones(image.shape[:2], np.float32) if confining is None else soft[confining]
        self._confinement = (
            Confinement(own, image, blended=self._pyramid.detail == "never")
            if confined or confining is not None
            else None
        )
        self._term_weights = term_weights(params.aims)
        self.rules = _rules(params, self.profile, confined=self._confinement is not None)
        self.compiled_step = model.step(self.rules)
        self.calls = Calls(model, self.rules, asked=steps_per_call)
        self._fitting = Fitting(
            model,
            self.rules,
            params.tiling,
            largest=self.plan.sizes[-1],
            memory_bytes=memory_bytes,
            beside_bytes=MASK_PX_BYTES * sum(each.size for each in soft),
        )
        self._terms = TermInputs(
            model,
            params.aims,
            divisor=self.profile.divisor,
            border=self.profile.border,
            photo=self._pyramid.original,
            guides=[to_range(each) for each in guides],
            masks=[each[None, :, :, None] for each in soft],
            resized=self._pyramid.resize,
            core_px=self._fitting.tile_px,
        )

    def start(self, resume: Checkpoint | None) -> State:
        """Return the state before everything, or that of a checkpoint.

        Raises
        ------
        CheckpointError
            The checkpoint belongs to another dream.
        """
        if resume is None:
            return State()
        resume.check(self.fingerprint)
        if resume.image.shape[:2] not in self.plan.sizes[resume.octave - 1 : resume.octave]:
            raise CheckpointError("The checkpoint's image has not its octave's size. Start from the beginning.")
        wide = self._fitting.in_bands(self.plan.sizes[resume.octave - 1])
        own = np.array if wide else ops.convert_to_tensor
        image, *memory = (own(array[None]) for array in (resume.image, *resume.memory))
        losses = [list(octave) for octave in resume.losses]
        return State(resume.octave, resume.step, resume.finished, image, memory, losses)

    def octaves_left(self, state: State) -> range:
        """Return the octaves to dream, counted from 1, the one that the state lies within included."""
        return range(state.octave + 1 if state.finished else state.octave, len(self.plan.sizes) + 1)

    def enter(self, state: State, octave: int) -> None:
        """Bring the image to an octave's size; a state within that octave stays as it is."""
        if state.octave == octave:
            return
        wide = self._fitting.in_bands(self.plan.sizes[octave - 1])
        if octave == 1:
            state.image = self._pyramid.first(wide=wide)
        else:
            state.image = self._pyramid.enlarged(state.image, octave, wide=wide)
        zeros = np.zeros_like if wide else ops.zeros_like
        state.memory = [zeros(state.image) for _ in range(self.rules.kept)]
        state.octave, state.step, state.finished = octave, 0, False
        state.losses.append([])

    def ascend(self, state: State, should_stop: Callable[[], bool]) -> Iterator[Progress]:
        """Take the octave's steps; yield after each.

        Raises
        ------
        Stopped
            `should_stop` said so before a call's steps.
        GradientError
            There is no direction to go.
        OutOfMemoryError
            Not even the smallest tiles fit.
        """
        inputs = self.octave_inputs(state)
        while not self.is_done(state):
            if should_stop():
                raise Stopped(self.checkpoint(state))
            for loss, slope in self._advanced(state, inputs):
                yield self.record(state, loss=loss, slope=slope)

    def _advanced(self, state: State, octave_inputs: list[Tensor]) -> list[tuple[float, float]]:
        """Take a step, or as many as a compiled call takes; return their losses and slopes."""
        size = self.plan.sizes[state.octave - 1]
        if self.calls and self._fitting.tile_px(size) is None:
            try:
                taken = self.calls.take([(self, state)], state.image, state.memory, *octave_inputs)
            except Exception as error:  # noqa: BLE001  # what is not lack of memory is raised again
                self._fitting.shrink(size, error)
                self._widen(state)
            else:
                state.image, state.memory = taken.images, taken.memory
                return list(zip(taken.losses[:, 0].tolist(), taken.slopes[:, 0].tolist(), strict=True))
        return [self._stepped(state, octave_inputs)]

    def _stepped(self, state: State, octave_inputs: list[Tensor]) -> tuple[float, float]:
        """Take the next step, in tiles as small as memory asks for; return its loss and slope.

        These are read before the step counts as taken: JAX says only then that memory ran out.
        """
        size = self.plan.sizes[state.octave - 1]
        origin = random_origin(self.params.seed, state.octave, state.step, size=size)
        inputs = self.step_inputs(state)
        while True:
            try:
                image, losses, slopes, *memory = self._fitting.step(size, origin)(
                    state.image, *inputs, *state.memory, *octave_inputs
                )
                loss, slope = float(losses[0]), float(slopes[0])
            except Exception as error:  # noqa: BLE001  # what is not lack of memory is raised again
                self._fitting.shrink(size, error)
                self._widen(state)
            else:
                state.image, state.memory = image, memory
                return loss, slope

    def _widen(self, state: State) -> None:
        """Make the image an array that can move in bands, where memory came to ask for it."""
        if self._fitting.in_bands(self.plan.sizes[state.octave - 1]) and not isinstance(state.image, np.ndarray):
            state.image, *state.memory = (np.array(each) for each in (state.image, *state.memory))

    def is_done(self, state: State) -> bool:
        """Return whether the octave's steps are all taken, or its loss is above the limit."""
        return state.step >= self.params.steps or self._is_over(state)

    def step_inputs(self, state: State) -> tuple[NDArray[np.float32], ...]:
        """Return what the next step takes besides image, memory and terms' inputs; each has an axis of images."""
        jitter, end = self.params.jitter, self.profile.jitter_end
        shift = random_shift(self.params.seed, state.octave, state.step, jitter=jitter, end=end)
        return shift[None], self._move(state), self._term_weights

    def octave_inputs(self, state: State) -> list[Tensor]:
        """Return what the steps take at the octave's size throughout: the terms' inputs, and the mask if any."""
        size = self.plan.sizes[state.octave - 1]
        own = np.asarray if self._fitting.in_bands(size) else ops.convert_to_tensor
        masks = [own(self._confinement.at(size))] if self._confinement else []
        return [*self._terms.at(size), *masks]

    def record(self, state: State, *, loss: float, slope: float) -> Progress:
        """Count the step that was taken.

        Raises
        ------
        GradientError
            The step had no direction to go.
        """
        _check_slope(slope, state, self.rules.layers)
        state.step += 1
        state.losses[-1].append(loss)
        return self._progress(state)

    def leave(self, state: State) -> None:
        """Finish the octave, putting back the detail that its size had lost where the profile does so afterwards."""
        wide = self._fitting.in_bands(self.plan.sizes[state.octave - 1])
        state.image = self._pyramid.finished(state.image, state.octave, wide=wide)
        state.memory = []
        state.finished = True

    def checkpoint(self, state: State) -> Checkpoint:
        """Return the state for another process to go on from."""
        return Checkpoint(
            octave=state.octave,
            step=state.step,
            finished=state.finished,
            image=np.asarray(state.image)[0],
            losses=tuple(map(tuple, state.losses)),
            fingerprint=self.fingerprint,
            memory=tuple(np.asarray(kept)[0] for kept in state.memory),
        )

    def pixels(self, state: State) -> NDArray[np.uint8]:
        """Return the image as (H, W, 3) uint8, to look at; the finished one has the picture's size."""
        return cast("NDArray[np.uint8]", self._levels(state, np.dtype(np.uint8)))

    def _levels(self, state: State, depth: np.dtype[Any]) -> Pixels:
        """Return the image in a depth; the finished one has the picture's size, whatever its octave's was."""
        half_range = HALF_RANGES[depth]
        last = state.finished and state.octave == len(self.plan.sizes)
        image = self._pyramid.at_full_size(state.image) if last else state.image
        confinement = self._confinement if last else None
        image = np.asarray(confinement.finished(image) if confinement else image)[0]
        pixels: Pixels = np.empty(image.shape, depth)
        for start in range(0, len(image), BAND_PX):
            levels = (image[start : start + BAND_PX] + np.float32(1)) * np.float32(half_range)
            whole = np.rint(levels) if self.profile.rounded else levels
            pixels[start : start + BAND_PX] = np.clip(whole, 0, 2 * half_range).astype(depth)
        return confinement.restored(pixels, self._in_depth(depth)) if confinement else pixels

    def _in_depth(self, depth: np.dtype[Any]) -> Pixels:
        picture = self._pyramid.picture
        return picture if depth == picture.dtype else to_8_bit(picture)

    def result(self, state: State) -> DreamResult:
        """Return the finished dream."""
        return DreamResult(
            image=self._levels(state, self._pyramid.picture.dtype),
            losses=tuple(map(tuple, state.losses)),
            notices=(*self.plan.notices, *self._terms.notices, *self._fitting.notices),
            params=self.params,
            weights_sha256=self.model.weights_sha256,
            backend=describe_backend(),
            device=describe_device(),
        )

    def _move(self, state: State) -> NDArray[np.float32]:
        """Return the next step's (1, 6) numbers."""
        params, count = self.params, state.step + 1
        move = Move(
            step_size=params.step_size,
            momentum=params.momentum,
            count=count,
            sigma_px=params.smoothing + params.smoothing_growth * count / params.steps,
            total_variation=params.total_variation,
            l2_penalty=params.l2_penalty,
        )
        return np.array([move], np.float32)

    def _is_over(self, state: State) -> bool:
        limit, losses = self.params.max_loss, state.losses[-1]
        return limit is not None and bool(losses) and losses[-1] > limit

    def _progress(self, state: State) -> Progress:
        return Progress(
            octave=state.octave,
            octaves=len(self.plan.sizes),
            step=state.step,
            steps=self.params.steps,
            loss=state.losses[-1][-1],
            fraction=self._fraction(state),
        )

    def _fraction(self, state: State) -> float:
        """Return the part of the work that is done, a step's work being its number of pixels."""
        areas = [height * width for height, width in self.plan.sizes]
        steps = self.params.steps
        part = 1.0 if self._is_over(state) else state.step / steps
        return (sum(areas[: state.octave - 1]) + areas[state.octave - 1] * part) / sum(areas)


def _rules(params: DreamParams, profile: Profile, *, confined: bool) -> StepRules:
    return StepRules(
        terms=term_rules(params.aims),
        wrapped=profile.wrapped,
        smoothing_px=params.smoothing,
        smoothing_growth_px=params.smoothing_growth,
        laplacian=params.laplacian,
        normalise=params.normalise,
        optimiser=params.optimiser,
        penalised=bool(params.total_variation or params.l2_penalty),
        keep_colors=params.keep_colors,
        clip=profile.clip,
        border=profile.border,
        divisor=profile.divisor,
        precision=params.precision,
        confined=confined,
    )


def _check_slope(slope: float, state: State, layers: tuple[str, ...]) -> None:
    if slope > 0 and math.isfinite(slope):
        return
    fault = "zero everywhere" if slope == 0 else "not finite"
    raise GradientError(
        f"The gradient is {fault} in octave {state.octave}, step {state.step + 1}: {', '.join(layers)} give no "
        "direction to dream in. Choose other layers, channels or weights, or a smaller step size."
    )

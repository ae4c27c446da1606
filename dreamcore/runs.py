"""Several steps in one compiled call, so that an accelerator never waits for the host."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dreamcore.ascent import compile_step
from dreamcore.backend import compiled, describe_device, ops
from dreamcore.errors import DreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dreamcore.ascent import StepRules
    from dreamcore.catalog import ModelSpec
    from dreamcore.course import Course, State
    from dreamcore.features import Arrays
    from dreamcore.models import Model

Tensor = Any
Shape = tuple[int | None, ...]

MOST_STEPS = 128
CALL_S = 0.15
"""How long a call may take: stopping and progress wait for its end."""


class Taken(NamedTuple):
    """What k steps made of N images.

    Attributes
    ----------
    images : (N, H, W, 3) float32
    memory
        What the optimiser remembers now; tensors like the images.
    losses, slopes : (k, N) float32
        Before each step, and of its gradient.
    """

    images: Tensor
    memory: list[Tensor]
    losses: NDArray[np.float32]
    slopes: NDArray[np.float32]


class Run:
    """The compiled repetition of a step, and how long it takes here.

    The clock decides how many steps a call takes, never what a step makes: one function is compiled for any number.
    """

    def __init__(self, model: ModelSpec, weights: Arrays, rules: StepRules) -> None:
        self._kept = rules.kept
        self._compiled = compile_step(model, weights, rules, make=partial(compiled_run, kept=rules.kept))
        self._pixel_s = float("inf")

    def fitting_steps(self, pixels: int) -> int:
        """Return how many steps on so many pixels fit a call; 1 where it isn't known yet."""
        return int(np.clip(CALL_S / (self._pixel_s * pixels), 1, MOST_STEPS))

    def __call__(
        self,
        images: Tensor,
        shifts: NDArray[np.float32],
        moves: NDArray[np.float32],
        limits: NDArray[np.float32],
        *more: Tensor,
    ) -> Taken:
        """Take `len(shifts)` steps, or fewer where a loss goes above its image's limit: the step that shows it is last.

        Parameters
        ----------
        images : (N, H, W, 3) float32
        shifts, moves : (k, N, 2) and (k, N, 6) float32, k at most `MOST_STEPS`
            As `dreamcore.ascent.compile_step` takes them, for each step.
        limits : (N,) float32
        more
            What else a step takes, the same in all of them.
        """
        started = time.perf_counter()
        count = np.float32(len(shifts))
        made = self._compiled(images, _filled(shifts), _filled(moves), count, limits, *more)
        there, losses, slopes, taken, *memory = made
        steps = int(taken)
        pixel_s = (time.perf_counter() - started) / (steps * np.prod(there.shape[:3]))
        self._pixel_s = min(self._pixel_s, float(pixel_s))
        return Taken(there, memory, np.asarray(losses)[:steps], np.asarray(slopes)[:steps])


class Calls:
    """How a dream's steps are divided into compiled calls."""

    def __init__(self, model: Model, rules: StepRules, *, asked: int | None) -> None:
        if asked is not None and not 1 <= asked <= MOST_STEPS:
            raise DreamError(
                f"steps_per_call is {asked}; 1 to {MOST_STEPS} are taken, or None for as many as suit the device."
            )
        self._asked = asked
        on_host = describe_device().startswith("CPU")
        self._run = None if asked is None and on_host else model.run(rules)

    def __bool__(self) -> bool:
        """Return whether steps are repeated within calls: on a processor, which waits for nobody, only if asked for."""
        return self._run is not None

    def take(
        self,
        lanes: Sequence[tuple[Course, State]],
        images: Tensor,
        memory: Sequence[Tensor],
        *inputs: Tensor,
    ) -> Taken:
        """Take as many steps as a call takes and the octave has left, with the lanes' pictures side by side."""
        if self._run is None:
            raise RuntimeError("Steps are taken one by one here.")
        pixels = int(np.prod(images.shape[:3]))
        left = min(course.params.steps - state.step for course, state in lanes)
        count = min(self._asked or self._run.fitting_steps(pixels), left)
        steps = [_step_inputs(lanes, ahead) for ahead in range(count)]
        shifts, moves, weights = (np.stack(values) for values in zip(*steps, strict=True))
        limits = np.array([_limit(course.params.max_loss) for course, _ in lanes], np.float32)
        return self._run(images, shifts, moves, limits, weights[0], *memory, *inputs)


def compiled_run(step: Callable[..., Any], *shapes: Shape, tf32: bool, kept: int) -> Callable[..., Any]:
    """Compile the repetition of a step.

    Parameters
    ----------
    step
        From images, shifts, moves, weights, memory and inputs to images, losses, slopes and memory, as in
        `dreamcore.ascent.compile_step`.
    shapes
        Of what it takes.
    kept
        How many tensors the optimiser remembers.

    Returns
    -------
    A function of images, shifts (MOST_STEPS, N, 2), moves (MOST_STEPS, N, 6), the number of steps, the losses' limits
    (N,), weights, memory and inputs. It returns images, losses and slopes (MOST_STEPS, N), how many steps it took, and
    memory.
    """

    def run(images: Tensor, shifts: Tensor, moves: Tensor, count: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        (limits, weights), memory, inputs = more[:2], more[2 : 2 + kept], more[2 + kept :]
        places = np.arange(MOST_STEPS, dtype=np.int32)[:, None]

        def goes_on(index: Tensor, over: Tensor, *_: Tensor) -> Tensor:
            return ops.logical_and(index < ops.cast(count, "int32"), ops.logical_not(over))

        def once(index: Tensor, _: Tensor, losses: Tensor, slopes: Tensor, images: Tensor, *memory: Tensor) -> Any:
            shift, move = (ops.take(values, index, axis=0) for values in (shifts, moves))
            images, loss, slope, *memory = step(images, shift, move, weights, *memory, *inputs)
            losses, slopes = ops.where(places == index, loss, losses), ops.where(places == index, slope, slopes)
            return index + 1, ops.any(loss > limits), losses, slopes, images, *memory

        none = ops.zeros((MOST_STEPS, ops.shape(images)[0]))
        start = (ops.zeros((), "int32"), ops.zeros((), "bool"), none, none, images, *memory)
        taken, _, losses, slopes, images, *remembered = ops.while_loop(goes_on, once, start)
        return images, losses, slopes, taken, *remembered

    image, shift, move, *rest = shapes
    repeated: list[Shape] = [image, (MOST_STEPS, *shift), (MOST_STEPS, *move), (), (None,)]
    return compiled(run, *repeated, *rest, tf32=tf32)


def _step_inputs(lanes: Sequence[tuple[Course, State]], ahead: int) -> list[NDArray[np.float32]]:
    each = [course.step_inputs(replace(state, step=state.step + ahead)) for course, state in lanes]
    return [np.concatenate(values) for values in zip(*each, strict=True)]


def _filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (k, ...) as (MOST_STEPS, ...)."""
    return np.pad(values, [(0, MOST_STEPS - len(values))] + [(0, 0)] * (values.ndim - 1))


def _limit(max_loss: float | None) -> np.float32:
    """Return the float32 that exactly the float32 losses above the limit are above."""
    if max_loss is None:
        return np.float32(np.inf)
    limit = np.float32(max_loss)
    return np.nextafter(limit, np.float32(-np.inf)) if float(limit) > max_loss else limit

"""Several dreams at once: pictures of one shape go through the network side by side, and never influence each other."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import STATIC_SHAPES, ops
from dreamcore.course import Course
from dreamcore.engine import dream
from dreamcore.models import load_model
from dreamcore.pack_keys import check_pack
from dreamcore.pack_room import pack_bytes, pictures_that_fit, shares
from dreamcore.results import DreamResult, Stopped
from dreamcore.shortage import shortage_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from dreamcore.checkpoint import Checkpoint
    from dreamcore.course import State
    from dreamcore.given import Mask, Pixels
    from dreamcore.models import Model
    from dreamcore.params import DreamParams
    from dreamcore.results import Progress

Tensor = Any
Outcome = DreamResult | Exception
Given = tuple[Any, ...]
"""A picture, its parameters, guides, masks and checkpoint, as `dream` takes them."""


def dream_pack(
    images: Sequence[Pixels],
    params: Sequence[DreamParams],
    *,
    guides: Sequence[Pixels | Sequence[Pixels] | None] | None = None,
    masks: Sequence[Mask | Sequence[Mask] | None] | None = None,
    model: Model | None = None,
    on_progress: Callable[[int, Progress], None] | None = None,
    on_octave: Callable[[int, Checkpoint, NDArray[np.uint8]], None] | None = None,
    should_stop: Callable[[int], bool] | None = None,
    resume: Sequence[Checkpoint | None] | None = None,
    steps_per_call: int | None = None,
    memory_gb: float | None = None,
) -> list[Outcome]:
    """Dream on N pictures of one shape, all of them in each step; each comes out as `dream` would return it.

    A picture that is stopped leaves before the next step, one that fails before the one after; the rest go on. Pictures
    that don't fit the memory side by side are dreamt in several packs one after the other, or one by one and in tiles
    where not even one fits; notices say so.

    Parameters
    ----------
    images : N of (H, W, 3) uint8 or uint16, RGB
    params
        One for each picture, with equal `dreamcore.pack_key`: they may differ in seed, step size, jitter, loss limit,
        weights and channels.
    guides, masks
        For each picture, as `dream` takes them.
    model
        From `load_model`; by default the one that `params` name, with ImageNet weights.
    on_progress, on_octave, should_stop
        As `dream` takes them, with the picture's index first. What one of them raises ends that picture alone.
    resume
        For each picture, where its interrupted dream got to, or None; those that lag behind go first.
    steps_per_call
        As `dream` takes it.
    memory_gb
        What the pack may take; by default what the accelerator or the machine has.

    Returns
    -------
    For each picture its result, or what ended it: `Stopped` with a checkpoint, or an error.

    Raises
    ------
    PackError
        The pictures can't share a pack; the message names what differs.
    OutOfMemoryError
        Memory ran out nevertheless.
    WeightsError
        The model's weights can't be had.
    """
    check_pack(params, [image.shape for image in images])
    hooks = _Hooks(on_progress, on_octave, should_stop)
    memory = pack_bytes() if memory_gb is None else memory_gb * 1e9
    none = [None] * len(images)
    pictures = list(zip(images, params, guides or none, masks or none, resume or none, strict=True))
    model = model or load_model(params[0].model)
    pack = _Pack(model, pictures, hooks, memory, steps_per_call)
    most = pictures_that_fit(model.spec, params[0], images[0].shape, memory_bytes=memory)
    parts = shares(len(images), most=most)
    with shortage_named(images[0].shape):
        outcomes = [outcome for part in parts for outcome in pack.dreamt(part)]
    return outcomes if len(parts) == 1 else [_noticed(outcome, len(images), parts[0]) for outcome in outcomes]


def _noticed(outcome: Outcome, count: int, part: range) -> Outcome:
    if not isinstance(outcome, DreamResult):
        return outcome
    together = f"{len(part)} at a time" if len(part) > 1 else "one by one"
    notice = f"{count} pictures don't fit the memory side by side; they were dreamt {together}."
    return replace(outcome, notices=(*outcome.notices, notice))


@dataclass(frozen=True)
class _Pack:
    """The pictures of a pack, each with its parameters, guides, masks and checkpoint."""

    model: Model
    pictures: list[Given]
    hooks: _Hooks
    memory_bytes: float
    steps_per_call: int | None

    def dreamt(self, part: range) -> list[Outcome]:
        """Return what becomes of some of the pictures, side by side."""
        return [self._alone(part[0])] if len(part) == 1 else self._together(part)

    def _alone(self, index: int) -> Outcome:
        image, params, guide, mask, checkpoint = self.pictures[index]
        try:
            return dream(
                image,
                params,
                guide=guide,
                mask=mask,
                model=self.model,
                resume=checkpoint,
                memory_gb=self.memory_bytes / 1e9,
                steps_per_call=self.steps_per_call,
                **self.hooks.of(index),
            )
        except Exception as error:  # noqa: BLE001  # it is handed back as the picture's outcome
            return error

    def _together(self, part: range) -> list[Outcome]:
        confined = any(mask is not None for _, _, _, mask, _ in self.pictures)
        start = partial(_Lane.started, model=self.model, confined=confined, steps_per_call=self.steps_per_call)
        lanes = [start(_Lane(index, self.hooks), given=self.pictures[index]) for index in part]
        while going := [lane for lane in lanes if lane.outcome is None]:
            octave = min(lane.octave for lane in going)
            _dream_octave([lane for lane in going if lane.octave == octave], slots=len(lanes))
        return [lane.outcome for lane in lanes if lane.outcome is not None]


@dataclass(frozen=True)
class _Hooks:
    on_progress: Callable[[int, Progress], None] | None
    on_octave: Callable[[int, Checkpoint, NDArray[np.uint8]], None] | None
    should_stop: Callable[[int], bool] | None

    def of(self, index: int) -> dict[str, Any]:
        """Return what `dream` takes in their place for one picture."""
        return {name: hook and partial(hook, index) for name, hook in vars(self).items()}


class _Lane:
    """One picture's dream within a pack."""

    course: Course
    state: State
    inputs: list[Tensor]

    def __init__(self, index: int, hooks: _Hooks) -> None:
        self.index = index
        self.hooks = hooks
        self.outcome: Outcome | None = None
        self.ahead = 0
        self._stopping = False

    def started(self, model: Model, given: Given, *, confined: bool, steps_per_call: int | None) -> _Lane:
        image, params, guide, mask, resume = given
        with self._alone():
            self.course = Course(
                image, params, guide=guide, mask=mask, model=model, confined=confined, steps_per_call=steps_per_call
            )
            self.state = self.course.start(resume)
            self._finish_if_done()
        return self

    @property
    def octave(self) -> int:
        """The octave to dream next, counted from 1."""
        return self.course.octaves_left(self.state)[0]

    def enter(self) -> None:
        with self._alone():
            self.course.enter(self.state, self.octave)
            self.inputs = self.course.octave_inputs(self.state)

    def goes_on(self) -> bool:
        """Return whether the octave has another step for this picture; asks whether it should stop."""
        if self.outcome is not None or self.course.is_done(self.next_state()):
            return False
        with self._alone():
            self._stopping = self.hooks.should_stop is not None and self.hooks.should_stop(self.index)
            return not self._stopping
        return False

    def next_state(self) -> State:
        """Return the state as the next step finds it, counting a step that was begun and not yet recorded."""
        return replace(self.state, step=self.state.step + self.ahead)

    def record(self, loss: float, slope: float) -> None:
        self.ahead = 0
        if self.outcome is not None:
            return
        with self._alone():
            progress = self.course.record(self.state, loss=loss, slope=slope)
            if self.hooks.on_progress:
                self.hooks.on_progress(self.index, progress)

    def leave(self) -> None:
        if self.outcome is not None:
            return
        with self._alone():
            if self._stopping:
                raise Stopped(self.course.checkpoint(self.state))
            self.course.leave(self.state)
            if self.hooks.on_octave:
                self.hooks.on_octave(self.index, self.course.checkpoint(self.state), self.course.pixels(self.state))
            self._finish_if_done()

    def _finish_if_done(self) -> None:
        if not self.course.octaves_left(self.state):
            self.outcome = self.course.result(self.state)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let an error end this picture and no other."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # it is handed back as the picture's outcome
            self.outcome = error


class _Batch:
    """The pictures that take steps together, as one tensor.

    Where a compiled function is made for one shape, it is filled up to `slots` with repetitions, whose results are
    dropped: pictures that leave cost no compilation. A step's numbers are read while the device takes the next one, so
    that it never waits, unless a loss limit needs them before.
    """

    def __init__(self, lanes: list[_Lane], slots: int) -> None:
        self.lanes = lanes
        self._begun: tuple[Tensor, Tensor] | None = None
        self._waits = any(lane.course.params.max_loss is not None for lane in lanes)
        self._filled = lanes + lanes[:1] * (slots - len(lanes) if STATIC_SHAPES else 0)
        self._images = ops.concatenate([lane.state.image for lane in self._filled])
        memories = zip(*(lane.state.memory for lane in self._filled), strict=True)
        self._memory = [ops.concatenate(each) for each in memories]
        self._inputs = [_stacked(each) for each in zip(*(lane.inputs for lane in self._filled), strict=True)]

    def step(self) -> None:
        """Begin a step with every picture, and record the one before; or take and record as many as a call takes."""
        if self.lanes[0].course.calls:
            self._take_several()
        else:
            self._begin()

    def _take_several(self) -> None:
        each = [(lane.course, lane.state) for lane in self._filled]
        taken = self.lanes[0].course.calls.take(each, self._images, self._memory, *self._inputs)
        self._images, self._memory = taken.images, taken.memory
        for losses, slopes in zip(taken.losses, taken.slopes, strict=True):
            for lane, loss, slope in zip(self.lanes, losses, slopes, strict=False):
                lane.record(float(loss), float(slope))

    def _begin(self) -> None:
        each = [lane.course.step_inputs(lane.next_state()) for lane in self._filled]
        inputs = [np.concatenate(values) for values in zip(*each, strict=True)]
        compiled_step = self.lanes[0].course.compiled_step
        self._images, losses, slopes, *self._memory = compiled_step(self._images, *inputs, *self._memory, *self._inputs)
        self._record()
        self._begun = losses, slopes
        for lane in self.lanes:
            lane.ahead = 1
        if self._waits:
            self._record()

    def _record(self) -> None:
        if self._begun is None:
            return
        losses, slopes = map(np.asarray, self._begun)
        self._begun = None
        for lane, loss, slope in zip(self.lanes, losses, slopes, strict=False):
            lane.record(float(loss), float(slope))

    def unload(self) -> None:
        """Record what was begun, and give each picture back to its lane."""
        self._record()
        for index, lane in enumerate(self.lanes):
            lane.state.image = self._images[index : index + 1]
            lane.state.memory = [each[index : index + 1] for each in self._memory]


def _stacked(inputs: Sequence[Tensor]) -> Tensor:
    """Return a term's input for all pictures; guides of fewer cells have their last one repeated."""
    most = max(each.shape[1] for each in inputs)
    if all(each.shape[1] == most for each in inputs):
        return ops.concatenate(inputs)
    widened = [np.minimum(np.arange(most), each.shape[1] - 1) for each in inputs]
    return ops.concatenate([ops.take(each, cells, axis=1) for each, cells in zip(inputs, widened, strict=True)])


def _dream_octave(lanes: list[_Lane], *, slots: int) -> None:
    for lane in lanes:
        lane.enter()
    _ascend([lane for lane in lanes if lane.outcome is None], slots)
    for lane in lanes:
        lane.leave()


def _ascend(lanes: list[_Lane], slots: int) -> None:
    """Take the octave's steps; whoever has no further one leaves, and the rest go on."""
    batch = None
    while going := [lane for lane in lanes if lane.goes_on()]:
        if batch is None or len(going) < len(batch.lanes):
            if batch is not None:
                batch.unload()
            batch = _Batch(going, slots)
        batch.step()
        lanes = going
    if batch is not None:
        batch.unload()

"""One dream's render, octave by octave. Imports the engine, so TensorFlow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import structlog

from dreamcore import Checkpoint, Stopped, dream
from dreamcore.errors import CheckpointError
from dreamcore.pictures import encode
from dreamcore.recipe import Recipe
from farm import keys
from farm.losses import losses_text
from worker.attempt import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from dreamcore import DreamResult, Progress
    from dreamcore.packs import Outcome
    from farm.schema import ResultFormat
    from worker.lease import Lease

log = structlog.get_logger()


class Render(Attempt):
    """The state of one dream's render, by itself or within a pack."""

    def __init__(self, lease: Lease, *, sharers: int = 1) -> None:
        super().__init__(lease, sharers=sharers)
        self.photo = self.picture(self.job.spec.input.sha256)

    def run(self) -> None:
        """Dream by itself, then end."""
        with self.aside:
            with self.reporter:
                outcome = self._dream()
            self.end(outcome)

    def end(self, outcome: Outcome) -> None:
        """Commit a result; what was stopped is handed back with all but one step kept, an error is raised."""
        if isinstance(outcome, Stopped):
            self.aside.finish()
            self._set_aside(outcome.checkpoint)
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            self._commit(outcome)

    def _dream(self) -> Outcome:
        run = partial(
            dream,
            self.photo.rgb,
            self.params,
            model=self.model(),
            guide=self.guides(),
            mask=self.masks(),
            on_progress=self.on_progress,
            on_octave=self.on_octave,
            should_stop=self.lease.should_stop,
            memory_gb=self.lease.services.settings.memory_gb,
        )
        try:
            return _resumed(run, self.checkpoint())
        except Stopped as stopped:
            return stopped

    def checkpoint(self) -> Checkpoint | None:
        """Return where the last attempt got to; None at the first, or where what it stored is no use."""
        try:
            data = self.kept()
            return None if data is None else Checkpoint.from_bytes(data)
        except CheckpointError as error:
            log.warning("checkpoint_not_used", reason=str(error))
            return None

    def on_progress(self, progress: Progress) -> None:
        """Note a step."""
        self.note(progress, progress.fraction)

    def on_octave(self, checkpoint: Checkpoint, preview: NDArray[np.uint8]) -> None:
        """Store where the dream is, beside the next octave's work."""
        self.aside.do(partial(self._store_octave, checkpoint, preview))

    def _store_octave(self, checkpoint: Checkpoint, preview: NDArray[np.uint8]) -> None:
        octave = checkpoint.octave
        self.put_preview(octave, preview)
        is_last = octave == self.job.progress.octaves
        fields = {} if is_last else self._stored(checkpoint)
        losses = losses_text(checkpoint.losses)
        self.patiently(self.lease.write, {**fields, "previews": octave, "losses": losses})

    def _stored(self, checkpoint: Checkpoint) -> dict[str, str | int]:
        key = keys.checkpoint(self.job.id, self.lease.fence.attempt, checkpoint.octave, checkpoint.step)
        return self.keep(key, checkpoint.to_bytes())

    def _set_aside(self, checkpoint: Checkpoint) -> None:
        self.check_hold()
        self.patiently(self.lease.write, self._stored(checkpoint))
        self.patiently(self.lease.hand_back)
        log.info("render_handed_back", octave=checkpoint.octave, step=checkpoint.step)

    def _commit(self, result: DreamResult) -> None:
        spec = self.job.spec
        recipe = Recipe.of(
            result,
            input_sha256=spec.input.sha256,
            guides_sha256=[guide.sha256 for guide in spec.guides],
            masks_sha256=[mask.sha256 for mask in spec.masks],
        )
        kind = cast("ResultFormat", spec.format)
        data = encode(self.photo.with_rgb(result.image), format=kind, recipe=recipe.to_json())
        height, width = result.image.shape[:2]
        self.commit(data, width=width, height=height, notices=result.notices)


def _resumed(run: Callable[..., DreamResult], checkpoint: Checkpoint | None) -> DreamResult:
    try:
        return run(resume=checkpoint)
    except CheckpointError as error:
        log.warning("checkpoint_not_used", reason=str(error))
        return run()

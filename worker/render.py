"""One render, to its end: a dream octave by octave, or a zoom. Imports the engine, so TensorFlow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import structlog

from dreamcore import Checkpoint, Stopped, dream
from dreamcore.errors import CheckpointError, DreamError
from dreamcore.pictures import Picture, encode
from dreamcore.recipe import Recipe
from farm import keys
from farm.errors import LeaseLostError, TransientError
from farm.schema import ErrorView
from worker.attempt import Attempt
from worker.zoom import ZoomRender

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dreamcore import DreamResult
    from farm.schema import ResultFormat
    from worker.lease import Lease

log = structlog.get_logger()


def run_render(lease: Lease) -> None:
    """Render the attempt to its end, whichever that is; every end but a lost hold is written to the job."""
    try:
        _render_to_an_end(lease)
    except LeaseLostError as error:
        log.info("render_abandoned", reason=str(error))


def _render_to_an_end(lease: Lease) -> None:
    try:
        KINDS[lease.job.spec.kind](lease).run()
    except LeaseLostError:
        raise
    except DreamError as error:
        lease.fail(ErrorView(code=error.code, message=str(error)))
    except MemoryError:
        message = "The picture needs more memory than its worker has. Make it smaller, or ask for fewer layers."
        lease.fail(ErrorView(code="out_of_memory", message=message))
    except TransientError:
        lease.hand_back()
    except Exception:
        log.exception("render_failed")
        message = "The render failed unexpectedly; the log of its worker says why."
        lease.fail(ErrorView(code="internal_error", message=message))


class Render(Attempt):
    """The state of one dream's render."""

    def run(self) -> None:
        """Dream, then commit; a stop in between is handed back with all but one step kept."""
        picture = self.picture(self.job.spec.input.sha256)
        with self.aside:
            try:
                with self.reporter:
                    result = self._dream(picture)
            except Stopped as stopped:
                self.aside.finish()
                self._set_aside(stopped.checkpoint)
            else:
                self._commit(picture, result)

    def _dream(self, picture: Picture) -> DreamResult:
        run = partial(
            dream,
            picture.rgb,
            self.params,
            model=self.model(),
            guide=self.guides(),
            mask=self.masks(),
            on_progress=lambda progress: self.note(progress, progress.fraction),
            on_octave=self._on_octave,
            should_stop=self.lease.should_stop,
            memory_gb=self.lease.services.settings.memory_gb,
        )
        try:
            return run(resume=self._checkpoint())
        except CheckpointError as error:
            log.warning("checkpoint_not_used", reason=str(error))
            return run()

    def _checkpoint(self) -> Checkpoint | None:
        data = self.kept()
        return None if data is None else Checkpoint.from_bytes(data)

    def _on_octave(self, checkpoint: Checkpoint, preview: NDArray[np.uint8]) -> None:
        """Store where the dream is, beside the next octave's work."""
        self.aside.do(partial(self._store_octave, checkpoint, preview))

    def _store_octave(self, checkpoint: Checkpoint, preview: NDArray[np.uint8]) -> None:
        octave = checkpoint.octave
        self.put_preview(octave, preview)
        is_last = octave == self.job.progress.octaves
        fields = {} if is_last else self._stored(checkpoint)
        self.patiently(self.lease.write, {**fields, "previews": octave})

    def _stored(self, checkpoint: Checkpoint) -> dict[str, str | int]:
        key = keys.checkpoint(self.job.id, self.lease.fence.attempt, checkpoint.octave, checkpoint.step)
        return self.keep(key, checkpoint.to_bytes())

    def _set_aside(self, checkpoint: Checkpoint) -> None:
        self.check_hold()
        self.patiently(self.lease.write, self._stored(checkpoint))
        self.patiently(self.lease.hand_back)
        log.info("render_handed_back", octave=checkpoint.octave, step=checkpoint.step)

    def _commit(self, picture: Picture, result: DreamResult) -> None:
        spec = self.job.spec
        recipe = Recipe.of(
            result,
            input_sha256=spec.input.sha256,
            guides_sha256=[guide.sha256 for guide in spec.guides],
            masks_sha256=[mask.sha256 for mask in spec.masks],
        )
        kind = cast("ResultFormat", spec.format)
        data = encode(picture.with_rgb(result.image), format=kind, recipe=recipe.to_json())
        height, width = result.image.shape[:2]
        self.commit(data, width=width, height=height, notices=result.notices)


KINDS: dict[str, type[Render | ZoomRender]] = {"dream": Render, "zoom": ZoomRender}

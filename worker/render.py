"""One render: fetch the picture, dream it octave by octave, commit the result. Imports the engine, so TensorFlow."""

from __future__ import annotations

import hashlib
import time
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    stop_when_event_set,
    wait_exponential_jitter,
)

from dreamcore import Checkpoint, DreamParams, Stopped, dream, load_model
from dreamcore.errors import CheckpointError, DreamError
from dreamcore.pictures import Picture, decode, encode, preview_jpeg
from dreamcore.recipe import Recipe
from farm import keys
from farm.errors import LeaseLostError, NotFoundError, TransientError
from farm.record import StoredCheckpoint, StoredOutput
from farm.schema import ErrorView, ProgressView
from worker.aside import Aside
from worker.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from dreamcore import DreamResult, Progress
    from worker.lease import Lease

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_S = 120
PREVIEW_SIDE_PX = 512
CONTENT_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

log = structlog.get_logger()


def run_render(lease: Lease) -> None:
    """Render the attempt to its end, whichever that is; every end but a lost hold is written to the job."""
    try:
        _render_to_an_end(lease)
    except LeaseLostError as error:
        log.info("render_abandoned", reason=str(error))


def _render_to_an_end(lease: Lease) -> None:
    try:
        Render(lease).run()
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


class Render:
    """The state of one render."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.job = lease.job
        self.storage = lease.services.storage
        self.aside = Aside()
        self.reporter = Reporter(lease)
        self.started = time.monotonic()
        self.start_fraction: float | None = None
        self.progress = lease.job.progress

    def run(self) -> None:
        """Dream, then commit; a stop in between is handed back with all but one step kept."""
        picture = self._picture(self.job.spec.input.sha256)
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
        spec = self.job.spec
        params = DreamParams.model_validate(spec.params)
        run = partial(
            dream,
            picture.rgb,
            params,
            model=load_model(params.model, weights_dir=self.lease.services.settings.weights_dir),
            guide=self._picture(spec.guide.sha256).rgb if spec.guide else None,
            on_progress=self._on_progress,
            on_octave=self._on_octave,
            should_stop=self.lease.should_stop,
        )
        try:
            return run(resume=self._checkpoint())
        except CheckpointError as error:
            log.warning("checkpoint_not_used", reason=str(error))
            return run()

    def _picture(self, sha256: str) -> Picture:
        settings = self.lease.services.settings
        return decode(self._patiently(self.storage.get, keys.picture(sha256)), max_pixels=settings.max_pixels)

    def _checkpoint(self) -> Checkpoint | None:
        """Return where the last attempt got to, None at the first.

        Raises
        ------
        CheckpointError
            It is damaged, or gone.
        """
        stored = self.job.checkpoint
        if stored is None:
            return None
        try:
            data = self._patiently(self.storage.get, stored.key)
        except NotFoundError as error:
            raise CheckpointError("The checkpoint is gone.") from error
        return Checkpoint.from_bytes(_verified(data, stored.sha256))

    def _on_progress(self, progress: Progress) -> None:
        if self.start_fraction is None:
            self.start_fraction = progress.fraction
            self.started = time.monotonic()
        self.progress = ProgressView(
            fraction=progress.fraction,
            octave=progress.octave,
            octaves=progress.octaves,
            step=progress.step,
            steps=progress.steps,
            loss=progress.loss,
            eta_s=self._eta_s(progress.fraction),
        )
        self.reporter.note(self.progress)

    def _eta_s(self, fraction: float) -> float | None:
        done = fraction - (self.start_fraction or 0.0)
        if done <= 0:
            return None
        return round((1 - fraction) / done * (time.monotonic() - self.started), 1)

    def _on_octave(self, checkpoint: Checkpoint, preview: NDArray[np.uint8]) -> None:
        """Store where the dream is, beside the next octave's work."""
        self.aside.do(partial(self._store_octave, checkpoint, preview))

    def _store_octave(self, checkpoint: Checkpoint, preview: NDArray[np.uint8]) -> None:
        octave = checkpoint.octave
        jpeg = preview_jpeg(preview, PREVIEW_SIDE_PX)
        self._patiently(self.storage.put, keys.preview(self.job.id, octave), jpeg, content_type="image/jpeg")
        is_last = octave == self.job.progress.octaves
        fields = {} if is_last else self._stored(checkpoint)
        self._patiently(self.lease.write, {**fields, "previews": octave})

    def _stored(self, checkpoint: Checkpoint) -> dict[str, str | int]:
        data = checkpoint.to_bytes()
        key = keys.checkpoint(self.job.id, self.lease.fence.attempt, checkpoint.octave, checkpoint.step)
        self._patiently(self.storage.put, key, data, content_type="application/octet-stream")
        stored = StoredCheckpoint(key=key, sha256=hashlib.sha256(data).hexdigest())
        return {"checkpoint": stored.model_dump_json()}

    def _set_aside(self, checkpoint: Checkpoint) -> None:
        if self.lease.lost.is_set():
            raise LeaseLostError("The job was canceled, or is somebody else's by now.")
        self._patiently(self.lease.write, self._stored(checkpoint))
        self._patiently(self.lease.hand_back)
        log.info("render_handed_back", octave=checkpoint.octave, step=checkpoint.step)

    def _commit(self, picture: Picture, result: DreamResult) -> None:
        spec = self.job.spec
        guide_sha256 = spec.guide.sha256 if spec.guide else None
        recipe = Recipe.of(result, input_sha256=spec.input.sha256, guide_sha256=guide_sha256)
        data = encode(picture.with_rgb(result.image), format=spec.format, recipe=recipe.to_json())
        key = keys.result(self.job.id, self.lease.fence.attempt, spec.format)
        self._patiently(self.storage.put, key, data, content_type=CONTENT_TYPES[spec.format])
        height, width = result.image.shape[:2]
        output = StoredOutput(
            format=spec.format,
            sha256=hashlib.sha256(data).hexdigest(),
            bytes=len(data),
            width=width,
            height=height,
            key=key,
        )
        self.aside.finish()
        done = self.progress.model_copy(update={"fraction": 1.0, "eta_s": 0.0})
        self._patiently(self.lease.succeed, output=output.model_dump_json(), progress=done)
        log.info("render_succeeded", bytes=len(data), sha256=output.sha256)

    def _patiently(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call until it goes through; a server that is away is waited for while the hold lasts."""
        waiting = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_exponential_jitter(initial=0.5, max=10),
            stop=stop_after_delay(PATIENCE_S) | stop_when_event_set(self.lease.lost),
            reraise=True,
        )
        return waiting(call, *args, **kwargs)


def _verified(data: bytes, sha256: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CheckpointError("The checkpoint's bytes are not those that were stored.")
    return data

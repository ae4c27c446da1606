"""What every kind of render shares: fetching, storing, progress, the commit. Imports the engine, so TensorFlow."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    stop_when_event_set,
    wait_exponential_jitter,
)

from dreamcore import DreamParams, load_model
from dreamcore.errors import CheckpointError
from dreamcore.masks import mask_of
from dreamcore.pictures import Picture, decode, preview_jpeg
from dreamcore.version import __version__
from farm import keys
from farm.errors import LeaseLostError, NotFoundError, TransientError
from farm.estimates import pace_name
from farm.record import StoredCheckpoint, StoredOutput
from farm.schema import ProgressView
from worker.aside import Aside
from worker.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dreamcore import Progress
    from dreamcore.models import Model
    from dreamcore.pictures import Pixels
    from worker.lease import Lease

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_S = 120
PREVIEW_SIDE_PX = 512
LEAST_SHARE = 0.2
"""Of a job, from its first step here to its last: less tells too little of a worker's pace."""
LEAST_S = 1e-3
CONTENT_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "zip": "application/zip",
}

log = structlog.get_logger()


class Attempt(ABC):
    """The state of one render of any kind; `sharers` are the jobs that share its device's steps, itself included."""

    def __init__(self, lease: Lease, *, sharers: int = 1) -> None:
        self.sharers = sharers
        self.lease = lease
        self.job = lease.job
        self.storage = lease.services.storage
        self.aside = Aside()
        self.reporter = Reporter(lease)
        self.started = time.monotonic()
        self.start_fraction: float | None = None
        self.last_step = self.started
        self.progress = lease.job.progress
        self.params = DreamParams.model_validate(lease.job.spec.params)

    @abstractmethod
    def run(self) -> None:
        """Render to the end."""

    def model(self) -> Model:
        """Load the network."""
        return load_model(self.params.model, weights_dir=self.lease.services.settings.weights_dir)

    def picture(self, sha256: str) -> Picture:
        """Fetch a picture that was handed in."""
        settings = self.lease.services.settings
        return decode(self.patiently(self.storage.get, keys.picture(sha256)), max_pixels=settings.max_pixels)

    def guides(self) -> list[Pixels]:
        """Fetch the guide pictures."""
        return [self.picture(guide.sha256).rgb for guide in self.job.spec.guides]

    def masks(self) -> list[NDArray[np.uint8]]:
        """Fetch the mask pictures."""
        return [mask_of(self.picture(mask.sha256)) for mask in self.job.spec.masks]

    def kept(self) -> bytes | None:
        """Return what the last attempt stored to go on from, None at the first.

        Raises
        ------
        CheckpointError
            It is damaged, or gone.
        """
        stored = self.job.checkpoint
        if stored is None:
            return None
        try:
            data = self.patiently(self.storage.get, stored.key)
        except NotFoundError as error:
            raise CheckpointError("The checkpoint is gone.") from error
        if hashlib.sha256(data).hexdigest() != stored.sha256:
            raise CheckpointError("The checkpoint's bytes are not those that were stored.")
        return data

    def keep(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> dict[str, str | int]:
        """Store what another attempt could go on from; return the fields that say so in the record."""
        self.patiently(self.storage.put, key, data, content_type=content_type)
        before = self.job.checkpoint
        engine = before.engine if before else __version__
        stored = StoredCheckpoint(key=key, sha256=hashlib.sha256(data).hexdigest(), engine=engine)
        return {"checkpoint": stored.model_dump_json()}

    def put_preview(self, number: int, pixels: NDArray[np.uint8]) -> None:
        """Store a small picture for people who watch."""
        jpeg = preview_jpeg(pixels, PREVIEW_SIDE_PX)
        self.patiently(self.storage.put, keys.preview(self.job.id, number), jpeg, content_type="image/jpeg")

    def note(self, progress: Progress, fraction: float, *, frame: int = 0, frames: int = 0) -> None:
        """Report a step; `fraction` is of the whole job."""
        if self.start_fraction is None:
            self.start_fraction = fraction
            self.started = time.monotonic()
        self.last_step = time.monotonic()
        self.lease.trace.step(progress.octave, frame=frame)
        self.progress = ProgressView(
            fraction=fraction,
            frame=frame,
            frames=frames,
            octave=progress.octave,
            octaves=progress.octaves,
            step=progress.step,
            steps=progress.steps,
            loss=progress.loss,
            eta_s=self._eta_s(fraction),
        )
        self.reporter.note(self.progress, milestone=progress.step == progress.steps)

    def _eta_s(self, fraction: float) -> float | None:
        done = fraction - (self.start_fraction or 0.0)
        if done <= 0:
            return None
        return round((1 - fraction) / done * (time.monotonic() - self.started), 1)

    def check_hold(self) -> None:
        """Raise `LeaseLostError` where the job was taken away."""
        if self.lease.lost.is_set():
            raise LeaseLostError("The job was canceled, or is somebody else's by now.")

    def commit(self, data: bytes, *, width: int, height: int, notices: Sequence[str] = ()) -> None:
        """Store the result, then name it in the record."""
        kind = self.job.spec.format
        key = keys.result(self.job.id, self.lease.fence.attempt, kind)
        self.patiently(self.storage.put, key, data, content_type=CONTENT_TYPES[kind])
        sha256 = hashlib.sha256(data).hexdigest()
        output = StoredOutput(format=kind, sha256=sha256, bytes=len(data), width=width, height=height, key=key)
        self.aside.finish()
        done = self.progress.model_copy(update={"fraction": 1.0, "eta_s": 0.0})
        self.patiently(self.lease.succeed, output=output.model_dump_json(), progress=done, notices=notices)
        log.info("render_succeeded", bytes=len(data), sha256=sha256)
        self._learn()

    def _learn(self) -> None:
        """Tell the farm what the steps took: those of films and of limited losses are not as many as were weighed."""
        share = self.progress.fraction - (self.start_fraction or 0.0)
        whole = self.job.spec.kind == "dream" and self.params.max_loss is None
        if self.start_fraction is None or not whole or share < LEAST_SHARE or not self.job.work_s:
            return
        services = self.lease.services
        seconds, work_s = max(self.last_step - self.started, LEAST_S) / self.sharers, share * self.job.work_s
        with suppress(TransientError):
            services.workers.note(services.settings.worker_id, speed=f"{work_s / seconds:.3g}")
            services.paces.learn(
                services.settings.worker_id,
                pace_name(self.params),
                seconds=seconds,
                work_s=work_s,
            )

    def patiently(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call until it goes through; a server that is away is waited for while the hold lasts."""
        waiting = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_exponential_jitter(initial=0.5, max=10),
            stop=stop_after_delay(PATIENCE_S) | stop_when_event_set(self.lease.lost),
            reraise=True,
        )
        return waiting(call, *args, **kwargs)

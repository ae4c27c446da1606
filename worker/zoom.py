"""One zoom: frame after frame, each stored as it is done, then the film. Imports the engine, so TensorFlow."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import structlog

from dreamcore import Stopped
from dreamcore.errors import CheckpointError
from dreamcore.pictures import Picture, decode, encode, to_8_bit
from dreamcore.video import write_video
from dreamcore.zoom_path import ZoomParams
from dreamcore.zooming import zoom
from farm import keys
from farm.errors import NotFoundError
from worker.attempt import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from dreamcore.zooming import ZoomProgress
    from worker.lease import Lease

MOST_PREVIEWS = 16

log = structlog.get_logger()


class ZoomRender(Attempt):
    """The state of one zoom's render.

    An attempt stores its frames under its own number, and goes on after the frame that the record names. So of the
    attempts that stored a frame the latest one's counts: the film is made of these.
    """

    def __init__(self, lease: Lease) -> None:
        super().__init__(lease)
        self.path = ZoomParams.model_validate(lease.job.spec.zoom)

    def run(self) -> None:
        """Make the frames, then the film; a stop in between is handed back with all whole frames kept."""
        image = to_8_bit(self.picture(self.job.spec.input.sha256).rgb)
        with self.aside:
            try:
                with self.reporter:
                    self._make_frames(image)
            except Stopped:
                self.aside.finish()
                self.check_hold()
                self.patiently(self.lease.hand_back)
                log.info("render_handed_back", frame=self.progress.frame)
            else:
                self.aside.finish()
                self._commit(image)

    def _make_frames(self, image: NDArray[np.uint8]) -> None:
        done, last = self._resumed()
        frames = zoom(
            image,
            self.params,
            self.path,
            done=done,
            last=last,
            guide=[to_8_bit(guide) for guide in self.guides()],
            mask=self.masks(),
            model=self.model(),
            on_progress=self._on_progress,
            should_stop=self.lease.should_stop,
            memory_gb=self.lease.services.settings.memory_gb,
        )
        for number, result in enumerate(frames, done + 1):
            self.aside.do(partial(self._store, number, to_8_bit(result.image)))

    def _resumed(self) -> tuple[int, NDArray[np.uint8] | None]:
        """Return how many frames there are, and the last of them."""
        try:
            data = self.kept()
        except CheckpointError as error:
            log.warning("checkpoint_not_used", reason=str(error))
            return 0, None
        if data is None or self.job.checkpoint is None:
            return 0, None
        number = keys.frame_number(self.job.checkpoint.key)
        return number, to_8_bit(decode(data).rgb)

    def _on_progress(self, progress: ZoomProgress) -> None:
        self.note(progress.step, progress.fraction, frame=progress.frame, frames=progress.frames)

    def _store(self, number: int, frame: NDArray[np.uint8]) -> None:
        key = keys.frame(self.job.id, self.lease.fence.attempt, number)
        fields = self.keep(key, encode(Picture(frame)), content_type="image/png")
        preview, before = (preview_of(one, self.path.frames) for one in (number, number - 1))
        if preview > before:
            self.put_preview(preview, frame)
            fields["previews"] = preview
        self.patiently(self.lease.write, fields)

    def _stored_frames(self) -> Iterator[NDArray[np.uint8]]:
        for number in range(1, self.path.frames + 1):
            yield to_8_bit(decode(self._latest(number)).rgb)

    def _latest(self, number: int) -> bytes:
        for attempt in range(self.lease.fence.attempt, 0, -1):
            try:
                return self.patiently(self.storage.get, keys.frame(self.job.id, attempt, number))
            except NotFoundError:
                continue
        raise NotFoundError(f"Frame {number} is gone from the object store. Retry the job.")

    def _commit(self, image: NDArray[np.uint8]) -> None:
        kind = self.path.format
        with tempfile.TemporaryDirectory() as folder:
            film = Path(folder) / PurePath("film").with_suffix(f".{self.job.spec.format}")
            write_video(self._checked(self._stored_frames()), film, format=kind, rate=self.path.rate)
            data = film.read_bytes()
        height, width = image.shape[:2]
        self.commit(data, width=width, height=height)

    def _checked(self, frames: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames as long as the job is ours."""
        for frame in frames:
            self.check_hold()
            yield frame


def preview_of(frame: int, frames: int) -> int:
    """Return how many previews there are after a frame: one for each, but no more than a few, spread evenly."""
    return -(-frame * min(frames, MOST_PREVIEWS) // frames)

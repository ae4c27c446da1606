"""What can be done with jobs, over store, storage and queue. The api and the tests talk to this."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

import structlog
from pydantic import ValidationError
from ulid import ULID

from dreamcore import catalog
from dreamcore.capacity import image_bytes
from dreamcore.errors import DreamError
from dreamcore.octaves import plan_octaves
from dreamcore.pack_keys import pack_key
from dreamcore.params import DreamParams
from dreamcore.planner import REFERENCE
from dreamcore.workload import count_work, pixel_steps
from dreamcore.zoom_path import ZoomParams
from farm import change, keys, traces
from farm.change import Outcome
from farm.errors import ConflictError, ExpiredError, NotFoundError
from farm.estimates import check_job
from farm.new_job import NewJob
from farm.owners import LOCAL
from farm.record import JobSpec
from farm.result_cache import ResultCache
from farm.schema import ErrorView, ProgressView
from farm.states import ACTIVE, JobState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from dreamcore.octaves import OctavePlan
    from dreamcore.zoom_path import VideoFormat
    from farm.change import Applied, Change
    from farm.dispatch import Dispatcher
    from farm.limits import Limits
    from farm.pictures import PictureService, SeenPicture
    from farm.record import JobRecord
    from farm.schema import OutputFormat, ResultFormat
    from farm.storage import ObjectStore
    from farm.store import JobStore

log = structlog.get_logger()

PACK_DIGITS = 16
FILM_FORMATS: dict[VideoFormat, OutputFormat] = {"mp4": "mp4", "webm": "webm", "gif": "gif", "frames": "zip"}


class JobOptions(TypedDict, total=False):
    """What a job is made with beside its picture and its parameters, as `JobService.prepare` takes it."""

    owner: str
    guides: Sequence[SeenPicture]
    masks: Sequence[SeenPicture]
    zoom: ZoomParams | None
    result_format: ResultFormat
    name: str | None
    tags: tuple[str, ...]
    needs: tuple[str, ...]
    priority: int
    expires_in: int | None


class JobService:
    """Jobs from their creation to their removal."""

    def __init__(
        self, store: JobStore, storage: ObjectStore, dispatch: Dispatcher, pictures: PictureService, limits: Limits
    ) -> None:
        self.store = store
        self.storage = storage
        self.dispatch = dispatch
        self.pictures = pictures
        self.limits = limits
        self.cache = ResultCache(store, storage)

    def create(
        self,
        picture: SeenPicture,
        params: DreamParams,
        *,
        job_id: str | None = None,
        fresh: bool = False,
        **options: Unpack[JobOptions],
    ) -> JobRecord:
        """Store the pictures, then the job, then tell the workers. Once this returns, the job can't be lost.

        The same `job_id` again makes no second job. Unless `fresh`, an earlier result of the same pictures and
        parameters is served, which uses no quota.

        Raises
        ------
        PictureTooSmallError
            The network takes no picture so small; nothing was stored.
        DreamError
            The film's format can't show so many frames per second; nothing was stored.
        GuideError, MaskError
            Guides or masks don't go with the parameters, or a mask not with the picture; nothing was stored.
        JobTooLargeError
            It takes more pixel-steps than the farm takes; nothing was stored.
        LimitError, QueueFullError
            The owner or the farm has too much to do already; nothing was stored.
        """
        spec, progress = self.prepare(picture, params, **options)
        new = NewJob(job_id or str(ULID()), JobState.QUEUED, spec, progress, pixel_steps=cost(spec))
        if not fresh:
            [new] = self.cache.serve([new])
        if new.served is None:
            self.limits.admit(spec.owner, jobs=1, pixel_steps=new.pixel_steps)
        for seen in (picture, *options.get("guides", ()), *options.get("masks", ())):
            self.pictures.keep(seen, owner=spec.owner)
        job = self.store.add(new)
        log.info("job_accepted", job=job.id, owner=spec.owner, state=job.state)
        self.dispatch.ring()
        return job

    def prepare(
        self,
        picture: SeenPicture,
        params: DreamParams,
        *,
        owner: str = LOCAL,
        guides: Sequence[SeenPicture] = (),
        masks: Sequence[SeenPicture] = (),
        zoom: ZoomParams | None = None,
        result_format: ResultFormat = "png",
        name: str | None = None,
        tags: tuple[str, ...] = (),
        needs: tuple[str, ...] = (),
        priority: int = 0,
        expires_in: int | None = None,
    ) -> tuple[JobSpec, ProgressView]:
        """Return a job's spec and its progress before anything; raises as `create` does, and stores nothing."""
        params.check_guides([_size(guide) for guide in guides])
        params.check_masks([_size(mask) for mask in masks], picture=_size(picture))
        if zoom:
            zoom.check()
        check_job(params, _size(picture), self.limits.settings, zoom=zoom)
        plan = plan_octaves(params, picture.view.height, picture.view.width)
        spec = JobSpec(
            owner=owner,
            kind="zoom" if zoom else "dream",
            params=params.model_dump(mode="json"),
            zoom=zoom.model_dump(mode="json") if zoom else None,
            format=FILM_FORMATS[zoom.format] if zoom else result_format,
            input=picture.view,
            guides=tuple(guide.view for guide in guides),
            masks=tuple(mask.view for mask in masks),
            name=name,
            tags=tags,
            needs=needs,
            priority=priority,
            expires_in=expires_in or self.limits.settings.expires_in_s,
            notices=(*picture.notices, *plan.notices),
            trace=traces.caller.get(),
            work_s=_weigh(params, picture, zoom=zoom, guides=guides),
            pack=_pack(params, picture, alone=bool(zoom or masks)),
            bytes=_step_bytes(params, picture),
        )
        return spec, _before(plan, params, zoom)

    def get(self, job_id: str) -> JobRecord:
        """Return a job, or raise `NotFoundError`."""
        return self.store.get(job_id)

    def cancel(self, job_id: str) -> JobRecord:
        """End a job that is queued or running; a canceled one is left as it is."""
        outcome = self._apply(change.cancel(job_id))
        job = self.get(job_id)
        log.info("job_canceled", job=job_id, outcome=outcome)
        if outcome is Outcome.WRONG_STATE and job.state is not JobState.CANCELED:
            raise ConflictError(
                f"The job has already {job.state}; only a queued or running job can be canceled.", code="job_finished"
            )
        return job

    def retry(self, job_id: str) -> JobRecord:
        """Queue a failed, canceled or expired job again; an active one is left as it is."""
        before = self.get(job_id)
        if before.state not in ACTIVE:
            self.limits.admit(before.spec.owner, jobs=1, pixel_steps=cost(before.spec))
        start = before.progress.model_copy(
            update={"fraction": 0.0, "frame": 0, "octave": 0, "step": 0, "loss": None, "eta_s": None}
        )
        outcome = self._apply(change.retry(job_id, progress=start.model_dump_json()))
        job = self.get(job_id)
        if outcome is Outcome.OK:
            log.info("job_retried", job=job_id, owner=job.spec.owner)
            self.dispatch.ring()
        elif job.state not in ACTIVE:
            raise ConflictError(f"The job has {job.state}; only a failed, canceled or expired job can be retried.")
        return job

    def delete(self, job_id: str) -> None:
        """Remove a job and all that is stored for it but its input; an active one is canceled first."""
        job = self.get(job_id)
        if job.state in ACTIVE:
            self.store.apply(change.cancel(job_id))
        # The record goes last: where the object store fails half-way, the same call can be made again.
        self.storage.delete_prefix(keys.blobs(job_id))
        if self.store.delete(job) is Outcome.WRONG_STATE:
            raise ConflictError("The job was queued again meanwhile. Cancel it, then delete it.")
        log.info("job_deleted", job=job_id)

    def result_url(self, job_id: str) -> str:
        """Return a presigned link to the finished picture."""
        job = self._unexpired(job_id)
        if job.output is None:
            raise ConflictError(f"The job has no result: it is {job.state}.", code="no_result")
        return self.storage.presigned_get(job.output.key, filename=f"{job.id}.{job.output.format}")

    def preview_url(self, job_id: str, octave: int | None = None) -> str:
        """Return a presigned link to the preview of an octave, counted from 1; of the latest if None."""
        job = self._unexpired(job_id)
        wanted = job.previews if octave is None else octave
        if not 1 <= wanted <= job.previews:
            raise NotFoundError(f"There is no preview of octave {wanted}; {job.previews} octaves have one so far.")
        return self.storage.presigned_get(keys.preview(job.id, wanted))

    def input_url(self, job_id: str) -> str:
        """Return a presigned link to the picture that was handed in."""
        return self.storage.presigned_get(keys.picture(self.get(job_id).spec.input.sha256))

    def lose(self, job: JobRecord, *, max_attempts: int) -> Outcome:
        """Take a job from the worker that let it lapse: back to the queue, or failed after too many."""
        if job.lost + 1 >= max_attempts:
            return self._apply(change.exhaust(job.id, attempt=job.attempt, error=_exhausted(job.lost + 1)))
        applied = self.store.apply(change.lose(job.id, attempt=job.attempt))
        if applied.outcome is Outcome.OK:
            self.dispatch.ring()
        return applied.outcome

    def hand_back(self, job_id: str, fence: change.Fence) -> Applied:
        """Put a running job back into the queue for another worker."""
        return self._put_back(change.hand_back(job_id, fence))

    def leave_to_others(self, job_id: str, fence: change.Fence, *, worker: str, code: str) -> Applied:
        """Put a running job back that this worker failed, for another one to try."""
        return self._put_back(change.doubt(job_id, fence, worker=worker, code=code))

    def _put_back(self, wanted: Change) -> Applied:
        applied = self.store.apply(wanted)
        if applied.outcome is Outcome.OK:
            self.dispatch.ring()
        return applied

    def expire(self, job_id: str) -> None:
        """Remove a result that was kept for as long as was asked; the record stays, and says so."""
        outcome = self.store.apply(change.expire(job_id)).outcome
        if outcome is not Outcome.MISSING:
            job = self.get(job_id)
            if job.state is JobState.EXPIRED:  # now, or in a round that ended before its work
                self._remove_results(job)
        self.store.mark_expired(job_id)

    def _remove_results(self, job: JobRecord) -> None:
        # Only what attempts until now have stored: the job may be retried at this moment.
        for attempt in range(1, job.attempt + 1):
            self.storage.delete_prefix(keys.attempt_blobs(job.id, attempt))
        self.storage.delete_prefix(keys.blobs(job.id), suffix=".jpg")
        self.storage.delete(keys.manifest(job.id))

    def _unexpired(self, job_id: str) -> JobRecord:
        job = self.get(job_id)
        if job.state is JobState.EXPIRED:
            raise ExpiredError(
                f"The result was kept for {job.spec.expires_in} s and is removed. Retry the job to make it anew."
            )
        return job

    def tidy(self, job_id: str) -> None:
        """Drop the checkpoints and frames of a job that has ended, and lay its record beside its result."""
        try:
            job = self.get(job_id)
        except NotFoundError:
            self.store.mark_tidy(job_id)
            return
        if job.state in ACTIVE:
            return  # retried meanwhile; it is tidied up after when it ends again
        for attempt in range(1, job.attempt + 1):
            self.storage.delete_prefix(keys.attempt_blobs(job_id, attempt), suffix=".npz")
            self.storage.delete_prefix(keys.frames(job_id, attempt))
        if job.output is not None:
            text = job.view().model_dump_json(indent=2).encode()
            self.storage.put(keys.manifest(job_id), text, content_type="application/json")
        self.store.mark_tidy(job_id)

    def _apply(self, wanted: Change) -> Outcome:
        outcome = self.store.apply(wanted).outcome
        if outcome is Outcome.MISSING:
            self.get(wanted.id)
        return outcome


def cost(spec: JobSpec) -> int:
    """Return the pixel-steps that a job takes; one that can't be dreamt takes none."""
    try:
        params = DreamParams.model_validate(spec.params)
        zoom = ZoomParams.model_validate(spec.zoom) if spec.zoom else None
        return pixel_steps(params, (spec.input.height, spec.input.width), zoom=zoom)
    except (DreamError, ValidationError):
        return 0


def _weigh(
    params: DreamParams, picture: SeenPicture, *, zoom: ZoomParams | None, guides: Sequence[SeenPicture]
) -> float:
    work = count_work(params, _size(picture), zoom=zoom, guides=[_size(guide) for guide in guides])
    return round(REFERENCE.seconds(work), 3)


def _pack(params: DreamParams, picture: SeenPicture, *, alone: bool) -> str:
    alone = alone or params.tiling != "auto"
    return f"{params.model}:{'' if alone else pack_key(params, _size(picture))[:PACK_DIGITS]}"


def _step_bytes(params: DreamParams, picture: SeenPicture) -> int:
    return _image_bytes(params.model, params.aimed_layers, _size(picture), params.precision)


@lru_cache(maxsize=4096)
def _image_bytes(model: str, layers: tuple[str, ...], size: tuple[int, int], precision: str) -> int:
    return int(image_bytes(catalog.get_model(model), layers, size, precision=precision))


def _size(picture: SeenPicture) -> tuple[int, int]:
    return picture.view.height, picture.view.width


def _before(plan: OctavePlan, params: DreamParams, zoom: ZoomParams | None) -> ProgressView:
    return ProgressView(octaves=len(plan.sizes), steps=params.steps, frames=zoom.frames if zoom else 0)


def _exhausted(lost: int) -> str:
    return ErrorView(
        code="attempts_exhausted",
        message=f"The job lost its worker {lost} times and is not tried again by itself. Retry it to try anew.",
    ).model_dump_json()

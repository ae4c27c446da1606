"""Batches: one call that stands for many jobs. It is stored at once and whole; its jobs are made from it in order."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError
from ulid import ULID

from dreamcore.errors import DreamError
from dreamcore.explain import explain
from dreamcore.params import DreamParams
from dreamcore.zoom_path import ZoomParams
from farm import change
from farm.batch_schema import BatchPlan, BatchView
from farm.batch_store import BatchInput, BatchSpec, Quota
from farm.errors import AddressError
from farm.jobs import cost
from farm.limits import usage_key
from farm.new_job import NewJob
from farm.record import JobSpec
from farm.schema import ErrorView, PictureView, ProgressView
from farm.states import JobState
from farm.sweep import applied, at_point, parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farm.batch_store import BatchRecord, BatchStore
    from farm.estimates import EstimateService
    from farm.jobs import JobService
    from farm.pictures import PictureService, SeenPicture
    from farm.record import JobRecord
    from farm.sweep import Point

CHUNK = 200
"""Jobs made by one atomic step, which keeps the store busy for some milliseconds."""

FETCHES = 8
"""URLs fetched at once for a batch."""

FETCHES_PER_CHUNK = 32
"""URLs fetched for one chunk at most: slow servers hold it up."""

JUDGED_BY = 20
"""Jobs by which the time of a batch is judged before any has ended."""

PROBLEMS = 10
"""Problems that a dry run tells at most."""

POINTS_TRIED, SIZES_TRIED = 20, 50
"""Points of a sweep, and sizes of pictures, whose jobs a dry run prepares."""

NO_PICTURE = PictureView(sha256="", width=0, height=0)


class Item(NamedTuple):
    """A job before it is made: its number in the batch, what it dreams on, and how it differs."""

    number: int
    picture: BatchInput
    point: Point


class BatchService:
    """Batches from their acceptance to their end."""

    def __init__(
        self,
        store: BatchStore,
        jobs: JobService,
        pictures: PictureService,
        estimates: EstimateService,
        *,
        chunk: int = CHUNK,
    ) -> None:
        self.store = store
        self.chunk = chunk
        self.jobs = jobs
        self.pictures = pictures
        self.estimates = estimates

    def create(self, spec: BatchSpec, inputs: Sequence[BatchInput], *, batch_id: str | None = None) -> BatchRecord:
        """Store a batch. Once this returns, none of its jobs can be lost; pictures are looked at job by job.

        The same `batch_id` again makes no second batch. The day's quota is charged as the jobs are made; those that
        exceed it fail by code.

        Raises
        ------
        LimitError, QueueFullError
            The owner or the farm has too much to do already; nothing was stored.
        """
        self.jobs.limits.admit(spec.owner, jobs=len(inputs) * len(spec.sweep.axes()), pixel_steps=0)
        return self.store.create(batch_id or str(ULID()), spec, inputs)

    def view(self, batch_id: str) -> BatchView:
        """Return how a batch stands, and when it will be done."""
        batch = self.store.get(batch_id)
        first = next(iter(self.store.job_ids(batch_id, JUDGED_BY)), [])
        return self.estimates.timed_batch(batch, self.jobs.store.many(first))

    def plan(
        self,
        spec: BatchSpec,
        inputs: Sequence[BatchInput],
        *,
        guides: Sequence[SeenPicture] = (),
        masks: Sequence[SeenPicture] = (),
    ) -> BatchPlan:
        """Look at what a batch would be, its pictures included, and store nothing."""
        trial = Trial(self.jobs, spec, guides, masks)
        problems: list[str] = []
        sizes: list[tuple[int, int]] = []
        for number, item in enumerate(inputs):
            try:
                if item.url:
                    self.pictures.outbound.guard.check_url(item.url)  # nobody knows its size until it is fetched
                    continue
                seen = _find(self.pictures, item, spec.owner)
                sizes.append((seen.view.height, seen.view.width))
                trial.check(seen)
            except (AddressError, DreamError, ValidationError) as error:
                problems.append(
                    f"inputs/{number}: {_shown(error).message if isinstance(error, ValidationError) else error}"
                )
        guide_sizes = [(guide.view.height, guide.view.width) for guide in guides]
        cost = self.estimates.batch_cost(spec, sizes, guides=guide_sizes)
        return BatchPlan(
            jobs=len(inputs) * len(spec.sweep.axes()),
            unusable_inputs=len(problems),
            problems=problems[:PROBLEMS],
            **cost.model_dump(),
        )

    def expand(self, batch_id: str) -> bool:
        """Make the next jobs of a batch, and tell the workers; False once there are none left to make."""
        batch = self.store.get(batch_id)
        items = _few_urls(list(self._items(batch)))
        if not items:
            self.store.mark_expanded(batch_id)
            return False
        made = _Maker(self.jobs, self.pictures, self.store, batch).make(items)
        if not batch.spec.fresh:
            made = self.jobs.cache.serve(made)
        quota = Quota(usage_key(batch.spec.owner), self.jobs.limits.pixel_steps_a_day(batch.spec.owner))
        if self.store.expand(batch, made, quota):
            self.jobs.dispatch.ring()
        return True

    def expand_some(self, *, seconds: float) -> None:
        """Make jobs of the batches that wait for it, in turn, for about so long."""
        deadline = time.monotonic() + seconds
        while (waiting := self.store.expanding()) and time.monotonic() < deadline:
            for batch_id in waiting:
                self.expand(batch_id)

    def cancel(self, batch_id: str) -> BatchRecord:
        """Make no more jobs, and end those that are queued or running."""
        self.store.mark_canceled(batch_id)
        for ids in self.store.job_ids(batch_id, self.chunk):
            self.jobs.store.apply_all([change.cancel(job_id) for job_id in ids])
        return self.store.get(batch_id)

    def retry_failed(self, batch_id: str) -> BatchRecord:
        """Queue the batch's failed jobs again."""
        for job_id in self.store.failed_ids(batch_id):
            self.jobs.retry(job_id)
        return self.store.get(batch_id)

    def results(self, batch_id: str) -> Iterator[JobRecord]:
        """Return the batch's jobs that were made so far, in the order of their numbers."""
        self.store.get(batch_id)
        for ids in self.store.job_ids(batch_id, self.chunk):
            yield from self.jobs.store.many(ids)

    def letters(self, batch_id: str) -> str:
        """Return a letter for each job in the order of their numbers: its state's first, or d where it was deleted."""
        batch = self.store.get(batch_id)
        states = self.store.states(batch_id)
        ids: list[str] = sorted(states)
        if len(ids) < batch.cursor:  # some were deleted, so that places and numbers differ
            ids = [numbered_id(batch_id, number) for number in range(batch.cursor)]
        made = map(states.get, ids)
        unmade = JobState.CANCELED if batch.canceled else JobState.QUEUED
        return "".join(state[0] if state else "d" for state in made) + unmade[0] * (batch.total - batch.cursor)

    def numbered(self, batch_id: str) -> Iterator[tuple[int, JobRecord]]:
        """Return the batch's jobs that were made so far and not deleted, each with its number."""
        first = int(ULID.from_str(batch_id)) + 1
        return ((int(ULID.from_str(job.id)) - first, job) for job in self.results(batch_id))

    def _items(self, batch: BatchRecord) -> Iterator[Item]:
        axes = batch.spec.sweep.axes()
        numbers = range(batch.cursor, min(batch.cursor + self.chunk, batch.total))
        if not numbers or batch.canceled:
            return
        first = numbers[0] // len(axes)
        inputs = self.store.inputs(batch.id, first, numbers[-1] // len(axes))
        for number in numbers:
            picture, point = divmod(number, len(axes))
            yield Item(number, inputs[picture - first], axes[point])


class Trial:
    """Prepares some jobs of a batch and drops them, to find what can't be dreamt: each size of picture once."""

    def __init__(
        self, jobs: JobService, spec: BatchSpec, guides: Sequence[SeenPicture], masks: Sequence[SeenPicture]
    ) -> None:
        self.jobs = jobs
        self.spec = spec
        self.guides = guides
        self.masks = masks
        axes = spec.sweep.axes()
        self.points = [axes[number] for number in range(min(len(axes), POINTS_TRIED))]
        self._known: dict[tuple[int, int], DreamError | ValidationError | None] = {}

    def check(self, seen: SeenPicture) -> None:
        """Raise what is wrong with a picture's job at the first point that has something wrong."""
        size = (seen.view.height, seen.view.width)
        if size not in self._known and len(self._known) < SIZES_TRIED:
            self._known[size] = self._wrong(seen)
        if error := self._known.get(size):
            raise error

    def _wrong(self, seen: SeenPicture) -> DreamError | ValidationError | None:
        try:
            for point in self.points:
                params, zoom = at_point(self.spec.params, self.spec.zoom, point)
                self.jobs.prepare(seen, params, owner=self.spec.owner, guides=self.guides, masks=self.masks, zoom=zoom)
        except (DreamError, ValidationError) as error:
            return error
        return None


class _Maker:
    """Turns a chunk's items into jobs; each picture is looked at once."""

    def __init__(self, jobs: JobService, pictures: PictureService, store: BatchStore, batch: BatchRecord) -> None:
        self.jobs = jobs
        self.pictures = pictures
        self.store = store
        self.batch = batch
        self._seen: dict[BatchInput, SeenPicture | DreamError] = {}

    def make(self, items: list[Item]) -> list[NewJob]:
        """Return the items' jobs; an item that can't be dreamt becomes a job that has failed, saying why."""
        urls = dict.fromkeys(item.picture for item in items if item.picture.url)
        if urls:
            with ThreadPoolExecutor(FETCHES) as pool:
                self._seen.update(zip(urls, pool.map(self._looked_at, urls), strict=True))
        return [self._job(item) for item in items]

    def _job(self, item: Item) -> NewJob:
        job_id = numbered_id(self.batch.id, item.number)
        try:
            params, zoom = at_point(self.batch.spec.params, self.batch.spec.zoom, item.point)
            picture = self._look(item.picture)
            spec, progress = self.jobs.prepare(
                picture,
                params,
                owner=self.batch.spec.owner,
                guides=[self._look(BatchInput(sha256=sha256)) for sha256 in self.batch.spec.guides],
                masks=[self._look(BatchInput(sha256=sha256)) for sha256 in self.batch.spec.masks],
                zoom=zoom,
                result_format=self.batch.spec.format,
                name=item.picture.name,
                tags=self.batch.spec.tags,
                needs=self.batch.spec.needs,
                priority=self.batch.spec.priority,
                expires_in=self.batch.spec.expires_in,
            )
        except (DreamError, ValidationError) as error:
            return self._failed(job_id, item, error)
        return NewJob(id=job_id, state=JobState.QUEUED, spec=spec, progress=progress, pixel_steps=cost(spec))

    def _failed(self, job_id: str, item: Item, error: DreamError | ValidationError) -> NewJob:
        every, film = parts(item.point)
        zoom = self.batch.spec.zoom
        spec = JobSpec(
            owner=self.batch.spec.owner,
            kind="zoom" if zoom else "dream",
            params=applied(self.batch.spec.params, every),
            zoom=applied(zoom, film) if zoom else None,
            format=self.batch.spec.format,
            input=NO_PICTURE.model_copy(update={"sha256": item.picture.sha256 or ""}),
            name=item.picture.name,
            tags=self.batch.spec.tags,
            needs=self.batch.spec.needs,
            priority=self.batch.spec.priority,
        )
        return NewJob(id=job_id, state=JobState.FAILED, spec=spec, progress=ProgressView(), error=_shown(error))

    def _look(self, item: BatchInput) -> SeenPicture:
        if item not in self._seen:
            self._seen[item] = self._looked_at(item)
        found = self._seen[item]
        if isinstance(found, DreamError):
            raise found
        return found

    def _looked_at(self, item: BatchInput) -> SeenPicture | DreamError:
        try:
            seen = self._fetched(item.url) if item.url else _find(self.pictures, item, self.batch.spec.owner)
        except DreamError as error:
            return error
        self.pictures.keep(seen, owner=self.batch.spec.owner)
        if item.url:
            self.store.note_fetched(self.batch.id, item.url, seen.view.sha256)
        return seen._replace(data=b"")

    def _fetched(self, url: str) -> SeenPicture:
        sha256 = self.store.fetched(self.batch.id, url)
        return self.pictures.find(sha256, owner=self.batch.spec.owner) if sha256 else self.pictures.fetch(url)


def numbered_id(batch_id: str, number: int) -> str:
    """Return the id of a batch's job: it follows from the batch's, so that no job can be made twice."""
    return str(ULID.from_int(int(ULID.from_str(batch_id)) + 1 + number))


def _few_urls(items: list[Item]) -> list[Item]:
    """Return the first items, up to as many URLs as are fetched for a chunk."""
    urls: set[str] = set()
    for place, item in enumerate(items):
        urls |= {item.picture.url} if item.picture.url else set()
        if len(urls) > FETCHES_PER_CHUNK:
            return items[:place]
    return items


def _find(pictures: PictureService, item: BatchInput, owner: str) -> SeenPicture:
    if item.key:
        return pictures.find_key(item.key, owner=owner)
    if item.sha256:
        return pictures.find(item.sha256, owner=owner)
    return pictures.find_upload(item.upload or "", owner=owner)


def _shown(error: DreamError | ValidationError) -> ErrorView:
    if isinstance(error, DreamError):
        return ErrorView(code=error.code, message=str(error))
    problems = explain(error, known=tuple(DreamParams.model_fields), models=(DreamParams, ZoomParams))
    return ErrorView(code="invalid_params", message=" ".join(f"{at.pointer}: {at.detail}" for at in problems))

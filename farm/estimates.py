"""What jobs to come take: work, memory, and by the workers' paces also time and money."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import mean
from typing import TYPE_CHECKING

from dreamcore.errors import DreamError
from dreamcore.params import DreamParams
from dreamcore.planner import REFERENCE, peak_memory, plan
from dreamcore.workload import Work, count_work, pixel_steps
from farm.batch_schema import BatchCost, BatchView
from farm.errors import JobTooLargeError
from farm.owners import LOCAL
from farm.schema import EstimateView, JobView
from farm.states import ACTIVE, JobState
from farm.sweep import at_point

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dreamcore.zoom_path import ZoomParams
    from farm.batch_store import BatchRecord, BatchSpec
    from farm.line import Before, WaitingLine
    from farm.pace import PaceStore
    from farm.record import JobRecord
    from farm.settings import Settings
    from farm.sweep import Point
    from farm.workers import WorkerRegistry

Size = tuple[int, int]
SAMPLES = 1000
"""Jobs of a batch that are looked at one by one; a larger batch is judged by so many, spread evenly."""
HOUR_S = 3600
HOPELESS = 3
"""How many times a worker's memory a job is refused at: estimates are rough where Keras runs the network."""


class EstimateService:
    """Tells what jobs take, and when one will be done."""

    def __init__(self, paces: PaceStore, line: WaitingLine, workers: WorkerRegistry, settings: Settings) -> None:
        self.paces = paces
        self.line = line
        self.workers = workers
        self.settings = settings

    def estimate(
        self,
        params: DreamParams,
        size: Size,
        *,
        zoom: ZoomParams | None = None,
        guides: Sequence[Size] = (),
        owner: str = LOCAL,
        needs: Sequence[str] = (),
        priority: int = 0,
    ) -> EstimateView:
        """Return what one job would take, handed in now.

        Raises
        ------
        JobTooLargeError
            The farm would refuse it.
        PictureTooSmallError
            The network takes no image so small.
        """
        check_job(params, size, self.settings, zoom=zoom)
        found = plan(params, size, zoom=zoom, guides=guides)
        seconds = self.paces.seconds(pace_name(params), REFERENCE.seconds(found.work))
        before = self.line.before_next(owner, self.workers.list(), needs=needs, priority=priority)
        return EstimateView(
            operations=found.operations,
            pixel_steps=found.pixel_steps,
            peak_memory_bytes=int(found.peak_memory_bytes),
            seconds=seconds,
            queue_s=self._wait_s(params, before),
            jobs_before=before.jobs,
            cost=self._cost(seconds),
        )

    def batch_cost(self, spec: BatchSpec, sizes: Iterable[Size], *, guides: Sequence[Size] = ()) -> BatchCost:
        """Return what the jobs of a batch would take together; those that can't be dreamt take nothing."""
        counted = Counter(sizes)
        points = spec.sweep.axes()
        pairs = [(size, number) for size in counted for number in range(len(points))]
        looked_at = pairs[:: max(1, -(-len(pairs) // SAMPLES))]
        scale = len(pairs) / max(1, len(looked_at))
        moved, work_s = 0, defaultdict[str, float](float)
        for size, number in looked_at:
            name, work = _weighed(spec, size, points[number], guides)
            moved += counted[size] * work.pixel_steps
            work_s[name] += counted[size] * REFERENCE.seconds(work)
        each = [self.paces.seconds(name, scale * amount) for name, amount in work_s.items()]
        seconds = None if None in each else round(sum(filter(None, each)), 1)
        return BatchCost(pixel_steps=round(moved * scale), seconds=seconds, cost=self._cost(seconds))

    def timed(self, job: JobRecord) -> JobView:
        """Return a job's view; before its first step too with the seconds that it has to go."""
        view = job.view()
        if job.state not in ACTIVE or view.progress.eta_s is not None or job.progress.fraction:
            return view
        params = DreamParams.model_validate(job.spec.params)
        own = self._own_seconds(job)
        is_waiting = job.state is JobState.QUEUED
        wait = self._wait_s(params, self.line.before(job, self.workers.list())) if is_waiting else 0.0
        if own is None or wait is None:
            return view
        return view.model_copy(update={"progress": view.progress.model_copy(update={"eta_s": round(own + wait, 1)})})

    def timed_batch(self, batch: BatchRecord, made: Sequence[JobRecord]) -> BatchView:
        """Return a batch's view; before its first job's end too with the seconds to go, judged by some of its jobs."""
        view = batch.view()
        workers = len(self.workers.list())
        if view.eta_s is not None or view.state == "finished" or not made or not workers:
            return view
        each = [self._own_seconds(job) for job in made]
        known = [seconds for seconds in each if seconds is not None]
        if len(known) < len(each):
            return view
        return view.model_copy(update={"eta_s": round(mean(known) * batch.total / workers, 1)})

    def _own_seconds(self, job: JobRecord) -> float | None:
        if not job.work_s:
            return 0.0
        return self.paces.seconds(pace_name(DreamParams.model_validate(job.spec.params)), job.work_s)

    def _wait_s(self, params: DreamParams, before: Before) -> float | None:
        """Return how long the workers take for what comes before; as if all of it were of this job's kind."""
        queued = self.paces.seconds(pace_name(params), before.work_s)
        return round(queued / before.hands, 1) if before.hands and queued is not None else None

    def _cost(self, seconds: float | None) -> float | None:
        price = self.settings.price_per_hour
        return None if price is None or seconds is None else round(seconds / HOUR_S * price, 4)


def _weighed(spec: BatchSpec, size: Size, point: Point, guides: Sequence[Size]) -> tuple[str, Work]:
    params, zoom = at_point(spec.params, spec.zoom, point)
    try:
        return pace_name(params), count_work(params, size, zoom=zoom, guides=guides)
    except DreamError:
        return pace_name(params), Work()


def pace_name(params: DreamParams) -> str:
    """Return what a worker has a pace of its own for."""
    return f"{params.model}:{params.precision}"


def check_job(params: DreamParams, size: Size, settings: Settings, *, zoom: ZoomParams | None) -> None:
    """Raise `JobTooLargeError` for a job of more pixel-steps than the farm takes, or beyond its workers' memory."""
    wanted, most = pixel_steps(params, size, zoom=zoom), settings.max_job_pixel_steps
    if most is not None and wanted > most:
        raise JobTooLargeError(
            f"The job takes {wanted} pixel-steps, and this farm takes {most} at most in one. A pixel-step is a pixel "
            "moved once: fewer steps, octaves or frames, or a smaller picture, take fewer."
        )
    if settings.memory_gb is not None:
        _check_memory(params, size, settings.memory_gb)


def _check_memory(params: DreamParams, size: Size, memory_gb: float) -> None:
    needed_gb = peak_memory(params, size, memory_bytes=memory_gb * 1e9) / 1e9
    if needed_gb > HOPELESS * memory_gb:
        raise JobTooLargeError(
            f"The job takes about {needed_gb:.1f} GB of memory with {params.model} and tiling {params.tiling!r}, and a "
            f"worker of this farm has {memory_gb:g} GB. Make the picture smaller, leave tiling 'auto', or choose "
            "layers nearer to the image, or squeezenet or inception_v3, which can be tiled."
        )

"""What the farm counts. All of it is kept in Redis, so that every api process tells the same."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from farm import keys
from farm.redis import redis_errors
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from prometheus_client import Metric

    from farm.redis import TextRedis
    from farm.schema import WorkerView
    from farm.workers import WorkerRegistry

MOST_OWNERS = 50
"""Owners that are told apart, those with the most jobs; the others are one label."""

MOST_WORKERS = 500
OTHERS = "(others)"
RENDER_BUCKETS_S = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""As in `lua/apply.lua`."""

PACK_BUCKETS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
HTTP_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics(Collector):
    """Reads what is counted, and writes it as Prometheus takes it."""

    def __init__(self, redis: TextRedis, workers: WorkerRegistry) -> None:
        self.redis = redis
        self.workers = workers

    @redis_errors()
    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    @redis_errors()
    def add_requests(self, counts: Mapping[str, float]) -> None:
        """Add to the counts of requests, which `request_fields` names."""
        with self.redis.pipeline(transaction=False) as pipe:
            for field, amount in counts.items():
                pipe.hincrbyfloat(keys.METRICS_HTTP, field, amount)
            pipe.execute()

    def describe(self) -> Iterable[Metric]:
        """Return nothing: what there is, is known when it is read."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read every metric; each is a few reads, however many jobs there are."""
        yield self._jobs()
        yield self._oldest()
        yield self._backlog()
        yield self._unmade()
        yield from self._ended()
        yield self._render_seconds()
        yield self._packs()
        yield from self._workers()
        yield self._requests()

    def _jobs(self) -> Metric:
        family = GaugeMetricFamily("dreamfarm_jobs", "Jobs by state and owner.", labels=["state", "owner"])
        counts = {field: int(n) for field, n in self.redis.hgetall(keys.COUNTS).items()}
        of_owner: Counter[str] = Counter()
        for field, n in counts.items():
            of_owner[field.rpartition(":")[0]] += n
        shown = {owner for owner, _ in of_owner.most_common(MOST_OWNERS)}
        sums: Counter[tuple[str, str]] = Counter()
        for field, n in counts.items():
            owner, _, state = field.rpartition(":")
            sums[state, owner if owner in shown else OTHERS] += n
        for labels, n in sorted(sums.items()):
            family.add_metric(labels, n)
        return family

    def _oldest(self) -> Metric:
        oldest_ms = None
        for job_id in self.redis.zrange(keys.by_state(JobState.QUEUED), 0, 0):
            oldest_ms = self.redis.hget(keys.job(job_id), "created_ms")
        seconds, microseconds = self.redis.time()
        age_s = seconds + microseconds / 1e6 - int(oldest_ms) / 1000 if oldest_ms else 0.0
        return GaugeMetricFamily(
            "dreamfarm_oldest_queued_seconds", "Age of the oldest queued job.", value=max(0.0, age_s)
        )

    def _backlog(self) -> Metric:
        family = GaugeMetricFamily(
            "dreamfarm_backlog_device_seconds",
            "Work of all queued and running jobs, in seconds of the reference device.",
            labels=["state"],
        )
        for state in (JobState.QUEUED, JobState.RUNNING):
            family.add_metric([state], max(0.0, float(self.redis.hget(keys.WORK, state) or 0)))
        return family

    def _unmade(self) -> Metric:
        with self.redis.pipeline(transaction=False) as pipe:
            for batch_id in self.redis.zrange(keys.EXPANDING, 0, -1):
                pipe.hmget(keys.batch(batch_id), "total", "cursor", "canceled")
            found = pipe.execute()
        left = sum(int(total) - int(cursor) for total, cursor, canceled in found if total and not canceled)
        return GaugeMetricFamily(
            "dreamfarm_batch_jobs_unmade", "Jobs of accepted batches that are not in the queue yet.", value=left
        )

    def _ended(self) -> Iterator[Metric]:
        found = self.redis.hgetall(keys.METRICS_ENDED)
        ended = CounterMetricFamily("dreamfarm_attempts_ended", "Attempts by how they ended.", labels=["outcome"])
        errors = CounterMetricFamily("dreamfarm_errors", "Failed jobs by error code.", labels=["code"])
        for field, n in sorted(found.items()):
            kind, _, name = field.partition(":")
            if kind in {"ended", "error"}:
                (ended if kind == "ended" else errors).add_metric([name], float(n))
        yield ended
        yield errors
        yield CounterMetricFamily(
            "dreamfarm_steps", "Steps of the jobs that succeeded, as planned.", value=float(found.get("steps", 0))
        )
        yield CounterMetricFamily(
            "dreamfarm_jobs_cached", "Jobs that an earlier result was served for.", value=float(found.get("cached", 0))
        )
        yield CounterMetricFamily(
            "dreamfarm_work_done_device_seconds",
            "Work of the jobs that succeeded, in seconds of the reference device.",
            value=float(found.get("work_s", 0)),
        )

    def _render_seconds(self) -> Metric:
        family = HistogramMetricFamily(
            "dreamfarm_render_seconds", "Length of attempts that succeeded or failed.", labels=[]
        )
        found = self.redis.hgetall(keys.METRICS_RENDER)
        family.add_metric([], _cumulated(found, RENDER_BUCKETS_S), float(found.get("sum", 0)))
        return family

    def _packs(self) -> Metric:
        family = HistogramMetricFamily("dreamfarm_pack_jobs", "Jobs that workers were given at once.", labels=[])
        counts = {int(size): int(n) for size, n in self.redis.hgetall(keys.METRICS_PACKS).items()}
        grouped: Counter[str] = Counter()
        for size, n in counts.items():
            grouped[bucket_name(PACK_BUCKETS, size)] += n
        found = {name: str(n) for name, n in grouped.items()}
        family.add_metric([], _cumulated(found, PACK_BUCKETS), sum(size * n for size, n in counts.items()))
        return family

    def _workers(self) -> Iterator[Metric]:
        seconds, microseconds = self.redis.time()
        now_s = seconds + microseconds / 1e6
        by_state = GaugeMetricFamily("dreamfarm_workers", "Workers that are alive, by state.", labels=["state"])
        seen = GaugeMetricFamily(
            "dreamfarm_worker_silence_seconds", "Time since a worker's last heartbeat.", labels=["worker", "device"]
        )
        alive = self.workers.list()
        counts = Counter(worker.state for worker in alive)
        for state in ("idle", "busy", "draining", "set_aside"):
            by_state.add_metric([state], counts[state])
        for worker in alive[:MOST_WORKERS]:
            seen.add_metric([worker.id, worker.device], max(0.0, now_s - worker.seen_at.timestamp()))
        yield by_state
        yield seen
        yield from _about_workers(alive[:MOST_WORKERS])

    def _requests(self) -> Metric:
        family = HistogramMetricFamily(
            "dreamfarm_http_request_seconds",
            "Time to answer requests, of all api processes.",
            labels=["method", "route", "status"],
        )
        grouped: dict[str, dict[str, str]] = defaultdict(dict)
        for field, n in self.redis.hgetall(keys.METRICS_HTTP).items():
            name, _, part = field.rpartition("|")
            grouped[name][part] = n
        for name, parts in sorted(grouped.items()):
            family.add_metric(name.split(" "), _cumulated(parts, HTTP_BUCKETS_S), float(parts.get("sum", 0)))
        return family


def _about_workers(workers: Sequence[WorkerView]) -> Iterator[Metric]:
    labels = ["worker", "version", "library", "device", "tags"]
    info = GaugeMetricFamily("dreamfarm_worker_info", "1 for each worker that is alive.", labels=labels)
    speed = GaugeMetricFamily(
        "dreamfarm_worker_speed", "Work done, in seconds of the reference device a second.", labels=["worker"]
    )
    for one in workers:
        info.add_metric([one.id, one.version, one.library or "", one.device, ",".join(one.tags)], 1)
        if one.speed is not None:
            speed.add_metric([one.id], one.speed)
    yield info
    yield speed


def request_fields(method: str, route: str, status: int, seconds: float) -> dict[str, float]:
    """Return what one answered request adds to the counts."""
    name = f"{method} {route} {status // 100}xx"
    return {f"{name}|{bucket_name(HTTP_BUCKETS_S, seconds)}": 1, f"{name}|sum": seconds}


def bucket_name(bounds: Sequence[float], value: float) -> str:
    """Return the bucket that a value falls into: its upper bound, as Prometheus writes it."""
    place = bisect_left(bounds, value)
    return str(bounds[place]) if place < len(bounds) else "+Inf"


def _cumulated(found: Mapping[str, str], bounds: Iterable[float]) -> list[tuple[str, float]]:
    """Return a histogram's buckets as Prometheus has them: each with all that are below it."""
    names = [*map(str, bounds), "+Inf"]
    return list(zip(names, accumulate(float(found.get(name, 0)) for name in names), strict=True))

"""What the farm itself takes of a job, and what two workers gain: rows of `python -m bench.farm`."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from bench.pictures import noise
from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm import change
from farm.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from farm.dispatch import Claim

IDLE_JOBS = 2000
REAL_JOBS = 100
SIDE_PX = 512
WATCHERS = 500
WATCHED_S = 15.0
CALLS = 300
REAL = {"octaves": 2, "steps": 4}
SMALL = {"octaves": 1, "steps": 1}


def add_rows(table: Table) -> None:
    """Measure with workers at work."""
    with _stack(0) as stack:
        table.add_row(
            f"{IDLE_JOBS} jobs with an engine that does nothing, 2 workers", f"{_idle_rate(stack):.0f}/s", "≥ 60/s"
        )
    with _stack(0) as stack:
        _add_watchers(table, stack)
    one, two = _rate(1), _rate(2)
    table.add_row(
        f"{REAL_JOBS} real {SIDE_PX}-px jobs: two workers of one thread against one of two",
        f"{two:.2f}/s : {one:.2f}/s = {two / one:.2f}x",
        "≥ 1.2x",
    )


def _add_watchers(table: Table, stack: Stack) -> None:
    """Let jobs report ten times a second while many follow them, and others ask for a job."""
    services = Services.connect(stack.servers.settings())
    with Farm(stack.api_url) as farm:
        picture = farm.upload(noise(64, 64))
        farm.submit_batch([(picture.sha256, "noise.png")], params=SMALL, sweep={"product": {"seed": list(range(10))}})
        services.batches.expand_some(seconds=5)
        claims = [services.dispatch.claim("bench", lease_ms=600_000)[0] for _ in range(10)]
        alone = _p99_of_calls(farm, claims[0].job.id)
        done = threading.Event()
        reporter = threading.Thread(target=_report, args=(services, claims, done))
        reporter.start()
        jobs = [claims[number % len(claims)].job.id for number in range(WATCHERS)]
        command = [sys.executable, "-m", "bench.watchers", stack.api_url, str(WATCHED_S), *jobs]
        watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own module
        time.sleep(WATCHED_S / 3)
        watched = _p99_of_calls(farm, claims[0].job.id)
        served, fewest, most = watching.communicate()[0].split()
        done.set()
        reporter.join()
    table.add_row(
        f"{WATCHERS} watchers of 10 jobs, progress every 100 ms",
        f"{served} served, {fewest} to {most} changes in {WATCHED_S:.0f} s; "
        f"a job's status p99 {1000 * alone:.0f} → {1000 * watched:.0f} ms",
        "all, < 2x",
    )


def _report(services: Services, claims: list[Claim], done: threading.Event) -> None:
    for step in itertools.count():
        began = time.monotonic()
        for job, fence in claims:
            progress = job.progress.model_copy(update={"step": step})
            services.store.apply(change.report(job.id, fence, {"progress": progress.model_dump_json()}))
        if done.wait(max(0.0, 0.1 - (time.monotonic() - began))):
            return


def _p99_of_calls(farm: Farm, job_id: str) -> float:
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        farm.get(job_id)
        times.append(time.perf_counter() - started)
    return quantiles(times, n=100)[-1]


@contextmanager
def _stack(workers: int) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "farm", workers=workers) as stack:
        stack.wait_for_workers(workers)
        yield stack


def _idle_rate(stack: Stack) -> float:
    with _idle_workers(stack, 2), Farm(stack.api_url) as farm:
        _finish(farm, 20, SMALL, side=64)
        return IDLE_JOBS / _finish(farm, IDLE_JOBS, SMALL, side=64)


@contextmanager
def _idle_workers(stack: Stack, count: int) -> Iterator[None]:
    environment = {**stack.child_environment(), "DREAMFARM_LOG_LEVEL": "warning"}
    workers = [subprocess.Popen([sys.executable, "-m", "bench.idle"], env=environment) for _ in range(count)]
    try:
        stack.wait_for_workers(count)
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


def _rate(workers: int) -> float:
    """Return jobs per second; several workers share the cores."""
    with _stack(workers) as stack, Farm(stack.api_url) as farm:
        _finish(farm, 2 * workers, REAL, side=SIDE_PX)
        return REAL_JOBS / _finish(farm, REAL_JOBS, REAL, side=SIDE_PX)


def _finish(farm: Farm, jobs: int, params: Mapping[str, object], *, side: int) -> float:
    """Return how long a batch takes from its submission to its last result, in s."""
    picture = farm.upload(noise(side, side))
    started = time.perf_counter()
    batch = farm.submit_batch(
        [(picture.sha256, "noise.png")], params=params, sweep={"product": {"seed": list(range(jobs))}}, fresh=True
    )
    while (now := farm.batch(batch.id)).state != "finished":
        time.sleep(0.1)
    if now.counts["succeeded"] != jobs:
        raise SystemExit(f"Of {jobs} jobs {now.counts} ended.")
    return time.perf_counter() - started

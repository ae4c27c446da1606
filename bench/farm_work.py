"""What the farm itself takes of a job, and what two workers gain: rows of `python -m bench.farm`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.pictures import noise
from dreamfarm.client import Farm
from dreamfarm.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

IDLE_JOBS = 2000
REAL_JOBS = 100
SIDE_PX = 512
REAL = {"octaves": 2, "steps": 4}
SMALL = {"octaves": 1, "steps": 1}


def add_rows(table: Table) -> None:
    """Measure with workers at work."""
    with _stack(0) as stack:
        table.add_row(
            f"{IDLE_JOBS} jobs with an engine that does nothing, 2 workers", f"{_idle_rate(stack):.0f}/s", "≥ 60/s"
        )
    one, two = _rate(1), _rate(2)
    table.add_row(
        f"{REAL_JOBS} real {SIDE_PX}-px jobs: two workers of one thread against one of two",
        f"{two:.2f}/s : {one:.2f}/s = {two / one:.2f}x",
        "≥ 1.2x",
    )


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
    environment = stack.child_environment()
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

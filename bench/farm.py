"""How the farm bears many jobs: `python -m bench.farm`."""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

import psutil
from rich.console import Console
from rich.table import Table

from bench import farm_work
from bench.pictures import noise
from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm import change, keys
from farm.change import Fence
from farm.services import Services
from farm.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from farm.batch_schema import BatchView

BATCH = 10_000
STORED = 100_000
CALLS = 300
CLIENTS = 16
UPLOADS_S = 10.0
FINISHED = 500
SIDE_PX = 260
SMALL = {"octaves": 1, "steps": 1}


class Bench:
    """A farm without workers, and the rows of the table."""

    def __init__(self, stack: Stack) -> None:
        self.farm = Farm(stack.api_url)
        with _environment(stack):
            self.services = Services.connect(load_settings())
        self.picture = noise(96, 96)
        self.sha256 = self.farm.upload(self.picture).sha256
        self.table = Table("what", "measured", "target", title="The farm under many jobs")

    def run(self) -> Table:
        """Measure everything, from an empty store to a full one."""
        empty = self._accept("accept a batch of 10,000 jobs over one input", "≤ 5 s, api growth ≤ 100 MB")
        self._fill()
        full = self._accept("the same, 100,000 jobs in the store", "≤ 1.2x")
        self.table.add_row("  ratio", f"{full / empty:.2f}x", "≤ 1.2x")
        self._answers()
        self._uploads()
        self._memory()
        return self.table

    def _accept(self, what: str, target: str) -> float:
        before = _api_bytes()
        seconds = min(_timed(lambda: self._submit(BATCH)) for _ in range(3))
        growth = (_api_bytes() - before) / 1e6
        self.table.add_row(what, f"{seconds:.2f} s, +{growth:.0f} MB", target)
        for batch in self.farm.batches():
            self.farm.cancel_batch(batch.id)
        return seconds

    def _fill(self) -> None:
        self._submit(STORED)
        started = time.perf_counter()
        self.services.batches.expand_some(seconds=600)
        rate = STORED / (time.perf_counter() - started)
        self.table.add_row("make a batch's jobs", f"{rate:.0f}/s", "")

    def _answers(self) -> None:
        batch = self.farm.batches(limit=1)[0]
        full = next(one for one in self.farm.batches() if one.total == STORED)
        job = next(self.farm.jobs(limit=1))
        for what, call in (
            ("status of a batch of 100,000", lambda: self.farm.batch(full.id)),
            ("status of a job", lambda: self.farm.get(job.id)),
            ("first page of a list of 50", lambda: self.farm.page(limit=50)),
            ("list of batches", lambda: self.farm.batch(batch.id)),
        ):
            slowest = _p99([_timed(call) for _ in range(CALLS)])
            self.table.add_row(f"{what}, p99", f"{1000 * slowest:.0f} ms", "≤ 50 ms")

    def _uploads(self) -> None:
        """Hand in pictures of 200 kB, each another one, from 16 clients."""
        data = noise(SIDE_PX, SIDE_PX)
        deadline = time.perf_counter() + UPLOADS_S

        def client(number: int) -> list[float]:
            times: list[float] = []
            with Farm(self.farm.url) as farm:
                while time.perf_counter() < deadline:
                    another = data + f"{number} {len(times)}".encode()  # behind the picture's end
                    times.append(_timed(partial(farm.submit, another, params=SMALL)))
            return times

        with ThreadPoolExecutor(CLIENTS) as pool:
            times = [one for found in pool.map(client, range(CLIENTS)) for one in found]
        what = f"POST /v1/jobs, {len(data) / 1000:.0f} kB, 16 clients on the same processor"
        self.table.add_row(
            what, f"{len(times) / UPLOADS_S:.0f}/s, p99 {1000 * _p99(times):.0f} ms", "≥ 150/s, ≤ 300 ms"
        )

    def _memory(self) -> None:
        redis = self.services.store.redis
        jobs = list(self.farm.jobs(state="queued", limit=FINISHED))
        for job in jobs:
            self._finish(job.id)
            self.services.store.mark_tidy(job.id)
        each = [
            redis.memory_usage(key, samples=0) or 0 for job in jobs for key in (keys.job(job.id), keys.events(job.id))
        ]
        self.table.add_row(
            "Redis memory per finished job, its indexes left out", f"{sum(each) / len(jobs):.0f} B", "≤ 2 kB"
        )

    def _finish(self, job_id: str) -> None:
        fence = Fence(1, "t")
        store = self.services.store
        store.apply(change.claim(job_id, attempt=1, token=fence.token, worker="bench", lease_ms=60_000))
        progress = store.get(job_id).progress.model_dump_json()
        output = f'{{"format":"png","sha256":"{"0" * 64}","bytes":1,"width":96,"height":96,"key":"{job_id}"}}'
        store.apply(change.succeed(job_id, fence, output=output, progress=progress))

    def _submit(self, jobs: int) -> BatchView:
        sweep = {"product": {"seed": list(range(jobs))}}
        return self.farm.submit_batch([(self.sha256, "noise.png")], params=SMALL, sweep=sweep)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "farm", workers=0) as stack:
        table = Bench(stack).run()
    farm_work.add_rows(table)
    Console().print(table)


@contextmanager
def _environment(stack: Stack) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(stack.servers.environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _api_bytes() -> int:
    """Return the resident memory of the api's processes, children of this one."""
    children = psutil.Process().children(recursive=True)
    return sum(child.memory_info().rss for child in children if "api.app" in " ".join(child.cmdline()))


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[-1]


if __name__ == "__main__":
    main()

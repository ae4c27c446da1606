"""What a million stored jobs take, and what grows with them: `python -m bench.growth [--jobs N]`."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from ulid import ULID

from dreamcore import DreamParams
from dreamfarm.stack import Servers
from farm import change
from farm.change import Fence
from farm.dispatch import Offer
from farm.logs import configure_logs
from farm.new_job import NewJob
from farm.record import JobSpec
from farm.redis import lua
from farm.schema import PictureView, ProgressView
from farm.services import Services
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from farm.redis import TextRedis

CHUNK = 500
CALLS = 300
QUEUED = 2000
"""Of all jobs; the others have succeeded."""
OWNERS = 20
FENCE = Fence(1, "t")
SIZES = (10_000, 100_000, 300_000, 1_000_000)
PICTURE = PictureView(sha256="0" * 64, width=1024, height=768)
DONE = ProgressView(fraction=1, octave=5, octaves=5, step=20, steps=20, loss=1.5, eta_s=0).model_dump_json()


class Growth:
    """A store that fills by the farm's own scripts, and a row for each size that it reaches."""

    def __init__(self, servers: Servers) -> None:
        configure_logs(servers.settings().model_copy(update={"log_level": "warning"}))
        self.services = Services.connect(servers.settings())
        self.redis = self.services.store.redis
        self._create = self.redis.register_script(lua("lanes", "notes", "enter", "create"))
        self._apply = self.redis.register_script(lua("lanes", "notes", "results", "change", "apply"))
        self._claimed = 0
        self.stored = 0

    def row(self, jobs: int) -> tuple[str, ...]:
        """Fill up to so many jobs and measure."""
        self._fill(jobs)
        memory = self.redis.info("memory")["used_memory"]
        store, job_id = self.services.store, self._newest()
        page = partial(store.page, state=None, tag=None, limit=50, before=None)
        calls: list[Callable[[], object]] = [
            lambda: store.get(job_id),
            page,
            partial(page, state=JobState.SUCCEEDED, owner="owner-3"),
            lambda: self.services.dispatch.claim("w", Offer(), lease_ms=600_000),
            self.services.metrics.text,
            store.lapsed,
        ]
        times = [f"{1000 * _p99(call):.1f}" for call in calls]
        return (f"{jobs:,}", f"{memory / 1e9:.2f} GB", f"{memory / jobs:.0f} B", *times)

    def _newest(self) -> str:
        found, _ = self.services.store.page(state=None, tag=None, limit=1, before=None)
        return found[0].id

    def _fill(self, jobs: int) -> None:
        while self.stored < jobs:
            self._make(min(CHUNK, jobs - self.stored))

    def _make(self, count: int) -> None:
        """Store jobs, and bring all but a few to their end, as a worker and the janitor would."""
        specs = [self._spec(number) for number in range(self.stored, self.stored + count)]
        new = [NewJob(str(ULID()), JobState.QUEUED, spec, ProgressView(octaves=5, steps=20)) for spec in specs]
        with self.redis.pipeline(transaction=False) as pipe:
            for number, job in enumerate(new, self.stored):
                self._create(keys=[f"job:{job.id}"], args=[json.dumps(job.to_dict())], client=pipe)
                if number >= QUEUED:
                    self._finish(job.id, pipe)
            pipe.execute()
        self.stored += count

    def _finish(self, job_id: str, pipe: TextRedis) -> None:
        key = f"jobs/{job_id}/attempt-1/result.png"
        output = json.dumps(
            {"format": "png", "sha256": "0" * 64, "bytes": 1_234_567, "width": 1024, "height": 768, "key": key}
        )
        for step in (
            change.claim(job_id, attempt=1, token=FENCE.token, worker="bench-worker-12345678", lease_ms=60_000),
            change.succeed(job_id, FENCE, output=output, progress=DONE),
        ):
            self._apply(args=[step.model_dump_json(by_alias=True, exclude_none=True), ""], client=pipe)
        pipe.delete(f"job:{job_id}:events")
        pipe.zrem("jobs:untidy", job_id)

    def _spec(self, number: int) -> JobSpec:
        return JobSpec(
            owner=f"owner-{number % OWNERS}",
            params=DreamParams.model_validate({"seed": number}).model_dump(mode="json"),
            format="png",
            input=PICTURE,
            name=f"holiday-{number}.jpg",
            work_s=3.21,
            pack="squeezenet:0123456789abcdef",
            bytes=250_000_000,
        )


def main() -> None:
    """Print the table, and how long the store takes to start again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=SIZES[-1], help="the largest size")
    most = parser.parse_args().jobs
    table = Table(
        "jobs", "memory", "each", "job", "page of 50", "owner's page", "claim", "metrics", "reap", title="p99, ms"
    )
    with tempfile.TemporaryDirectory() as folder:
        with Servers(Path(folder)) as servers:
            growth = Growth(servers)
            for size in (size for size in SIZES if size <= most):
                started = time.perf_counter()
                table.add_row(*growth.row(size))
                Console(stderr=True).print(f"{size:,} jobs: {time.perf_counter() - started:.0f} s")
        Console().print(table)
        started = time.perf_counter()
        with Servers(Path(folder)):
            Console().print(
                f"The store with {growth.stored:,} jobs starts again in {time.perf_counter() - started:.1f} s."
            )


def _p99(call: Callable[[], object]) -> float:
    def seconds() -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    return quantiles([seconds() for _ in range(CALLS)], n=100)[-1]


if __name__ == "__main__":
    main()

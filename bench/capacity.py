"""What each part of a job's life takes of Redis: ``python -m bench.capacity``; the numbers of docs/capacity.md."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table
from ulid import ULID

from dreamfarm.stack import Servers, Stack
from farm import change
from farm.dispatch import Claim, Offer
from farm.logs import configure_logs
from farm.record import JobSpec
from farm.schema import PictureView, ProgressView
from farm.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS = 2000
OWNERS = 50
SEVERAL, IDLE_S = 4, 30.0
OUTPUT = json.dumps({"format": "png", "sha256": "0" * 64, "bytes": 1, "width": 512, "height": 512, "key": "k"})
PROGRESS = ProgressView(octaves=4, steps=10, octave=2, step=5, fraction=0.4)


class Reading(NamedTuple):
    """Redis' processor time and its commands so far, scripts' own calls included."""

    cpu_s: float
    commands: int
    clock_s: float


def main() -> None:
    """Measure each part for 2,000 jobs of 50 owners."""
    table = Table("of a job", "Redis, µs", "commands", "one caller reaches, /s")
    with tempfile.TemporaryDirectory() as folder, Servers(Path(folder)) as servers:
        configure_logs(servers.settings().model_copy(update={"log_level": "warning"}))
        services = Services.connect(servers.settings())
        claims: list[Claim] = []
        with _part(table, services, "submitted: record, lane, counts"):
            _submit(services)
        with _part(table, services, "claimed, each by itself"):
            claims += [services.dispatch.claim("w", Offer(), lease_ms=600_000)[0] for _ in range(JOBS)]
        with _part(table, services, "a look whether it goes on (seven a second)"):
            for job, fence in claims:
                services.store.hold(job.id, token=fence.token, worker="w")
        with _part(table, services, "progress written (two a second)"):
            for job, fence in claims:
                fields: dict[str, str | int] = {"progress": PROGRESS.model_dump_json()}
                services.store.apply(change.report(job.id, fence, fields))
        with _part(table, services, "lease renewed (each 4 s)"):
            for job, fence in claims:
                services.store.renew(job.id, token=fence.token, lease_ms=600_000)
        with _part(table, services, "succeeded: result, counts, metrics"):
            for job, fence in claims:
                done = change.succeed(job.id, fence, output=OUTPUT, progress=PROGRESS.model_dump_json())
                services.store.apply(done)
        with _part(table, services, "read, as a status call does"):
            for job, _ in claims:
                services.store.get(job.id)
    Console().print(table)
    one, several = _idle_us(1), _idle_us(SEVERAL)
    each = (several - one) / (SEVERAL - 1)
    Console().print(f"Redis, µs a second: {one:.0f} with a worker at rest, {each:.0f} for each further one")


def _idle_us(workers: int) -> float:
    """Return the processor time that Redis takes in a second while so many workers rest, in µs."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), workers=workers) as stack:
        stack.wait_for_workers(workers)
        services = Services.connect(stack.servers.settings())
        before = _reading(services)
        time.sleep(IDLE_S)
        after = _reading(services)
    return (after.cpu_s - before.cpu_s) / (after.clock_s - before.clock_s) * 1e6


def _submit(services: Services) -> None:
    picture = PictureView(sha256="0" * 64, width=512, height=512)
    for number in range(JOBS):
        spec = JobSpec(owner=f"o{number % OWNERS}", params={"octaves": 4}, format="png", input=picture, work_s=5.0)
        services.store.create(str(ULID()), spec, PROGRESS)


@contextmanager
def _part(table: Table, services: Services, name: str) -> Iterator[None]:
    before = _reading(services)
    yield
    after = _reading(services)
    used_us = (after.cpu_s - before.cpu_s) / JOBS * 1e6
    commands = (after.commands - before.commands) / JOBS
    table.add_row(name, f"{used_us:.0f}", f"{commands:.1f}", f"{JOBS / (after.clock_s - before.clock_s):.0f}")


def _reading(services: Services) -> Reading:
    told = services.store.redis.info("everything")
    calls = sum(one["calls"] for name, one in told.items() if name.startswith("cmdstat_"))
    cpu_s = float(told["used_cpu_user"]) + float(told["used_cpu_sys"])
    return Reading(cpu_s, calls, time.perf_counter())


if __name__ == "__main__":
    main()

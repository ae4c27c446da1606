"""Estimates against the truth, twelve different jobs in one run, taking turns: `python -m bench.planner`."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dreamcore import DreamParams, ZoomParams, dream, load_model, zoom
from dreamcore.backend import describe_backend, describe_device
from dreamcore.calibration import measured
from dreamcore.errors import WeightsError
from dreamcore.planner import peak_memory
from dreamcore.speeds import fitted
from dreamcore.workload import count_work

if TYPE_CHECKING:
    from dreamcore.models import Model
    from dreamcore.planner import Speed

ROUNDS = 3
TARGET = 0.25
KIBI = 1024
GIGA = 1e9


@dataclass(frozen=True)
class Job:
    """A dream on noise of a size (height, width), px; a zoom where it has a path."""

    title: str
    size: tuple[int, int]
    given: dict[str, Any]
    path: ZoomParams | None = None
    told: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def params(self) -> DreamParams:
        """What is dreamt."""
        return DreamParams(**self.given)

    def run(self, *, steps: int | None = None) -> float:
        """Dream; return the seconds that it took."""
        params = self.params if steps is None else self.params.model_copy(update={"steps": steps})
        picture = np.random.default_rng(1).integers(0, 256, (*self.size, 3), dtype=np.uint8)
        model = loaded(params.model)
        start = time.perf_counter()
        if self.path is None:
            dream(picture, params, model=model)
        else:
            list(zoom(picture, params, self.path, model=model))
        return time.perf_counter() - start

    def expected(self, speed: Speed) -> float:
        """Return the seconds that it should take."""
        return speed.seconds(count_work(self.params, self.size, zoom=self.path))


MIXED3 = {"model": "inception_v3", "layers": {"mixed3": 1.0}, "octaves": 2, "steps": 5}
JOBS = (
    Job("defaults", (427, 640), {}),
    Job("defaults, larger", (575, 1024), {"steps": 8}),
    Job("shallow layer, one octave", (512, 512), {"layers": {"fire3": 1.0}, "octaves": 1, "steps": 20}),
    Job("tall and narrow, many octaves", (700, 130), {"octaves": 8, "octave_scale": 1.2, "steps": 10}),
    Job("recipe lapnorm", (400, 600), {"profile": "lapnorm"}),
    Job("recipe smoothed", (400, 600), {"profile": "smoothed"}),
    Job("Adam, penalties", (480, 480), {"optimiser": "adam", "total_variation": 0.1, "l2_penalty": 0.1, "octaves": 3}),
    Job("exact tiles", (900, 1200), {"layers": {"fire8": 1.0}, "tiling": "exact", "octaves": 1, "steps": 4}),
    Job("rolled tiles", (1024, 1024), {"tiling": "rolled", "octaves": 1, "steps": 5}),
    Job("zoom of 6 frames", (240, 320), {"octaves": 3, "steps": 8}, ZoomParams(frames=6)),
    Job("Inception v3 mixed3", (300, 400), MIXED3),
    Job("Inception v3 mixed4-7, recipe keras", (400, 600), {"profile": "keras", "steps": 5, "max_loss": None}),
)


def loaded(name: str) -> Model:
    """Return a model with its weights, or with random ones where there are none: they take as long."""
    try:
        return load_model(name)
    except WeightsError:
        return load_model(name, "random")


def main() -> None:
    """Measure times, or memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--memory", action="store_true", help="measure peak memory instead, a process for each job")
    parser.add_argument("--job", type=int, help="dream one job, two steps an octave, and print its peak in bytes")
    options = parser.parse_args()
    if options.job is not None:
        JOBS[options.job].run(steps=2)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBI)  # for the process that asked
    elif options.memory:
        report_memory()
    else:
        measure(options.rounds)


def measure(rounds: int) -> None:
    """Measure the speed, then the job, job after job, round after round; print the table."""
    for job in JOBS:
        job.run(steps=1)
    for _ in range(rounds):
        for job in JOBS:
            job.told.append(job.expected(fitted(list(measured(loaded(job.params.model))))))
            job.took.append(job.run())
    report()


def report_memory() -> None:
    """Print each job's peak memory beside its estimate."""
    table = Table("job", "model", "px", "estimate, GB", "measured, GB", "ratio")
    for number, job in enumerate(JOBS):
        command = [sys.executable, "-m", "bench.planner", "--job", str(number)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # this very module
        peak, told = float(done.stdout.split()[-1]), peak_memory(job.params, job.size)
        height, width = job.size
        numbers = [f"{told / GIGA:.2f}", f"{peak / GIGA:.2f}", f"{told / peak:.2f}"]
        table.add_row(job.title, job.params.model, f"{width}x{height}", *numbers)
    Console(width=150).print(table)


def report() -> None:
    """Print each job's runs beside the estimates by the speeds that were measured just before them."""
    console = Console(width=150)
    console.print(f"{describe_device()}, {describe_backend()}; {len(JOBS)} jobs")
    table = Table("job", "model", "px", "estimates, s", "measured, s", "ratios", "median")
    off = 0
    for job in JOBS:
        ratios = [told / took for told, took in zip(job.told, job.took, strict=True)]
        off += abs(median(ratios) - 1) > TARGET
        height, width = job.size
        cells = [" ".join(f"{value:.2f}" for value in values) for values in (job.told, job.took, ratios)]
        table.add_row(job.title, job.params.model, f"{width}x{height}", *cells, f"{median(ratios):.2f}")
    console.print(table)
    console.print(f"{len(JOBS) - off} of {len(JOBS)} within {TARGET:.0%}, by the median of {len(JOBS[0].took)} rounds")


if __name__ == "__main__":
    main()

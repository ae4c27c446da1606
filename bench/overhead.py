"""What the farm adds to a render: a job's wall time through api, queue, worker and S3, over the engine's alone."""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from dreamcore import DreamParams, dream
from dreamfarm.client import Farm
from dreamfarm.stack import Stack

STARTS = 7
PAIRS = 6
WIDTH_PX, HEIGHT_PX = 768, 512
PARAMS: dict[str, Any] = {"seed": 7}
RESAMPLES = 10_000


class Pair(NamedTuple):
    """The same render twice, in s."""

    alone: float
    through: float


def main(console: Console | None = None, *, starts: int = STARTS) -> None:
    """Time engine and farm in turn, both warm, and print the ratio.

    A process keeps the pace that it happens to start with, so both are started anew several times.
    """
    console = console or Console()
    rounds = [_round() for _ in range(starts)]
    console.print(_table(rounds))
    low, middle, high = (_percent(log) for log in _interval(rounds))
    console.print(f"Overhead: {middle:+.1f} %, 95 % interval over the starts {low:+.1f} to {high:+.1f} %.")


def _table(rounds: list[list[Pair]]) -> Table:
    table = Table(title=f"Farm overhead, {WIDTH_PX} px job, default parameters, {PAIRS} pairs in turn a start")
    for heading in ("start", "dreamcore.dream alone", "job through the farm", "overhead"):
        table.add_column(heading, justify="right")
    for number, pairs in enumerate(rounds, start=1):
        alone, through = (statistics.median(column) for column in zip(*pairs, strict=True))
        overhead = _percent(_log_ratio(pairs))
        table.add_row(str(number), f"{alone:.2f} s", f"{through:.2f} s", f"{overhead:+.1f} %")
    return table


def _percent(log_ratio: float) -> float:
    return 100 * math.expm1(log_ratio)


def _log_ratio(pairs: list[Pair]) -> float:
    return statistics.median(math.log(pair.through / pair.alone) for pair in pairs)


def _interval(rounds: list[list[Pair]]) -> tuple[float, float, float]:
    """Return the median of the starts' log ratios between the ends of its bootstrap interval.

    The median, because a start that shares the machine with somebody else's work can only be too slow.
    """
    logs = np.array([_log_ratio(pairs) for pairs in rounds])
    medians = np.median(np.random.default_rng(0).choice(logs, (RESAMPLES, len(logs))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(low), float(np.median(logs)), float(high)


def _round() -> list[Pair]:
    """Start engine and farm in processes of their own, warm both, and time them in turn."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        path = Path(folder) / "photo.png"
        _save_picture(path)
        with Stack(Path(folder) / "farm", workers=1) as stack:
            sides = Sides(pool, Farm(stack.api_url), path)
            sides.pair()
            return [sides.pair(engine_first=number % 2 == 0) for number in range(PAIRS)]


class Sides(NamedTuple):
    """The engine in a process of its own, and the farm, with the picture that both dream on."""

    pool: ProcessPoolExecutor
    farm: Farm
    path: Path

    def pair(self, *, engine_first: bool = True) -> Pair:
        """Time both; who goes first changes, so that a machine that slows down treats both alike."""
        if engine_first:
            return Pair(self.alone(), self.through())
        through = self.through()
        return Pair(self.alone(), through)

    def alone(self) -> float:
        """Return what the engine takes, in s."""
        return self.pool.submit(_engine_seconds, self.path).result()

    def through(self) -> float:
        """Return what the job takes from its submission to the news of its end, in s."""
        started = time.perf_counter()
        self.farm.wait(self.farm.submit(self.path, params=PARAMS, fresh=True).id)
        return time.perf_counter() - started


def _engine_seconds(path: Path) -> float:
    image = np.asarray(Image.open(path))
    params = DreamParams.model_validate(PARAMS)
    started = time.perf_counter()
    dream(image, params)
    return time.perf_counter() - started


def _save_picture(path: Path) -> None:
    """Save smooth coloured noise: the time of a step doesn't depend on what is in the picture."""
    coarse = np.random.default_rng(0).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC).save(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=STARTS, help="how often engine and farm are started anew")
    main(starts=parser.parse_args().starts)

"""What the farm adds to a render: a job's wall time through api, queue, worker and S3, over the engine's alone."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from dreamcore import DreamParams, dream
from dreamfarm.client import Farm
from dreamfarm.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

PAIRS = 12
WIDTH_PX, HEIGHT_PX = 768, 512
PARAMS: dict[str, Any] = {"seed": 7}


def main(console: Console | None = None) -> None:
    """Time engine and farm in turn, both warm, and print the ratio."""
    console = console or Console()
    image = _picture()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.png"
        Image.fromarray(image).save(path)
        with Stack(Path(folder) / "farm", workers=1) as stack:
            pairs = _pairs(image, path, Farm(stack.api_url))
    console.print(_table(pairs))


def _table(pairs: list[tuple[float, float]]) -> Table:
    """Show medians and bests: what else runs on a machine only ever adds, so the bests tell of the farm alone."""
    table = Table(title=f"Farm overhead, {WIDTH_PX} px job, default parameters, {PAIRS} pairs in turn")
    for heading in ("", "dreamcore.dream alone", "job through the farm", "overhead"):
        table.add_column(heading, justify="right")
    for name, choose in (("median", statistics.median), ("best", min)):
        alone, through = (choose(column) for column in zip(*pairs, strict=True))
        table.add_row(name, f"{alone:.2f} s", f"{through:.2f} s", f"{100 * (through / alone - 1):+.1f} %")
    return table


def _pairs(image: NDArray[np.uint8], path: Path, farm: Farm) -> list[tuple[float, float]]:
    params = DreamParams.model_validate(PARAMS)

    def engine() -> None:
        dream(image, params)

    def job() -> None:
        farm.wait(farm.submit(path, params=PARAMS).id)

    engine()
    job()
    return [_pair(engine, job, engine_first=number % 2 == 0) for number in range(PAIRS)]


def _pair(engine: Callable[[], None], job: Callable[[], None], *, engine_first: bool) -> tuple[float, float]:
    """Time both; who goes first changes, so that a machine that slows down treats both alike."""
    if engine_first:
        return _seconds(engine), _seconds(job)
    through = _seconds(job)
    return _seconds(engine), through


def _seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _picture() -> NDArray[np.uint8]:
    """Return smooth coloured noise: the time of a step doesn't depend on what is in the picture."""
    coarse = np.random.default_rng(0).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC))


if __name__ == "__main__":
    main()

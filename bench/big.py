"""How much memory a large picture takes: `python -m bench.big`; each size in a process of its own."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

SIDES_PX = (2048, 4096, 8192)
BUDGET_GB = 4.0
COARSE = 64


def main(sides_px: list[int], *, octaves: int, steps: int, memory_gb: float) -> None:
    """Print the table, a line as soon as it is measured."""
    title = f"SqueezeNet fire8, {octaves} octaves of {steps} steps, memory_gb={memory_gb:g}"
    table = Table("side", "megapixels", "peak memory", "wall time", "tiles at full size", title=title)
    console = Console()
    for side_px in sides_px:
        row = _measured(side_px, octaves=octaves, steps=steps, memory_gb=memory_gb)
        table.add_row(*row)
        console.print(*row, sep="  ")
    console.print(table)


def _measured(side_px: int, *, octaves: int, steps: int, memory_gb: float) -> list[str]:
    command = [sys.executable, "-m", "bench.big", "--alone", str(side_px)]
    command += ["--octaves", str(octaves), "--steps", str(steps), "--memory-gb", str(memory_gb)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])  # noqa: S603  # ourselves
    return [
        f"{side_px} px",
        f"{side_px**2 / 1e6:.0f}",
        f"{found['peak_gb']:.2f} GB",
        f"{found['seconds']:.0f} s",
        str(found["tiles"]),
    ]


def alone(side_px: int, *, octaves: int, steps: int, memory_gb: float) -> None:
    """Dream once, and print what it took."""
    from dreamcore import DreamParams, dream  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.workload import crops_of_step  # noqa: PLC0415

    image = _picture(side_px)
    params = DreamParams(model="squeezenet", layers={"fire8": 1.0}, octaves=octaves, steps=steps)
    size = (side_px, side_px)
    tiles = sum(count for _, count in crops_of_step(params, size, largest=size, memory_bytes=memory_gb * 1e9))
    started = time.monotonic()
    dream(image, params, memory_gb=memory_gb)
    print(json.dumps({"peak_gb": _peak_gb(), "seconds": time.monotonic() - started, "tiles": tiles}))  # to the parent


def _picture(side_px: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return coloured noise in squares, made in little more memory than its own."""
    coarse = np.random.default_rng(0).integers(0, 256, (-(-side_px // COARSE),) * 2 + (3,), dtype=np.uint8)
    return coarse.repeat(COARSE, axis=0).repeat(COARSE, axis=1)[:side_px, :side_px]


def _peak_gb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e9


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sides_px", type=int, nargs="*", default=SIDES_PX, help="sides of the squares")
    parser.add_argument("--octaves", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1, help="per octave")
    parser.add_argument("--memory-gb", type=float, default=BUDGET_GB)
    parser.add_argument("--alone", action="store_true", help="measure one side in this process")
    given = parser.parse_args()
    options = {"octaves": given.octaves, "steps": given.steps, "memory_gb": given.memory_gb}
    if given.alone:
        alone(given.sides_px[0], **options)
    else:
        main(given.sides_px, **options)

"""Speed on the processor against what else there is, in one run, taking turns: `python -m bench.steps`."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from statistics import median
from typing import Self

from rich.console import Console
from rich.table import Table

from bench.contestants import CASES, CONVOLUTION_OPERATIONS
from dreamcore.capacity import step_operations
from dreamcore.catalog import get_model
from dreamcore.processor import processor, usable_cores

TITLES = {
    "dreamcore": "dreamcore",
    "dreamcore_bfloat16": "dreamcore, precision bfloat16",
    "eager": "Keras example, eager GradientTape",
    "function": "Keras model, plain tf.function",
    "convolution": "share of a big 3x3 convolution's rate",
}
ROUNDS = 9
SIZES = 20
STARTS = 3
FIRST = (
    "import numpy as np; from dreamcore import DreamParams, dream, load_model; "
    "dream(np.random.default_rng(0).integers(0, 256, (512, 768, 3), dtype=np.uint8), DreamParams(), "
    "model=load_model('squeezenet', 'random'))"
)


class Contestant:
    """A process that takes a step when told to."""

    def __init__(self, name: str, case: str) -> None:
        command = [sys.executable, "-m", "bench.contestants", name, case]
        self.process = subprocess.Popen(  # noqa: S603  # this very package
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def step_s(self) -> float:
        """Take one step; return its seconds."""
        if self.process.stdin is None:
            raise RuntimeError("The contestant has no way to be told.")
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._read())

    def _read(self) -> str:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self.process.args))} ended early.")  # type: ignore[arg-type]  # a list
        return line


def turns(names: list[str], case: str, rounds: int) -> dict[str, list[float]]:
    """Return each contestant's seconds; they take turns, so that all meet the same machine."""
    with ExitStack() as stack:
        contestants = {name: stack.enter_context(Contestant(name, case)) for name in names}
        taken = [{name: each.step_s() for name, each in contestants.items()} for _ in range(rounds)]
    return {name: [turn[name] for turn in taken] for name in names}


def main() -> None:
    """Print the tables."""
    console = Console()
    console.print(f"{processor()}, {usable_cores()} cores")
    console.print(_steps_table())
    console.print(_whole_table())


def _steps_table() -> Table:
    table = Table("step", *(case.title for case in CASES.values()), title=f"Step, median of {ROUNDS}, taking turns")
    times = {case: {n: median(s) for n, s in turns([*TITLES], case, ROUNDS).items()} for case in CASES}
    for name, title in TITLES.items():
        table.add_row(title, *(_cell(case, times[case], name) for case in CASES))
    return table


def _cell(case: str, times: dict[str, float], name: str) -> str:
    if name != "convolution":
        return f"{times[name]:.3f} s   {times[name] / times['dreamcore']:.2f}x"
    of = CASES[case]
    reached = step_operations(get_model(of.model), of.layers, of.size) / times["dreamcore"]
    rate = CONVOLUTION_OPERATIONS / times[name]
    return f"{100 * reached / rate:.0f} % of {rate / 1e9:.0f} Gflop/s"


def _whole_table() -> Table:
    table = Table("whole dreams", "SqueezeNet, default recipe")
    seconds = {name: sum(each) for name, each in turns(["one_size", "twenty_sizes"], "squeezenet", SIZES).items()}
    ratio = seconds["twenty_sizes"] / seconds["one_size"]
    table.add_row(f"{SIZES} pictures of {SIZES} sizes, against {SIZES} of one size", f"{ratio:.2f}x")
    starts = sorted(_start_s() for _ in range(STARTS))
    table.add_row(f"first result, 768x512, import included: median of {STARTS}", f"{median(starts):.1f} s")
    return table


def _start_s() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", FIRST], check=True, stderr=subprocess.DEVNULL)  # noqa: S603  # this package
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

"""Step times of dreamcore against the Keras example's, in one run, taking turns: `python -m bench.steps`."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from statistics import median
from typing import Self

from rich.console import Console
from rich.table import Table

from bench.contestants import CASES

TITLES = {
    "dreamcore": "dreamcore",
    "eager": "Keras example, eager GradientTape",
    "function": "Keras model, plain tf.function",
}
ROUNDS = 9


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


def measure(case: str) -> dict[str, float]:
    """Return each contestant's median seconds per step; they take turns, so that all meet the same machine."""
    with ExitStack() as stack:
        contestants = {name: stack.enter_context(Contestant(name, case)) for name in TITLES}
        turns = [{name: each.step_s() for name, each in contestants.items()} for _ in range(ROUNDS)]
    return {name: median(turn[name] for turn in turns) for name in TITLES}


def main() -> None:
    """Print the table."""
    table = Table(
        "step", *(case.title for case in CASES.values()), title=f"Step time, median of {ROUNDS}, taking turns"
    )
    times = {case: measure(case) for case in CASES}
    for name, title in TITLES.items():
        table.add_row(title, *(_cell(times[case], name) for case in CASES))
    Console().print(table)


def _cell(times: dict[str, float], name: str) -> str:
    return f"{times[name]:.3f} s   {times[name] / times['dreamcore']:.2f}x"


if __name__ == "__main__":
    main()

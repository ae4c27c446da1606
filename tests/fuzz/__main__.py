"""`python -m tests.fuzz [--minutes 10] [--keep FOLDER] [TARGET…]`: look for files that break what reads them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.fuzz.campaign import run
from tests.fuzz.targets import TARGETS


def main():
    """Print a table and what was found; the exit status is 1 if anything was."""
    wanted = arguments()
    with tempfile.TemporaryDirectory() as folder:
        base = wanted.keep or Path(folder)
        seconds = round(60 * wanted.minutes / len(wanted.targets))
        reports = [run(target, base / target, seed=wanted.seed, seconds=seconds) for target in wanted.targets]
        show(reports)
    return 1 if any(report.findings for report in reports) else 0


def arguments():
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="where the random numbers begin (default: 1)")
    parser.add_argument("--keep", type=Path, help="a folder for what was found; a further run goes on from it")
    wanted = parser.parse_args()
    wanted.targets = wanted.targets or list(TARGETS)
    if unknown := set(wanted.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}: name some of {', '.join(TARGETS)}")
    return wanted


def show(reports):
    """Print what came of it."""
    console = Console()
    table = Table("target", "executions", "edges at first", "edges at last", "findings", title="Fuzzing")
    for report in reports:
        first, last = report.edges if report.is_whole else ("", "")
        found = len(report.findings)
        table.add_row(report.target, f"{report.executions:,}", str(first), str(last), str(found))
    console.print(table)
    for report in reports:
        for name, file in report.findings.items():
            text = file.with_name(f"{file.name}.txt")
            console.print(f"{report.target}: {name}", style="red", highlight=False)
            console.print((text if text.exists() else file).read_text(errors="replace")[-3000:], highlight=False)


if __name__ == "__main__":
    sys.exit(main())

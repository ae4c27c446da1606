"""`python -m tests.chaos [SEED]`: two hundred jobs and four workers, while everything goes wrong."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.chaos.campaign import run

JOBS, WORKERS, FAULTS = 200, 4, 66


def main():
    """Print the table and what is wrong; the exit status is 1 if anything is."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder) / "farm", seed=seed, jobs=JOBS, workers=WORKERS, faults=FAULTS)
    console = Console()
    console.print(report.table())
    for text in report.findings:
        console.print(f"  {text}", style="red", highlight=False)
    return 1 if report.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())

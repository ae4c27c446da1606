"""Memory that really runs out: a process with a limit on its address space, in which the library can't allocate."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dreamcore import DreamParams
from dreamcore.shortage import ran_out_of_memory
from tests.dreamcore.in_little_memory import PARAMS
from tests.support import noise

ROOT = Path(__file__).resolve().parents[2]
# A refused allocation of oneDNN's or of a small scratch buffer ends the process: one thread and plain kernels meet the
# large one of the first convolution before these.
PLAIN = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
# Else each thread that meets another in the allocator reserves address space of its own, 64 MB at a time: by chance.
ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}


def dreamt(folder, library, *, side_px, room_mb):
    command = [
        sys.executable,
        "-m",
        "tests.dreamcore.in_little_memory",
        f"{folder}/out.npz",
        str(side_px),
        str(room_mb),
    ]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | PLAIN | ONE_HEAP | {"KERAS_BACKEND": library, "PYTHONPATH": path}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=300)
    with np.load(folder / "out.npz") as stored:
        return stored["image"], json.loads(str(stored["about"]))


@pytest.mark.slow
@pytest.mark.parametrize(("library", "side_px", "room_mb"), [("tensorflow", 1200, 75), ("jax", 700, 180)])
def test_a_frame_that_cannot_be_allocated_is_dreamt_in_tiles(tmp_path, library, side_px, room_mb):
    """Where the whole frame's activations are refused, smaller tiles make the whole frame's picture, and it says so."""
    from dreamcore import dream, load_model  # noqa: PLC0415  # loads TensorFlow

    image, about = dreamt(tmp_path, library, side_px=side_px, room_mb=room_mb)
    params = DreamParams.model_validate(PARAMS | {"tiling": "off"})
    whole = dream(noise(side_px, side_px), params, model=load_model("squeezenet", "random")).image
    sides = [int(re.search(r"tiles of (\d+) px", notice)[1]) for notice in about["notices"]]

    assert about["code"] is None
    assert sides
    assert sides == sorted(sides, reverse=True)
    assert np.abs(image.astype(float) - whole).mean() / 255 <= 1e-3


@pytest.mark.slow
def test_a_picture_that_fits_by_no_tiles_is_refused_by_its_code(tmp_path):
    """Where not even a copy of the picture can be had, the dream ends as out_of_memory and the process lives on."""
    _, about = dreamt(tmp_path, "tensorflow", side_px=1200, room_mb=10)

    assert about["code"] == "out_of_memory"


@pytest.mark.parametrize(
    ("error", "is_shortage"),
    [
        pytest.param(MemoryError(), True, id="python"),
        pytest.param(TypeError("Binding failed due to `Unable to allocate 16.5 MiB for an array`"), True, id="numpy"),
        pytest.param(RuntimeError("INTERNAL: Out of memory allocating 1125158248 bytes."), True, id="xla"),
        pytest.param(ValueError("Status: 1, message: could not create a primitive"), True, id="onednn"),
        pytest.param(ValueError("Status: 2, message: could not create a primitive"), False, id="onednn-other"),
        pytest.param(KeyError("memory"), False, id="key"),
    ],
)
def test_lack_of_memory_is_known_by_what_each_library_says(error, is_shortage):
    """Errors of other kinds that tell of refused allocations count, and none that don't."""
    assert ran_out_of_memory(error) is is_shortage

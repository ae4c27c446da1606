"""Dreams by recipe "lapnorm", within a mask, on a square of argument 1 px in argument 2 GB; prints the peak in bytes.

Run as a program by a test, since a process' peak can't be taken back.
"""

import sys
from pathlib import Path

import numpy as np

from dreamcore import DreamParams, dream, load_model
from tests.support import noise

PARAMS = {"model": "squeezenet", "profile": "lapnorm", "layers": {"fire8": 1.0}, "octaves": 1, "steps": 1}


def main(side_px: int, memory_gb: float) -> None:
    mask = np.zeros((side_px, side_px), np.uint8)
    mask[side_px // 8 :, side_px // 4 :] = 255
    params = DreamParams.model_validate(PARAMS)
    dream(noise(side_px, side_px), params, mask=mask, model=load_model("squeezenet"), memory_gb=memory_gb)
    print(peak_bytes())  # noqa: T201  # for the process that asked


def peak_bytes():
    """Return this program's peak; `getrusage` would count that of the process that started it, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))

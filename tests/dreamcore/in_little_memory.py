"""Dreams on a square of argument 2 px with argument 3 MB of address space left, into the file that argument 1 names.

Run as a program by a test, since a limit can't be taken back.
"""

import json
import resource
import sys
from pathlib import Path

import numpy as np

from dreamcore import DreamParams, dream, load_model
from dreamcore.errors import OutOfMemoryError
from tests.support import noise

PARAMS = {"model": "squeezenet", "layers": {"fire8": 1.0}, "octaves": 1, "steps": 1, "step_size": 0.1, "max_loss": None}
PLENTY_GB = 1000.0


def main(out: Path, side_px: int, room_mb: int) -> None:
    model = load_model("squeezenet", "random")
    params = DreamParams.model_validate(PARAMS)
    small, picture = noise(200, 200), noise(side_px, side_px)
    for tiling in ("off", "exact"):
        dream(small, params.model_copy(update={"tiling": tiling}), model=model)
    limit = address_space_bytes() + room_mb * 10**6
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    image, notices, code = small, (), None
    try:
        result = dream(picture, params, model=model, memory_gb=PLENTY_GB)
        image, notices = result.image, result.notices
    except OutOfMemoryError as error:
        code = error.code
    np.savez(out, image=image, about=json.dumps({"notices": notices, "code": code}))


def address_space_bytes():
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

"""Dreams every preset on a photograph, for the docs: `python -m bench.presets`."""

from __future__ import annotations

import sys

import numpy as np

from bench.shown import IMAGES, photo, save
from dreamcore import DreamParams, dream
from dreamcore.presets import PRESETS


def main() -> None:
    """Write a JPEG for each preset, or for those that are named."""
    folder = IMAGES / "presets"
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or PRESETS:
        result = dream(photo(), DreamParams.model_validate({"preset": name}))
        save(result.image.astype(np.uint8), folder / f"{name}.jpg")


if __name__ == "__main__":
    main()

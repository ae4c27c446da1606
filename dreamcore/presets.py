"""Looks to choose by: named bundles of parameters. Imports no TensorFlow.

`python -m bench.presets` dreams each on a photograph, for `docs/presets.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

PresetName = Literal[
    "none",
    "eyes-and-creatures",
    "animals-in-hiding",
    "birds-of-paradise",
    "birds-from-nothing",
    "liquid-brushwork",
    "hammered-relief",
    "floating-eyes",
    "molten-color",
    "glowing-embers",
    "spiral-garden",
]


@dataclass(frozen=True)
class Preset:
    """A look: what it shows, and the parameters that make it; what is given besides them wins.

    `params` hold no layers: those are `layers`, and count for their `model` alone.
    """

    name: PresetName
    title: str
    layers: Mapping[str, float]
    params: Mapping[str, Any]
    model: str = "squeezenet"

    def fill(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters given, completed by the preset's."""
        filled = {"model": self.model, **self.params, **given}
        if filled["model"] == self.model:
            filled.setdefault("layers", dict(self.layers))
        return filled


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "eyes-and-creatures",
            "Heads, eyes and fur grow out of whatever is there",
            {"fire8": 1.0, "fire9": 1.0},
            {"octaves": 6, "steps": 20},
        ),
        Preset(
            "animals-in-hiding",
            "Animals made of the photo's own light and colours",
            {"fire8": 1.0},
            {"steps": 20, "keep_colors": True},
        ),
        Preset(
            "birds-of-paradise",
            "Whole birds, in colours the photo never had",
            {"fire9": 1.0},
            {"octaves": 6, "steps": 20, "laplacian": 4},
        ),
        Preset(
            "birds-from-nothing",
            "Plumage and beaks on grey noise; the photo gives its size alone",
            {"fire9": 1.0},
            {"start": "noise", "octaves": 6, "steps": 30},
        ),
        Preset(
            "liquid-brushwork",
            "Swirling strokes around every light, in the photo's colours",
            {"fire5": 1.0},
            {"steps": 18, "keep_colors": True},
        ),
        Preset(
            "hammered-relief",
            "Chased metal and carved wood: every texture stands out",
            {"fire2": 1.0},
            {"octaves": 2, "steps": 12, "step_size": 0.02, "keep_colors": True},
        ),
        Preset(
            "floating-eyes",
            "A soft mist with eyes adrift in it",
            {"fire6": 1.0},
            {
                "steps": 20,
                "normalise": "centred",
                "smoothing": 0.5,
                "smoothing_growth": 3.0,
                "total_variation": 0.6,
            },
        ),
        Preset(
            "molten-color",
            "Shapes melt into bands of pure colour",
            {"fire3": 1.0},
            {"octaves": 4, "steps": 20, "step_size": 0.02, "smoothing": 1.2, "total_variation": 0.3},
        ),
        Preset(
            "glowing-embers",
            "Broad warm glows at every scale at once",
            {"fire5": 1.0},
            {"profile": "lapnorm", "steps": 14, "step_size": 0.01, "l2_penalty": 0.3},
        ),
        Preset(
            "spiral-garden",
            "Coloured whorls from edge to edge; the photo gives its size alone",
            {"fire5": 1.0},
            {"start": "noise", "octaves": 6, "steps": 25, "optimiser": "adam", "l2_penalty": 0.1},
        ),
    )
}

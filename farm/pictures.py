"""Pictures that people hand in: looked at before anything is stored, then kept once under their SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from dreamcore.pictures import decode

from dreamcore.errors import PictureError, PictureTooLargeError
from farm import keys
from farm.errors import NotFoundError, PermanentError
from farm.schema import PictureView

if TYPE_CHECKING:
    from farm.settings import Settings
    from farm.storage import ObjectStore


class StoredPicture(NamedTuple):
    """A picture in the object store, and what was done with it otherwise than one might expect."""

    view: PictureView
    notices: tuple[str, ...]


class PictureService:
    """Takes pictures in."""

    def __init__(self, storage: ObjectStore, settings: Settings) -> None:
        self.storage = storage
        self.max_pixels = settings.max_pixels
        self.max_bytes = settings.max_upload_bytes

    def take(self, data: bytes) -> StoredPicture:
        """Check that the bytes are a picture, and store them.

        Raises
        ------
        PictureError
            They are no picture that can be dreamt; nothing was stored.
        """
        stored = self._look_at(data)
        key = keys.picture(stored.view.sha256)
        if not self.storage.exists(key):
            self.storage.put(key, data, content_type="application/octet-stream")
        return stored

    def take_upload(self, upload_id: str) -> StoredPicture:
        """Take in what a client put past the api under a presigned link."""
        key = keys.upload(upload_id)
        try:
            stored = self.take(self.storage.get(key, max_bytes=self.max_bytes))
        except NotFoundError:
            raise PictureError(f"Nothing was uploaded as {upload_id!r}: PUT the picture to the upload's url.") from None
        except PermanentError as error:
            raise PictureTooLargeError(str(error)) from None
        self.storage.delete(key)
        return stored

    def find(self, sha256: str) -> StoredPicture:
        """Return a picture that is in the store already."""
        try:
            return self._look_at(self.storage.get(keys.picture(sha256)))
        except NotFoundError:
            raise PictureError(f"No picture with the SHA-256 {sha256!r} is stored. Upload it first.") from None

    def _look_at(self, data: bytes) -> StoredPicture:
        if len(data) > self.max_bytes:
            raise PictureTooLargeError(f"The file has {len(data)} bytes; {self.max_bytes} are allowed.")
        picture = decode(data, max_pixels=self.max_pixels)
        height, width = picture.rgb.shape[:2]
        view = PictureView(sha256=hashlib.sha256(data).hexdigest(), width=width, height=height)
        return StoredPicture(view, picture.notices)

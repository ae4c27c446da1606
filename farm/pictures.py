"""Pictures that people hand in: looked at before anything is stored, then kept once under their SHA-256."""

from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from dreamcore.errors import PictureError, PictureTooLargeError
from farm import keys
from farm.decoders import Bounds, decoder_pool
from farm.errors import AddressError, CallError, NotFoundError
from farm.owners import LOCAL
from farm.redis import redis_errors
from farm.schema import PictureView

if TYPE_CHECKING:
    from farm.outbound import Outbound
    from farm.redis import TextRedis
    from farm.settings import Settings
    from farm.storage import ObjectStore

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"})
UPLOAD_LIFE_S = 7 * 86_400
"""How long after it was asked for an upload can be named."""


class PictureUrlError(PictureError):
    """The picture's URL leads to where the farm doesn't go, or to no file."""

    code = "picture_unreachable"


class SeenPicture(NamedTuple):
    """A picture that was looked at: what it is, and what is done with it otherwise than one might expect."""

    data: bytes
    view: PictureView
    notices: tuple[str, ...]


class PictureService:
    """Looks at pictures, and keeps those that a job needs."""

    def __init__(self, storage: ObjectStore, redis: TextRedis, outbound: Outbound, settings: Settings) -> None:
        self.storage = storage
        self.outbound = outbound
        self.redis = redis
        self.decoders = decoder_pool(Bounds.of(settings), settings.decoders)
        self.max_bytes = settings.max_upload_bytes
        self.input_prefixes = settings.input_prefixes

    def look_at(self, data: bytes) -> SeenPicture:
        """Check that the bytes are a picture, in another process. Nothing is stored.

        Raises
        ------
        PictureError
            They are no picture that can be dreamt.
        """
        if len(data) > self.max_bytes:
            raise PictureTooLargeError(f"The file has {len(data)} bytes; {self.max_bytes} are allowed.")
        seen = self.decoders.look(data)
        view = PictureView(sha256=hashlib.sha256(data).hexdigest(), width=seen.width, height=seen.height)
        return SeenPicture(data, view, seen.notices)

    def find(self, sha256: str, *, owner: str = LOCAL) -> SeenPicture:
        """Look at a picture that this owner has handed in before."""
        try:
            return self.seek(sha256, owner=owner)
        except NotFoundError as error:
            raise PictureError(str(error)) from None

    def seek(self, sha256: str, *, owner: str = LOCAL) -> SeenPicture:
        """Look at a picture that this owner may have handed in.

        Raises
        ------
        NotFoundError
            They haven't.
        """
        self.check_owner(sha256, owner)
        try:
            return self.look_at(self.storage.get(keys.picture(sha256), max_bytes=self.max_bytes))
        except NotFoundError:
            raise _no_picture(sha256) from None

    def find_upload(self, upload_id: str, *, owner: str = LOCAL) -> SeenPicture:
        """Look at what this owner put past the api under a presigned link."""
        try:
            self.check_upload(upload_id, owner)
            return self.look_at(self.storage.get(keys.upload(upload_id), max_bytes=self.max_bytes))
        except NotFoundError:
            raise PictureError(str(_no_upload(upload_id))) from None

    def below(self, prefix: str, *, owner: str = LOCAL, most: int) -> list[str]:
        """Return the keys of the pictures below a prefix of the object store, by the names' suffixes, up to `most`.

        Raises
        ------
        PictureError
            The farm doesn't open that prefix to this owner, or there is no picture below it.
        """
        self._check_key(prefix, owner)
        pictures = (key for key in self.storage.names(prefix) if PurePosixPath(key).suffix.lower() in SUFFIXES)
        found = list(islice(pictures, most))
        if not found:
            raise PictureError(f"There is no picture below {prefix!r} ({', '.join(sorted(SUFFIXES))}).")
        return found

    def find_key(self, key: str, *, owner: str = LOCAL) -> SeenPicture:
        """Look at a picture that lies below a prefix that the farm opens to this owner."""
        self._check_key(key, owner)
        try:
            return self.look_at(self.storage.get(key, max_bytes=self.max_bytes))
        except NotFoundError:
            raise PictureError(f"There is no object {key!r} any more.") from None

    def _check_key(self, key: str, owner: str) -> None:
        opened = [prefix.replace("{owner}", owner) for prefix in self.input_prefixes]
        if not any(key.startswith(prefix) for prefix in opened):
            ways = f"It opens {' and '.join(map(repr, opened))}." if opened else "It opens none."
            raise PictureError(f"The farm doesn't open {key!r} of its object store to you. {ways}")

    def fetch(self, url: str) -> SeenPicture:
        """Look at the picture that lies at a URL.

        Raises
        ------
        PictureUrlError
            The farm doesn't call that address, or got no file there.
        PictureError
            It is no picture that can be dreamt.
        """
        try:
            return self.look_at(self.outbound.get(url, max_bytes=self.max_bytes))
        except (AddressError, CallError) as error:
            raise PictureUrlError(f"The picture's URL: {error}") from None

    @redis_errors()
    def keep(self, seen: SeenPicture, *, owner: str = LOCAL) -> None:
        """Store a picture under its SHA-256, once however often it is used, and note whose it is too."""
        key = keys.picture(seen.view.sha256)
        is_new = self.redis.sadd(keys.pictures_of(owner), seen.view.sha256)
        if is_new or not self.storage.exists(key):  # what is new to its owner is seldom stored: one call, not two
            self.storage.put(key, seen.data, content_type="application/octet-stream")

    @redis_errors()
    def new_upload(self, upload_id: str, owner: str) -> None:
        """Make a place to put a picture to, which is this owner's alone."""
        if owner != LOCAL:
            self.redis.set(keys.upload_owner(upload_id), owner, ex=UPLOAD_LIFE_S)

    @redis_errors()
    def check_owner(self, sha256: str, owner: str) -> None:
        """Raise `NotFoundError` unless this owner handed in such a picture; without keys all are everybody's."""
        if owner != LOCAL and not self.redis.sismember(keys.pictures_of(owner), sha256):
            raise _no_picture(sha256)

    @redis_errors()
    def check_upload(self, upload_id: str, owner: str) -> None:
        """Raise `NotFoundError` unless this owner asked for such an upload; without keys all are everybody's."""
        if owner != LOCAL and self.redis.get(keys.upload_owner(upload_id)) != owner:
            raise _no_upload(upload_id)


def _no_picture(sha256: str) -> NotFoundError:
    return NotFoundError(f"No picture with the SHA-256 {sha256!r} is stored: upload it first.")


def _no_upload(upload_id: str) -> NotFoundError:
    return NotFoundError(f"Nothing is uploaded as {upload_id!r}: PUT it to the upload's url.")

"""What groups of calls share: the transport that they go by, and what can be said of a job."""

from __future__ import annotations

import hashlib
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from dreamfarm.errors import FarmError
from farm.schema import PictureView, UploadView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dreamfarm.answers import Answer
    from dreamfarm.transport import Transport
    from farm.schema import ResultFormat

    Picture = Path | bytes
    Pictures = Picture | Sequence[Picture]

LARGEST_PAGE = 200


class JobOptions(TypedDict, total=False):
    """All of a job but its picture; each may be left out.

    Parameters
    ----------
    params : what to dream; what it leaves out has the farm's defaults.
    guide, mask : pictures to dream towards, and where to dream: white. One each, or several.
    zoom : makes a film, be it empty: frames, scale, rotate, shift, centre, fps, format and so on.
    format : of the result, where that is a picture.
    name : to recognise the job by; for a file its own where left out.
    tags, needs : to list jobs by; what a worker must offer.
    priority : 9 goes before your jobs of 0.
    expires_in : the result is kept so long, in s.
    fresh : render even what was rendered before.
    idempotency_key : a second call with it, from another process too, within a day, returns what the first one made.
    """

    params: Mapping[str, object]
    guide: Pictures | None
    mask: Pictures | None
    zoom: Mapping[str, object] | None
    format: ResultFormat
    name: str | None
    tags: Sequence[str]
    needs: Sequence[str]
    priority: int
    expires_in: int | None
    fresh: bool
    idempotency_key: str | None


PICTURE_OPTIONS = ("guide", "mask")
PLAIN_OPTIONS = ("format", "name", "tags", "needs", "priority", "expires_in", "fresh")


class Calls:
    """Base of a group of calls.

    Parameters
    ----------
    transport : what they go by.
    poll_s : pause between two looks at a job where it can't be followed by a stream, in s.
    patience_s : how long the farm may be away while a job is followed, in s.
    """

    def __init__(self, transport: Transport, *, poll_s: float, patience_s: float) -> None:
        self._transport = transport
        self._poll_s = poll_s
        self._patience_s = patience_s

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def upload(self, picture: Path | bytes) -> PictureView:
        """Put a picture into the farm's store, past the api; one that it has already is left where it is."""
        _, data, _ = await self._part(picture)
        try:
            return await self._get(PictureView, f"/v1/pictures/{hashlib.sha256(data).hexdigest()}")
        except FarmError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        place = await self._post(UploadView, "/v1/uploads")
        await self._transport.call("PUT", place.url, content=data)
        return await self._post(PictureView, f"/v1/uploads/{place.upload}/claim")

    async def _get(self, answer: type[Answer], path: str, query: Mapping[str, object] | None = None) -> Answer:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return await self._transport.read(answer, "GET", path, params=given)

    async def _post(self, answer: type[Answer], path: str, **request: Any) -> Answer:
        return await self._transport.read(answer, "POST", path, **request)

    async def _part(self, picture: Path | bytes) -> tuple[str, bytes, str]:
        """Return a picture as a part of a form: its file's name, bytes, and type."""
        if isinstance(picture, bytes):
            return "picture", picture, "application/octet-stream"
        return picture.name, await self._transport.aside(partial(Path.read_bytes, picture)), "application/octet-stream"

    async def _body(self, options: JobOptions) -> dict[str, Any]:
        """Return options as a body in JSON; the pictures that they hold are uploaded."""
        body = plain_body(options)
        for field in PICTURE_OPTIONS:
            body[field] = [{"sha256": (await self.upload(each)).sha256} for each in several(options, field)]
        return body


def plain_body(options: JobOptions) -> dict[str, Any]:
    """Return options but pictures as the api reads them; what was left out is left out."""
    if unknown := sorted(options.keys() - JobOptions.__annotations__.keys()):
        allowed = ", ".join(JobOptions.__annotations__)
        raise TypeError(f"{unknown[0]!r} is no option of a job. There are: {allowed}.")
    body: dict[str, Any] = {"params": dict(options.get("params") or {})}
    zoom = options.get("zoom")
    if zoom is not None:
        body |= {"kind": "zoom", "zoom": dict(zoom)}
    given = {name: options.get(name) for name in PLAIN_OPTIONS}
    body |= {name: value for name, value in given.items() if value is not None}
    return body


def several(options: JobOptions, field: str) -> Sequence[Path | bytes]:
    """Return the guides or masks among options: one picture, several or none."""
    pictures: Any = options.get(field)
    if pictures is None:
        return ()
    return (pictures,) if isinstance(pictures, (Path, bytes)) else pictures

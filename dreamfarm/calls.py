"""What groups of calls share: the transport that they go by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dreamfarm.transport import Answer, Transport

LARGEST_PAGE = 200


class Calls:
    """Base of a group of calls."""

    _transport: Transport

    def _get(self, answer: type[Answer], path: str, query: Mapping[str, object] | None = None) -> Answer:
        return self._transport.read(answer, "GET", path, params=query)


def picture_part(picture: Path | bytes) -> tuple[str, bytes, str]:
    """Return a picture as a part of a form: its file's name, bytes, and type."""
    if isinstance(picture, bytes):
        return "picture", picture, "application/octet-stream"
    return picture.name, picture.read_bytes(), "application/octet-stream"


def several(pictures: Path | bytes | Sequence[Path | bytes] | None) -> Sequence[Path | bytes]:
    """Return one picture, several or none as a sequence."""
    if pictures is None:
        return ()
    return (pictures,) if isinstance(pictures, (Path, bytes)) else pictures

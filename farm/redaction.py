"""Keeps secrets out of logs: the process' own by what they are, everybody else's by what they look like."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from farm.settings import Settings

CUT = "…"
SHORTEST = 6
"""A shorter password would be cut out of ordinary words; nobody keeps a farm by one."""

SHAPES = re.compile(
    r"(?<=\bdf_[0-9A-HJKMNP-TV-Z]{26}_)[\w-]{43}"  # a key, but for its id
    r"|(?<=dreamfarm_session=)[^\s;,\"'\\]+"
    r"|(?<=whsec_)[\w+/=-]+"
    r"|(?<=\bBearer )[^\s,\"'\\]+"
    r"|(?<=Signature=)[0-9A-Fa-f]{16,}"
    r"|(?<=X-Amz-Security-Token=)[^\s&\"'\\]+"
    r"|(?<=://)[^\s/@\"'\\]+(?=@)"  # who comes in, and by which password
)
"""What opens something, in the forms that it has here."""


def redactor(settings: Settings) -> Callable[[str], str]:
    """Return what cuts secrets out of a text."""
    own = sorted({form for secret in _secrets(settings) for form in _forms(secret)}, key=len, reverse=True)
    shapes = re.compile("|".join([*map(re.escape, own), SHAPES.pattern]), re.ASCII)
    return lambda text: shapes.sub(CUT, text)


def _secrets(settings: Settings) -> Iterator[str]:
    if settings.redis_url.password:
        yield unquote(settings.redis_url.password)
    if settings.s3_secret_access_key:
        yield settings.s3_secret_access_key.get_secret_value()


def _forms(secret: str) -> Iterator[str]:
    """Return how a secret can stand in a text: as it is, within a URL, within JSON."""
    if len(secret) >= SHORTEST:
        yield from (secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1])

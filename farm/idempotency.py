"""Calls that make something, made once however often they are sent: the first answer is kept and given again."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Literal, NamedTuple
from uuid import uuid4

from ulid import ULID

from farm import keys
from farm.errors import ConflictError, InvalidKeyReuseError
from farm.redis import lua, redis_errors

if TYPE_CHECKING:
    from farm.redis import TextRedis

LIFE_MS = 24 * 3600 * 1000
TRY_MS = 15_000
"""After so long a try counts as dead. Should it live after all, both make the same thing, as both have its id."""

End = Literal["keep", "free", "forget"]


class Try(NamedTuple):
    """A call on its way: the id for what it makes, or the answer that was given before."""

    key: str
    token: str
    id: str = ""
    answer: str | None = None


class IdempotencyStore:
    """What every Idempotency-Key stands for, per owner, for a day."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis
        self._claim = redis.register_script(lua("idempotency_claim"))
        self._end = redis.register_script(lua("idempotency_end"))

    @redis_errors()
    def claim(self, owner: str, name: str, fingerprint: str) -> Try:
        """Begin a call, or find the answer to it.

        Raises
        ------
        ConflictError
            The same call is on its way.
        InvalidKeyReuseError
            The key was used for another call.
        """
        key, token = keys.idempotency(owner, _digest(name)), uuid4().hex
        outcome, *rest = self._claim(keys=[key], args=[fingerprint, str(ULID()), token, TRY_MS, LIFE_MS])
        if outcome == "other":
            raise InvalidKeyReuseError(name)
        if outcome == "running":
            raise ConflictError("The same call is on its way; send it again in a moment.", code="in_flight")
        return Try(key, token, answer=_unpacked(rest[0])) if outcome == "done" else Try(key, token, id=rest[0])

    @redis_errors()
    def end(self, one: Try, how: End, *, answer: str = "") -> None:
        """Keep the answer; or free the key for the same call, which may have been made half; or forget it."""
        self._end(keys=[one.key], args=[one.token, how, _packed(answer) if answer else ""])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode())).decode()


def _unpacked(text: str) -> str:
    return zlib.decompress(base64.b64decode(text)).decode()

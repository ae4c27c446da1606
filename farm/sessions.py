"""Sessions of browsers: what their cookie holds stands for a key, and isn't it. The store knows its hash alone."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from farm import keys
from farm.errors import UnknownKeyError
from farm.redis import redis_errors

if TYPE_CHECKING:
    from farm.api_keys import ApiKeys, Caller
    from farm.redis import TextRedis

LIFE_S = 12 * 3600
"""A session that isn't used for so long is over; an open page uses its own every few seconds."""

TOKEN_BYTES = 32
TOKEN = re.compile(r"[\w-]{43}", re.ASCII)


class Sessions:
    """Begins sessions, knows them again, and ends them."""

    def __init__(self, redis: TextRedis, api_keys: ApiKeys) -> None:
        self.redis = redis
        self.api_keys = api_keys

    @redis_errors()
    def begin(self, key: str) -> tuple[Caller, str]:
        """Return who shows a key, and the token of their new session.

        Raises
        ------
        UnknownKeyError
            It is nobody's key, or it was revoked.
        """
        caller = self.api_keys.authenticate(key)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self.redis.set(keys.session(_digest(token)), caller.key_id, ex=LIFE_S)
        return caller, token

    @redis_errors()
    def caller(self, token: str) -> Caller:
        """Return whose session this is, and keep it alive.

        Raises
        ------
        UnknownKeyError
            It is nobody's, it has ended, or its key was revoked.
        """
        key_id = self.redis.getex(keys.session(_digest(token)), ex=LIFE_S) if TOKEN.fullmatch(token) else None
        if key_id is None:
            raise UnknownKeyError("This session has ended. Sign in again.")
        return self.api_keys.caller(key_id)

    @redis_errors()
    def end(self, token: str) -> None:
        """End a session for good, whoever has its token still; one that has ended stays so."""
        self.redis.delete(keys.session(_digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

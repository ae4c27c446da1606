"""Keys by which people and programs show who they are. The store knows a key's hash alone."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ulid import ULID

from farm import keys
from farm.account_schema import KeyView, Scope
from farm.errors import NotFoundError, UnknownKeyError
from farm.owners import LOCAL, OWNER
from farm.redis import redis_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from farm.redis import TextRedis

SECRET_BYTES = 32
NOTE_USE_EVERY_MS = 60_000
TOKEN = re.compile(r"df_([0-9A-HJKMNP-TV-Z]{26})_([\w-]{43})", re.ASCII)
KEY_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
NOBODYS = "0" * 64
"""What a secret is compared with where there is no such key, so that the answer takes as long."""


class Caller(NamedTuple):
    """Who asks, and what they may do. Without a key, on a farm that asks for none, it is the owner "local"."""

    owner: str
    scopes: frozenset[Scope]
    key_id: str | None = None

    def may(self, scope: Scope) -> bool:
        """Tell whether they may do what this scope is for; `admin` may do all."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def sees(self) -> str | None:
        """Whose things they see; None means everybody's."""
        return None if self.may(Scope.ADMIN) else self.owner


class ApiKeys:
    """Makes keys, knows them again, and takes them back."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis

    @redis_errors()
    def create(
        self, owner: str, scopes: Iterable[Scope], *, name: str | None = None, key_id: str | None = None
    ) -> tuple[KeyView, str]:
        """Store a new key; return it, and the text that its user shows and that nobody can read again."""
        key_id, secret = key_id or str(ULID()), secrets.token_urlsafe(SECRET_BYTES)
        view = KeyView(id=key_id, owner=owner, scopes=sorted(set(scopes)), name=name, created_at=datetime.now(UTC))
        fields = {
            "owner": view.owner,
            "scopes": ",".join(view.scopes),
            "name": view.name or "",
            "digest": _digest(secret),
            "created_ms": int(view.created_at.timestamp() * 1000),
        }
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.api_key(key_id), mapping=fields)
            pipe.zadd(keys.API_KEYS, {key_id: 0})
            pipe.execute()
        return view, f"df_{key_id}_{secret}"

    @redis_errors()
    def authenticate(self, token: str) -> Caller:
        """Return whose key this is.

        Raises
        ------
        UnknownKeyError
            It is nobody's, or it was revoked.
        """
        found = TOKEN.fullmatch(token)
        key_id, secret = found.groups() if found else ("", "")
        fields = self.redis.hgetall(keys.api_key(key_id)) if found else {}
        if not hmac.compare_digest(_digest(secret), fields.get("digest", NOBODYS)):
            raise UnknownKeyError
        return self._let_in(key_id, fields)

    @redis_errors()
    def caller(self, key_id: str) -> Caller:
        """Return whose key has this id, for somebody who has shown it before.

        Raises
        ------
        UnknownKeyError
            It was revoked.
        """
        return self._let_in(key_id, self.redis.hgetall(keys.api_key(key_id)))

    @redis_errors()
    def list(self) -> list[KeyView]:
        """Return every key, the revoked ones too, oldest first."""
        key_ids = self.redis.zrange(keys.API_KEYS, "-", "+", bylex=True)
        with self.redis.pipeline(transaction=False) as pipe:
            for key_id in key_ids:
                pipe.hgetall(keys.api_key(key_id))
            return [_view(key_id, fields) for key_id, fields in zip(key_ids, pipe.execute(), strict=True)]

    @redis_errors()
    def revoke(self, key_id: str) -> None:
        """Take a key back, from the next request on; one that was revoked stays so.

        Raises
        ------
        NotFoundError
            There is none with this id.
        """
        if not KEY_ID.fullmatch(key_id) or not self.redis.exists(keys.api_key(key_id)):
            raise NotFoundError(f"There is no key {key_id!r}. GET /v1/keys lists those there are.")
        self.redis.hsetnx(keys.api_key(key_id), "revoked_ms", _now_ms())

    def _let_in(self, key_id: str, fields: Mapping[str, str]) -> Caller:
        if not fields or "revoked_ms" in fields:
            raise UnknownKeyError
        self._note_use(key_id, fields)
        return Caller(fields["owner"], _scopes(fields), key_id)

    def _note_use(self, key_id: str, fields: Mapping[str, str]) -> None:
        now_ms = _now_ms()
        if now_ms - int(fields.get("last_used_ms", 0)) >= NOTE_USE_EVERY_MS:
            self.redis.hset(keys.api_key(key_id), "last_used_ms", now_ms)


def checked_owner(name: str) -> str:
    """Return a name that somebody may have, or raise `ValueError`."""
    if name == LOCAL or not OWNER.fullmatch(name):
        raise ValueError(
            f"{name!r} can't own a key: up to 64 small letters, digits, dots, dashes and underscores, "
            f"a letter or digit first; {LOCAL!r} stands for a farm without keys."
        )
    return name


def _digest(secret: str) -> str:
    # A fast hash will do: nobody can guess 256 random bits.
    return hashlib.sha256(secret.encode()).hexdigest()


def _scopes(fields: Mapping[str, str]) -> frozenset[Scope]:
    # One that a later version knows opens nothing here.
    return frozenset(Scope(text) for text in fields["scopes"].split(",") if text in set(Scope))


def _view(key_id: str, fields: Mapping[str, str]) -> KeyView:
    return KeyView(
        id=key_id,
        owner=fields["owner"],
        scopes=sorted(_scopes(fields)),
        name=fields["name"] or None,
        created_at=_time(fields["created_ms"]),
        last_used_at=_time(fields["last_used_ms"]) if "last_used_ms" in fields else None,
        revoked_at=_time(fields["revoked_ms"]) if "revoked_ms" in fields else None,
    )


def _time(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

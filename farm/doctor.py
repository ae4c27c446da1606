"""Looks whether Redis and S3 are what a farm needs, and says what to do where they aren't."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import httpx2

from farm.errors import FarmError
from farm.redis import connect_redis, redis_errors
from farm.schema import View
from farm.storage import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm.settings import Settings

LEAST_REDIS = (7, 0)
MOST_SKEW_S = 60
REFUSED_SKEW_S = 600
"""S3 refuses signatures that are older than 15 minutes."""

PUBLIC_FIX = "DREAMFARM_S3_PUBLIC_ENDPOINT_URL must be S3 as users reach it."
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Finding(View):
    """What one look found; `fix` says what to do where it isn't well."""

    subject: str
    state: Literal["well", "warning", "problem"]
    detail: str
    fix: str = ""


def look_at_redis(settings: Settings) -> Iterator[Finding]:
    """Yield what is to say of Redis: its version, whether it keeps what it is told, and who may come in."""
    client = connect_redis(settings)
    try:
        with redis_errors():
            info, there = client.info(), client.time()[0]
    except FarmError as error:
        yield _problem("Redis", str(error), "Start it, or set DREAMFARM_REDIS_URL: where it is, and its password.")
        return
    yield _version(info)
    yield _persistence(info)
    yield _eviction(info)
    yield _password(settings)
    yield _clock("Redis' clock", there - time.time())


def look_at_s3(settings: Settings) -> Iterator[Finding]:
    """Yield what is to say of the object store: its bucket, its links, and its clock."""
    storage = ObjectStore(settings)
    try:
        yield _clock("S3's clock", storage.clock_skew_s())
    except FarmError as error:
        yield _problem("S3", str(error), "Check DREAMFARM_S3_ENDPOINT_URL, its keys, and that the bucket is there.")
        return
    name = f"doctor/{uuid4().hex}"
    for subject, look in {"S3 writes": _writes, "S3 conditional writes": _conditional, "S3 links": _links}.items():
        try:
            yield look(storage, subject, name)
        except FarmError as error:
            yield _problem(subject, str(error), "The farm's key must be able to read, write, list and delete objects.")
    storage.delete_prefix("doctor/")


def _version(info: dict[str, Any]) -> Finding:
    product = "Valkey" if "valkey_version" in info else "Redis"
    found = str(info.get("valkey_version") or info["redis_version"])
    if tuple(int(part) for part in str(info["redis_version"]).split(".")[:2]) >= LEAST_REDIS:
        return _well("Redis", f"{product} {found} answers.")
    return _problem("Redis", f"{product} {found} is too old.", "Redis 7 or Valkey is needed.")


def _persistence(info: dict[str, Any]) -> Finding:
    if info.get("aof_last_write_status", "ok") != "ok" or info.get("rdb_last_bgsave_status", "ok") != "ok":
        return _problem("Redis' persistence", "Its last write to disk failed.", "Look for a full disk, and at its log.")
    if info.get("aof_enabled"):
        return _well("Redis' persistence", "The append-only file is on.")
    return _problem(
        "Redis' persistence", "The append-only file is off: jobs are lost when Redis ends.", "Set appendonly to yes."
    )


def _eviction(info: dict[str, Any]) -> Finding:
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction":
        return _well("Redis' eviction", "None: what is stored stays.")
    detail = f"The policy is {policy}: jobs may be thrown away when memory runs short."
    return _problem("Redis' eviction", detail, "Set maxmemory-policy to noeviction.")


def _password(settings: Settings) -> Finding:
    if settings.redis_url.host in LOOPBACK or settings.redis_url.password:
        return _well("Redis' door", "It is on this machine, or asks for a password.")
    return _warning("Redis' door", "It asks for no password.", "Set requirepass, and put the password into the URL.")


def _clock(subject: str, skew_s: float) -> Finding:
    detail = f"It differs from this machine's by {abs(skew_s):.0f} s."
    if abs(skew_s) < MOST_SKEW_S:
        return _well(subject, detail)
    kind = _problem if abs(skew_s) > REFUSED_SKEW_S else _warning
    return kind(subject, detail, "Set the clocks by NTP: signed links hold for minutes.")


def _writes(storage: ObjectStore, subject: str, name: str) -> Finding:
    storage.put(name, b"well", content_type="text/plain")
    if storage.get(name) != b"well" or list(storage.names(name)) != [name]:
        return _problem(subject, "What was written doesn't come back.", "Take a store that is consistent after writes.")
    return _well(subject, f"Objects are written, listed and read in the bucket {storage.bucket!r}.")


def _conditional(storage: ObjectStore, subject: str, name: str) -> Finding:
    if storage.put_new(f"{name}-new", b"1") and not storage.put_new(f"{name}-new", b"2"):
        return _well(subject, "An object can be kept from being overwritten.")
    return _warning(
        subject, "It doesn't know If-None-Match.", "None needed: the farm gives every attempt its own keys."
    )


def _links(storage: ObjectStore, subject: str, name: str) -> Finding:
    trusted = ssl.create_default_context(cafile=storage.ca_file)
    try:
        with httpx2.Client(verify=trusted, trust_env=False) as client:
            put = client.put(storage.presigned_put(f"{name}-link"), content=b"linked")
            got = client.get(storage.presigned_get(f"{name}-link"))
    except httpx2.HTTPError as error:
        return _problem(subject, f"A presigned link leads nowhere: {error}.", PUBLIC_FIX)
    if put.is_success and got.content == b"linked":
        return _well(subject, "Presigned links write and read.")
    return _problem(subject, f"A presigned link was answered with {put.status_code} and {got.status_code}.", PUBLIC_FIX)


def _well(subject: str, detail: str) -> Finding:
    return Finding(subject=subject, state="well", detail=detail)


def _warning(subject: str, detail: str, fix: str) -> Finding:
    return Finding(subject=subject, state="warning", detail=detail, fix=fix)


def _problem(subject: str, detail: str, fix: str) -> Finding:
    return Finding(subject=subject, state="problem", detail=detail, fix=fix)

"""The connection to Redis: how long it waits, and what its errors become."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from farm.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm.settings import Settings


WRITES_REFUSED = ("OOM", "MISCONF", "NOREPLICAS")
"""How answers start of a server whose memory or disk is full, or that lost its replicas: reading goes on."""

TextRedis = Any
"""A client that decodes answers to text. redis-py types each answer as a union of all forms that it could take
under any setting, so that precise types would need a cast on every line."""


def connect_redis(settings: Settings) -> TextRedis:
    """Return a client that gives up within seconds, so that a caller can say so."""
    return redis.Redis.from_url(
        str(settings.redis_url),
        decode_responses=True,
        socket_connect_timeout=2,
        socket_timeout=5,
        socket_keepalive=True,
        health_check_interval=10,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=3),
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn "Redis is away" into a `TransientError`; also a decorator."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError) as error:
        raise TransientError("The job store (Redis)") from error
    except redis.ResponseError as error:
        if isinstance(error, redis.exceptions.OutOfMemoryError) or str(error).startswith(WRITES_REFUSED):
            raise TransientError("The job store (Redis), which is full and takes nothing new,") from error
        raise


def lua(*names: str) -> str:
    """Return a script put together from files in ``farm/lua``: those before the last define what it calls."""
    return "\n".join(files("farm").joinpath("lua", f"{name}.lua").read_text() for name in names)

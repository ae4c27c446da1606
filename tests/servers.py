"""Servers with settings of their own, for tests of what those settings do."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager

from pydantic import RedisDsn

from dreamfarm.stack.ports import any_free_port
from dreamfarm.stack.servers import _valkey_binary
from farm.errors import FarmError
from farm.redis import connect_redis, redis_errors
from farm.settings import Settings
from tests.support import until


@contextmanager
def valkey(folder, base=None, **options):
    """Run a Redis server with these options; give `base`, or any settings, with its address."""
    port = any_free_port()
    texts = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]
    command = [str(_valkey_binary()), "--port", str(port), "--dir", str(folder), "--save", "", *texts]
    password = f":{options['requirepass']}@" if "requirepass" in options else ""
    settings = (base or Settings(redis_url="redis://nowhere", s3_bucket="dreams")).model_copy(
        update={"redis_url": RedisDsn(f"redis://{password}127.0.0.1:{port}/0")}
    )
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: _answers(settings))
            yield settings
        finally:
            process.kill()


def _answers(settings):
    try:
        with redis_errors():
            return connect_redis(settings).ping()
    except FarmError:
        return False

"""Redis over TLS: whoever is behind the address has to prove who they are, to clients and to the queue alike."""

from __future__ import annotations

import ssl

import pytest
import redis
import trustme
from kombu.exceptions import OperationalError
from pydantic import RedisDsn

from farm.queue import make_celery
from farm.redis import connect_redis
from tests.chaos.proxy import Proxy
from tests.servers import valkey

AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def behind_tls(tmp_path_factory):
    """A server with a password and a certificate for localhost, of an authority that no machine knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    folder = tmp_path_factory.mktemp("redis")
    with valkey(folder, requirepass="opensesame") as settings, Proxy(settings.redis_url.port, tls=context) as proxy:
        url = f"rediss://:opensesame@localhost:{proxy.port}/0"
        yield lambda query="": settings.model_copy(update={"redis_url": RedisDsn(f"{url}{query}")})


@pytest.fixture
def authority(tmp_path):
    """The authority's certificate, as a file."""
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


def call(settings):
    """Reach the broker as workers and the api do."""
    with make_celery(settings).connection_for_write() as connection:
        connection.channel().client.ping()


def test_a_stranger_is_told_nothing(behind_tls):
    """A certificate that nobody vouches for is refused, so that the password isn't sent."""
    with pytest.raises(redis.ConnectionError):
        connect_redis(behind_tls()).ping()
    with pytest.raises((OperationalError, redis.ConnectionError), match="CERTIFICATE_VERIFY_FAILED"):
        call(behind_tls())


def test_a_certificate_of_an_authority_is_taken(behind_tls, authority):
    """The address names the authority's file where the machine doesn't know it."""
    settings = behind_tls(f"?ssl_ca_certs={authority}")

    assert connect_redis(settings).ping()
    call(settings)


def test_checking_can_be_turned_off(behind_tls):
    """Who says so in the address is taken at their word."""
    settings = behind_tls("?ssl_cert_reqs=none")

    assert connect_redis(settings).ping()
    call(settings)

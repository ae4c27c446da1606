"""S3 over TLS: whoever is behind the address has to prove who they are."""

from __future__ import annotations

import ssl

import pytest
import trustme
from pydantic import AnyHttpUrl

from farm.doctor import look_at_s3
from farm.errors import TransientError
from farm.storage import ObjectStore
from tests.chaos.proxy import Proxy

AUTHORITY, STRANGER = trustme.CA(), trustme.CA()


@pytest.fixture
def behind_tls(servers, settings, services, tmp_path):  # noqa: ARG001  # the store is emptied first
    """Return a function that gives the settings of the same store behind a certificate for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)

    def connect(authority=None, *, host="localhost"):
        changes = {"s3_endpoint_url": AnyHttpUrl(f"https://{host}:{proxy.port}")}
        if authority:
            authority.cert_pem.write_to_path(tmp_path / "ca.pem")
            changes["s3_ca_file"] = tmp_path / "ca.pem"
        return settings.model_copy(update=changes)

    with Proxy(servers.ports["s3"], tls=context) as proxy:
        yield connect


def test_a_certificate_of_the_named_authority_is_taken(behind_tls):
    """Objects are written and read, links are signed for the address, and doctor finds all well."""
    settings = behind_tls(AUTHORITY)
    storage = ObjectStore(settings)
    storage.put("a", b"dream", content_type="text/plain")

    assert storage.get("a") == b"dream"
    assert storage.presigned_get("a").startswith("https://localhost:")
    assert {finding.state for finding in look_at_s3(settings)} == {"well"}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="nobody-vouches"),
        pytest.param({"authority": STRANGER}, id="another-authority"),
        pytest.param({"authority": AUTHORITY, "host": "127.0.0.1"}, id="another-name"),
    ],
)
def test_a_stranger_is_told_nothing(behind_tls, arguments):
    """A certificate of nobody's, of another authority or for another name is refused before any request."""
    with pytest.raises(TransientError):
        ObjectStore(behind_tls(**arguments)).check()

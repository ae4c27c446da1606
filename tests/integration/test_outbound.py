"""Calls to real local servers, through the guard."""

from __future__ import annotations

import ssl
import subprocess
import time
from ipaddress import ip_network

import pytest

from farm.address_guard import AddressGuard
from farm.errors import AddressError, CallError
from farm.outbound import Outbound

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
def outbound():
    return Outbound(AddressGuard(LOOPBACK), timeout_s=2)


def test_loopback_is_refused_unless_allowed(site):
    """Nothing reaches the server."""
    with pytest.raises(AddressError):
        Outbound(AddressGuard(), timeout_s=2).get(site.url("bytes/1"), max_bytes=10)

    assert site.asked == []


def test_a_file_is_fetched_up_to_its_limit(site, outbound):
    """As many bytes as allowed, and not one more."""
    assert outbound.get(site.url("bytes/1000"), max_bytes=1000) == b"x" * 1000
    with pytest.raises(CallError, match="1000"):
        outbound.get(site.url("bytes/1001"), max_bytes=1000)


def test_redirects_are_followed_and_each_is_checked(site, outbound):
    """To another path, but not to another network, another scheme, or for ever."""
    assert outbound.get(site.url("to/|bytes|3"), max_bytes=9) == b"xxx"
    for bad in ("http:||10.0.0.1|x", "http:||[::1]|x", "file:|||etc|passwd", "http:||2130706433|", "http:||[::1"):
        with pytest.raises(AddressError):
            outbound.get(site.url(f"to/{bad}"), max_bytes=9)
    with pytest.raises(CallError, match="redirects"):
        outbound.get(site.url("loop/"), max_bytes=9)


def test_a_name_is_looked_up_once_and_its_answer_is_called(site):
    """A name that leads to an allowed host when it is checked, and elsewhere a moment later, leads nowhere else."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    lookups = []

    def resolve(host, port):
        lookups.append((host, port))
        return answers[min(len(lookups) - 1, 1)]

    outbound = Outbound(AddressGuard(LOOPBACK, resolve=resolve), timeout_s=2)
    url = f"http://turncoat.example:{site.port}"

    assert outbound.get(f"{url}/bytes/3", max_bytes=9) == b"xxx"
    assert lookups == [("turncoat.example", site.port)]
    assert site.asked == [("/bytes/3", f"turncoat.example:{site.port}")]
    with pytest.raises(AddressError):
        outbound.get(f"{url}/bytes/3", max_bytes=9)


def test_a_redirect_to_a_name_that_turned_private_is_refused(site):
    """Each redirect's name is looked up and checked anew."""
    resolve = {"out.example": ["127.0.0.1"], "in.example": ["192.168.0.1"]}
    outbound = Outbound(AddressGuard(LOOPBACK, resolve=lambda host, _: resolve[host]), timeout_s=2)

    with pytest.raises(AddressError):
        outbound.get(f"http://out.example:{site.port}/to/http:||in.example|x", max_bytes=9)


def test_a_server_that_drips_is_left(site):
    """The time is that of the whole call, not of a byte."""
    before = time.monotonic()
    with pytest.raises(CallError, match="in time"):
        Outbound(AddressGuard(LOOPBACK), timeout_s=0.3).get(site.url("drip/"), max_bytes=10**6)

    assert time.monotonic() - before < 30


@pytest.mark.parametrize("path", ["status/404", "status/500", "status/204"])
def test_only_200_is_a_file(site, outbound, path):
    """The answer's status is told."""
    with pytest.raises(CallError, match=path[-3:]):
        outbound.get(site.url(path), max_bytes=9)


def test_a_closed_port_is_told(outbound):
    """As unreachable."""
    with pytest.raises(CallError, match="reached"):
        outbound.get("http://127.0.0.1:1/", max_bytes=9)


def test_a_post_brings_its_body_and_follows_no_redirect(site, outbound):
    """The answer's beginning comes back."""
    answer = outbound.post(site.url("hook"), b"hello", {"X-A": "b"})

    assert (answer.status, len(answer.body)) == (200, 1000)
    assert site.asked == [("/hook", b"hello")]


def test_proxies_of_the_environment_are_ignored(site, outbound, monkeypatch):
    """They would call whatever they are asked to."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert outbound.get(site.url("bytes/2"), max_bytes=9) == b"xx"


def test_a_certificate_is_asked_for_by_name(site, tmp_path):
    """The address is the checked one; the certificate has to be of the name that the URL has."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=good.example", "-addext", "subjectAltName=DNS:good.example"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    site.wrap(served)
    guard = AddressGuard(LOOPBACK, resolve=lambda *_: ["127.0.0.1"])
    outbound = Outbound(guard, timeout_s=5, tls=ssl.create_default_context(cafile=str(certificate)))

    assert outbound.get(f"https://good.example:{site.port}/bytes/3", max_bytes=9) == b"xxx"
    with pytest.raises(CallError, match="certificate"):
        outbound.get(f"https://other.example:{site.port}/bytes/3", max_bytes=9)

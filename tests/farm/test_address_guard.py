"""Which URLs and addresses the farm calls for a user."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from farm.address_guard import AddressGuard, check_url, is_public
from farm.errors import AddressError
from tests.address_vectors import NOT_PUBLIC, ODD_URLS, PUBLIC


def named(vectors):
    return [pytest.param(value, id=name) for name, value in vectors.items()]


def test_the_tables_are_large():
    """Far more than sixty ways to what is not public, all different."""
    assert len(set(NOT_PUBLIC.values())) == len(NOT_PUBLIC) > 80
    assert len(set(ODD_URLS.values())) == len(ODD_URLS) > 80
    assert not set(NOT_PUBLIC.values()) & set(PUBLIC.values())


@pytest.mark.parametrize("text", named(NOT_PUBLIC))
def test_what_is_not_public_is_refused(text):
    """However it is dressed up."""
    assert not is_public(ip_address(text))
    with pytest.raises(AddressError, match="DREAMFARM_ALLOWED_NETWORKS"):
        AddressGuard(resolve=lambda *_: [text]).addresses("a.example", 443)


@pytest.mark.parametrize("text", named(PUBLIC))
def test_what_is_public_is_called(text):
    """The public internet is open, up to the edges of what is not, and by way of a translator."""
    assert AddressGuard(resolve=lambda *_: [text]).addresses("a.example", 80) == [ip_address(text)]


@pytest.mark.parametrize("bad", ["10.0.0.1", "::1", "fe80::1%eth0", "::ffff:169.254.169.254"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_address_spoils_a_name(bad, place):
    """A name that stands for public hosts and a private one is refused whole, wherever in the answer that stands."""
    found = ["8.8.8.8", "2606:4700::1111"]
    found.insert(place, bad)

    with pytest.raises(AddressError):
        AddressGuard(resolve=lambda *_: found).addresses("a.example", 80)


@pytest.mark.parametrize("found", [[], ["nonsense"]], ids=["none", "nonsense"])
def test_a_name_without_address_is_refused(found):
    """The message names it."""
    with pytest.raises(AddressError, match=r"a\.example"):
        AddressGuard(resolve=lambda *_: found).addresses("a.example", 80)


@pytest.mark.parametrize("port", [0, 22, 25, 79, 81, 442, 444, 6379, 8080, 65_535])
def test_other_ports_are_refused(port):
    """A public host is called on the web's ports alone."""
    with pytest.raises(AddressError, match=f"Port {port}"):
        AddressGuard(resolve=lambda *_: ["8.8.8.8"]).addresses("a.example", port)


def test_an_allowed_network_is_called_on_any_port():
    """It, and not its neighbour."""
    guard = AddressGuard([ip_network("10.1.0.0/16")], resolve=lambda host, _: [host])

    assert guard.addresses("10.1.2.3", 9000) == [ip_address("10.1.2.3")]
    with pytest.raises(AddressError):
        guard.addresses("10.2.0.1", 80)


@pytest.mark.parametrize("url", named(ODD_URLS))
def test_an_odd_url_is_refused(url):
    """Before any name is looked up."""
    with pytest.raises(AddressError):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://A.example", ("https", "a.example", 443, "/")),
        ("http://a.example:8080/b/c?d=e#f", ("http", "a.example", 8080, "/b/c?d=e")),
        ("HTTPS://A.EXAMPLE./x", ("https", "a.example.", 443, "/x")),
        ("http://a.example:/?q#@b.example/", ("http", "a.example", 80, "/?q")),
        ("http://a.example/@b.example/%0d%0a", ("http", "a.example", 80, "/@b.example/%0d%0a")),
        ("http://[2606:4700::1111]/", ("http", "2606:4700::1111", 80, "/")),
        ("http://[2606:4700:0:0:0:0:0:1111]:443", ("http", "2606:4700::1111", 443, "/")),
        ("http://8.8.8.8/x", ("http", "8.8.8.8", 80, "/x")),
        ("https://xn--bcher-kva.example/x", ("https", "xn--bcher-kva.example", 443, "/x")),
    ],
)
def test_a_plain_url_is_taken_apart(url, target):
    """Scheme, host, port, and what is asked for."""
    assert tuple(check_url(url)) == target

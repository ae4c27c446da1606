"""Which URLs and addresses the farm calls for a user."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from farm.address_guard import AddressGuard, check_url, is_public
from farm.errors import AddressError


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0.0.0.0", id="any"),  # noqa: S104  # refused
        "10.1.2.3",
        pytest.param("100.64.0.1", id="cgnat"),
        pytest.param("100.127.255.254", id="cgnat-end"),
        "127.0.0.1",
        "127.255.255.254",
        pytest.param("169.254.169.254", id="cloud-metadata"),
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        pytest.param("192.0.2.1", id="documentation"),
        "192.168.1.1",
        pytest.param("198.18.0.1", id="benchmark"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("239.255.255.250", id="multicast-ssdp"),
        pytest.param("240.0.0.1", id="reserved"),
        "255.255.255.255",
        "::",
        "::1",
        pytest.param("::127.0.0.1", id="compatible"),
        pytest.param("::ffff:127.0.0.1", id="mapped"),
        pytest.param("::ffff:10.0.0.1", id="mapped-private"),
        pytest.param("64:ff9b::7f00:1", id="nat64-loopback"),
        pytest.param("64:ff9b::a9fe:a9fe", id="nat64-metadata"),
        pytest.param("64:ff9b:1::8.8.8.8", id="nat64-local"),
        pytest.param("2002:7f00:1::", id="6to4-loopback"),
        pytest.param("2002:c0a8:101::1", id="6to4-private"),
        pytest.param("2001:0:808:808:0:0:80ff:fffe", id="teredo-of-127.0.0.1"),
        pytest.param("2001:0:a00:1::f7f7:f7f7", id="teredo-by-10.0.0.1"),
        pytest.param("2001:db8::1", id="documentation6"),
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff02::1", id="multicast6"),
        pytest.param("100::1", id="discard"),
        pytest.param("4000::1", id="not-assigned"),
    ],
)
def test_what_is_not_public_is_refused(text):
    """However it is dressed up."""
    assert not is_public(ip_address(text))
    with pytest.raises(AddressError, match="DREAMFARM_ALLOWED_NETWORKS"):
        AddressGuard(resolve=lambda *_: [text]).addresses("a.example", 443)


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "8.8.8.8",
        pytest.param("100.63.255.255", id="below-cgnat"),
        pytest.param("172.32.0.1", id="above-private"),
        "2606:4700::1111",
        pytest.param("64:ff9b::808:808", id="nat64-of-8.8.8.8"),
        pytest.param("2002:808:808::1", id="6to4-of-8.8.8.8"),
        pytest.param("::ffff:8.8.8.8", id="mapped-8.8.8.8"),
    ],
)
def test_what_is_public_is_called(text):
    """The public internet is open, also by way of a translator."""
    assert AddressGuard(resolve=lambda *_: [text]).addresses("a.example", 80) == [ip_address(text)]


def test_one_bad_address_spoils_a_name():
    """A name that stands for a public and a private host is refused whole."""
    with pytest.raises(AddressError):
        AddressGuard(resolve=lambda *_: ["8.8.8.8", "10.0.0.1"]).addresses("a.example", 80)


@pytest.mark.parametrize("found", [[], ["nonsense"]], ids=["none", "nonsense"])
def test_a_name_without_address_is_refused(found):
    """The message names it."""
    with pytest.raises(AddressError, match=r"a\.example"):
        AddressGuard(resolve=lambda *_: found).addresses("a.example", 80)


@pytest.mark.parametrize("port", [22, 25, 6379, 8080])
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


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("ftp://a.example/x", id="ftp"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("//a.example/x", id="no-scheme"),
        pytest.param("gopher://127.0.0.1:6379/_SET", id="gopher"),
        pytest.param("http:///x", id="no-host"),
        pytest.param("https://user:secret@a.example/", id="credentials"),
        pytest.param("https://a.example@127.0.0.1/", id="name-as-user"),
        pytest.param("http://2130706433/", id="decimal"),
        pytest.param("http://0x7f000001/", id="hexadecimal"),
        pytest.param("http://0x7f.1/", id="hexadecimal-short"),
        pytest.param("http://0177.0.0.1/", id="octal"),
        pytest.param("http://127.1/", id="short"),
        pytest.param("http://127.0.0.1./", id="dotted-with-dot"),
        pytest.param("http://[fe80::1%25eth0]/", id="zone"),
        pytest.param("http://[::1/", id="half-bracket"),
        pytest.param("http://a.example:99999/", id="port-too-large"),
        pytest.param("http://a.example:x/", id="port-no-number"),
        pytest.param("http://a b.example/", id="space"),
        pytest.param("http://a.example/\r\nHost: b", id="newline"),
        pytest.param("http://a.example\\@127.0.0.1/", id="backslash"),
        pytest.param("http://①②⑦.0.0.1/", id="other-digits"),
        pytest.param("http://-a.example/", id="hyphen"),
        pytest.param("https://a.example/" + "x" * 2048, id="too-long"),
    ],
)
def test_an_odd_url_is_refused(url):
    """Before any name is looked up."""
    with pytest.raises(AddressError):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://A.example", ("https", "a.example", 443, "/")),
        ("http://a.example:8080/b/c?d=e#f", ("http", "a.example", 8080, "/b/c?d=e")),
        ("http://[2606:4700::1111]/", ("http", "2606:4700::1111", 80, "/")),
        ("http://8.8.8.8/x", ("http", "8.8.8.8", 80, "/x")),
        ("https://xn--bcher-kva.example/x", ("https", "xn--bcher-kva.example", 443, "/x")),
    ],
)
def test_a_plain_url_is_taken_apart(url, target):
    """Scheme, host, port, and what is asked for."""
    assert tuple(check_url(url)) == target

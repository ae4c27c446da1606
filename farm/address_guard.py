"""Which addresses the farm may call for a user: public ones, and networks that a setting allows."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, urlsplit

from farm.errors import AddressError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], list[str]]

DEFAULT_PORTS = {"http": 80, "https": 443}
PORTS = frozenset(DEFAULT_PORTS.values())
LONGEST_URL = 2048
HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?"
)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
NOT_IN_A_URL = re.compile(r"[^\x21-\x7e]|\\")
GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
IPV4_COMPATIBLE = IPv6Network("::/96")
BRACKETED = re.compile(r"\[[0-9a-fA-F:.]+\](:[0-9]*)?")

NEVER_CALLED = (
    IPv4Network("192.0.0.0/24"),  # protocols of the IETF; a cloud's metadata at 192.0.0.192
    IPv4Network("192.88.99.0/24"),  # relays of 6to4, given up
    IPv4Network("168.63.129.16/32"),  # a cloud's own services, by an address that looks public
    IPv6Network("3fff::/20"),  # documentation
)
"""What `ipaddress` takes for public, in some of the versions of Python that the farm runs on."""

IETF_PROTOCOLS = IPv6Network("2001::/23")


class Target(NamedTuple):
    """A URL that may be asked for, so far as can be told before its name is looked up."""

    scheme: str
    host: str
    port: int
    path: str


def check_url(url: str) -> Target:
    """Return what a URL names.

    Raises
    ------
    AddressError
        It is none that the farm calls, whatever its host's name stands for.
    """
    if len(url) > LONGEST_URL or NOT_IN_A_URL.search(url):
        raise AddressError(
            f"The URL has more than {LONGEST_URL} characters, or one that no URL has: percent-encode it, and write "
            "a name in other letters as punycode."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressError(f"{_shown(url)} is no URL: {error}.") from None
    if parts.scheme not in {"http", "https"}:
        raise AddressError(f"{_shown(url)} has to start with https:// or http://.")
    if "@" in parts.netloc:
        raise AddressError("A URL with a user's name or password is not called. Leave them out, or use a signed link.")
    return Target(
        scheme=parts.scheme,
        host=_checked_host(parts),
        port=port if port is not None else DEFAULT_PORTS[parts.scheme],
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


class AddressGuard:
    """Looks a host's name up once, and answers the addresses that may be called.

    Parameters
    ----------
    allowed : networks that may be called although they are not public, and on any port.
    resolve : name and port → addresses as text; the system's resolver if None.
    """

    def __init__(self, allowed: Sequence[Network] = (), *, resolve: Resolver | None = None) -> None:
        self.allowed = tuple(allowed)
        self._resolve = resolve or _system_resolver

    def check_url(self, url: str) -> None:
        """Raise `AddressError` where it can be told, with no name looked up, that the URL is not called."""
        target = check_url(url)
        try:
            address = ip_address(target.host)
        except ValueError:
            return  # a name, which is looked up when it is called
        self.check(address, target.port)

    def addresses(self, host: str, port: int) -> list[Address]:
        """Return the addresses of a host, each of which may be called on this port.

        Raises
        ------
        AddressError
            One of them may not, or there is none.
        """
        try:
            found = [ip_address(text) for text in self._resolve(host, port)]
        except (OSError, ValueError):
            found = []
        if not found:
            raise AddressError(f"The name {host!r} has no address.")
        for address in found:
            self.check(address, port)
        return found

    def check(self, address: Address, port: int) -> None:
        """Raise `AddressError` unless the address may be called on this port."""
        if any(address in network for network in self.allowed):
            return
        if port not in PORTS:
            raise AddressError(f"Port {port} is not called: only {' and '.join(map(str, sorted(PORTS)))} are.")
        if not is_public(address):
            # The address isn't told: a name's lookup must not show what the farm's own network looks like.
            raise AddressError(
                "The host is not public, so the farm doesn't call it. DREAMFARM_ALLOWED_NETWORKS allows it."
            )


def is_public(address: Address) -> bool:
    """Tell whether an address, and each that hides in it, is one of the public internet.

    References
    ----------
    .. [1] IANA IPv4 and IPv6 Special-Purpose Address Registries.
    .. [2] RFC 4291 (mapped, compatible), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 6052 (NAT64).
    """
    if any(address in network for network in NEVER_CALLED):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    hidden = list(_hidden(address))
    if not all(is_public(inner) for inner in hidden):
        return False
    if address in NAT64 or address.ipv4_mapped is not None:
        return True
    # Teredo and 6to4 stand in the registry as not global; what matters is whom they lead to.
    is_own = address.is_global and address not in IETF_PROTOCOLS
    return address in GLOBAL_UNICAST and (bool(hidden) or is_own)


def _hidden(address: IPv6Address) -> Iterator[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address stands for."""
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in NAT64 or address in IPV4_COMPATIBLE:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _checked_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return _checked_ipv6(parts.netloc, host)
    if not HOST_NAME.fullmatch(host):
        raise AddressError(f"{host!r} is no host's name.")
    if NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        _check_dotted(host)
    return host


def _checked_ipv6(place: str, host: str) -> str:
    if "%" in host:
        raise AddressError("An address with a zone is of one machine's network alone, and is not called.")
    try:
        if BRACKETED.fullmatch(place):
            return str(IPv6Address(host))
    except ValueError:
        pass
    raise AddressError(f"{_shown(place)} is no IPv6 address in brackets, as in [2001:db8::1]:443.")


def _check_dotted(host: str) -> None:
    """Refuse what resolvers take for IPv4 though nobody writes it so: 2130706433, 0x7f.1, 0177.0.0.1."""
    try:
        IPv4Address(host)
    except ValueError:
        raise AddressError(f"{host!r} is no address: write it as four decimal numbers, as in 192.0.2.1.") from None


def _system_resolver(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _shown(url: str) -> str:
    return repr(url if len(url) <= (most := 80) else f"{url[:most]}…")

"""Which `Host` a request may name, and which page in a browser it may come from.

A page on any web site can make a browser on this machine or this network send requests to a name that it lets
resolve to our address (DNS rebinding). Such a request carries the site's name as Host; so only our own names pass.
Without that trick the browser says what page makes the request (Fetch Standard, `Origin`; Fetch Metadata,
`Sec-Fetch-Site`): it must be one of ours. Programs send neither field. A socket in the file system is reached by no
browser, but through a proxy that may hand a browser's fields on: there our name is localhost.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from api.problems import HttpProblem
from gateway.config.settings import ApiSettings, ListenAddress, UnixAddress

_NOT_ALLOWED: Final = "the gateway does not know itself by this Host; names are added in api.allowed_hosts"
_CROSS_SITE: Final = "the request comes from a page of another site, whose browser says so"
# Looked up without folding its case each time.
_SITE: Final = type(hdrs.ORIGIN)("Sec-Fetch-Site")
#: The page is of the same origin, or a person typed the address.
_OUR_SITES: Final = frozenset({"same-origin", "none"})
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
#: So many addresses of this machine that connections come in on are remembered.
_LOCAL_MOST: Final = 64


class Hosts:
    """The names and addresses that this gateway answers to."""

    def __init__(self, settings: ApiSettings) -> None:
        self._allowed = frozenset(name.lower() for name in settings.allowed_hosts)
        self._exact = frozenset(_exact_names(settings.internet)) | self._allowed
        if any(isinstance(address, UnixAddress) for address in settings.listen):
            self._exact |= {"localhost"}
        #: Names that were allowed without a port are good with any: a proxy in front has its own.
        self._any_port = frozenset(name.lower() for name in settings.allowed_hosts if _port_of(name) is None)
        #: What such an address stands for is known only from the connection.
        self._open_ended = any(_is_wildcard(address.host) or address.port == 0 for address in settings.internet)

    def check(self, request: web.Request) -> None:
        """Raise the 421 problem unless the Host field, and the target's authority if it has one, are ours."""
        host = request.headers.get("Host", "")
        # For a target in absolute form `request.host` is the target's (RFC 9112, 3.2.2); otherwise the field itself.
        if not (self._allows(host, request) and (request.host == host or self._allows(request.host, request))):
            raise HttpProblem(HTTPStatus.MISDIRECTED_REQUEST, "host_not_allowed", _NOT_ALLOWED)

    def check_origin(self, request: web.Request) -> None:
        """Raise the 403 problem when a browser says that a page of another site makes the request."""
        site, origin = request.headers.get(_SITE), request.headers.get(hdrs.ORIGIN)
        if site is None and origin is None:
            return
        foreign = site is not None and site.lower() not in _OUR_SITES
        if foreign or (origin is not None and not self._is_ours(origin, request)):
            raise HttpProblem(HTTPStatus.FORBIDDEN, "cross_site", _CROSS_SITE)

    def _is_ours(self, origin: str, request: web.Request) -> bool:
        """Whether the origin is the very host and port that is asked, or a name of `allowed_hosts`.

        Another port of this machine is another site: what listens there may be anybody's.
        """
        scheme, separator, authority = origin.lower().partition("://")
        if not separator or scheme not in _DEFAULT_PORTS:
            return False
        written = {authority, authority.removesuffix(_DEFAULT_PORTS[scheme])}
        if _port_of(authority) is None:
            written.add(authority + _DEFAULT_PORTS[scheme])
        return request.headers.get("Host", "").lower() in written or not written.isdisjoint(self._allowed)

    def _allows(self, host: str, request: web.Request) -> bool:
        if host in self._exact:
            return True
        name = host.lower()
        return name in self._exact or _without_port(name) in self._any_port or self._is_local(name, request)

    def _is_local(self, name: str, request: web.Request) -> bool:
        """Whether it names the very address and port that the connection came in on."""
        local = request.get_extra_info("sockname") if self._open_ended else None
        return isinstance(local, tuple) and name in _names_of_local(str(local[0]), int(local[1]))  # pyright: ignore[reportUnknownArgumentType]


def _exact_names(addresses: Iterable[ListenAddress]) -> Iterator[str]:
    for address in addresses:
        if not _is_wildcard(address.host):
            yield from _names(address.host, address.port)


def _names(host: str, port: int) -> Iterator[str]:
    """How a Host field may write this address: with and without the port, and as localhost where it is one."""
    written = [f"[{host}]" if ":" in host else host]
    if _is_loopback(host):
        written.append("localhost")
    for name in written:
        yield name.lower()
        yield f"{name.lower()}:{port}"


@lru_cache(maxsize=_LOCAL_MOST)
def _names_of_local(host: str, port: int) -> frozenset[str]:
    """How a Host field may write the address and port of a socket's own name; an IPv4 address that was mapped into IPv6
    is written as IPv4. An address is read once, and not for each request: that took as long as checking a message."""
    return frozenset(_names(host.removeprefix("::ffff:") if "." in host else host, port))


def _is_wildcard(host: str) -> bool:
    return host in {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port_of(name: str) -> str | None:
    """The port of `name:port` or `[address]:port`; None without one."""
    _, colon, port = name.rpartition(":")
    return port if colon and port.isascii() and port.isdigit() and not _is_bare_ipv6(name) else None


def _without_port(name: str) -> str:
    port = _port_of(name)
    return name if port is None else name[: -len(port) - 1]


def _is_bare_ipv6(name: str) -> bool:
    return name.count(":") > 1 and "]" not in name

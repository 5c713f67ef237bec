"""Which addresses may be connected to, and the HTTP session that keeps to it.

Whoever names a URL decides where this machine connects to, so an address is looked at where its socket is made: however
it was written, whatever a name means by then. All answers of the resolver are looked at, and one that may not be
reached refuses them all: a name that means both something public and something private is not asked. The connection
then stays with the address that was looked at. No proxy of the environment, no cookie, no redirect is followed.

Networks are written as in `[webhooks] allow`. RFC 6890 and the IANA registries behind `ipaddress.is_global` say what is
public; 169.254.169.254 is where clouds tell their machines' secrets.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.clock import SECOND_US, Clock
from gateway.config.settings import ListenAddress
from gateway.notify.turns import Turns

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
#: Why an address may not be reached, as a predicate; None where it may. The port is that of the connection.
AddressRule: TypeAlias = Callable[[Address, int], str | None]

#: Octets of a URL.
MOST_URL = 2048
RESOLVE_S = 3.0
_KEPT_US = 10 * SECOND_US
_MOST_KEPT = 256
# A resolver that does not answer holds its thread for half a minute, whatever we do.
_LOOKUPS = 16
# Of these one caller's.
_OF_ONE = 4
# IPv6 addresses that carry an IPv4 one, to which a gateway of the network may lead (RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: Whose host is connected to, for look-ups behind aiohttp; None: of the gateway's own.
WHOSE: ContextVar[int | None] = ContextVar("whose", default=None)
NOT_ALLOWED = "leads to an address that [webhooks] allow does not name"
NOT_PUBLIC = "leads to an address that is not public"
_METADATA = (ipaddress.ip_address("169.254.169.254"), ipaddress.ip_address("fd00:ec2::254"))


class OutOfReach(Exception):
    """A URL that is not asked; a predicate says why, and names no address."""


class Unresolved(OutOfReach):
    """A name that means no address, or not in time."""


class NoTurn(Unresolved):
    """A name that nobody has asked about: too many others are being looked up."""


def networks(allowed: Sequence[str]) -> tuple[Network, ...]:
    """The networks of a configuration that was read."""
    return tuple(ipaddress.ip_network(each) for each in allowed)


def public_or(allowed: Sequence[Network]) -> AddressRule:
    """What is public, or in a network that is allowed."""

    def rule(address: Address, _port: int) -> str | None:
        inner = _inner(address)
        if _is_in(inner, allowed):
            return None
        return None if all(_is_public(each) for each in inner) else NOT_PUBLIC

    return rule


def anywhere_but(own: Sequence[ListenAddress]) -> AddressRule:
    """What an admin may name: private addresses too, but never link-local ones, groups, nobody's, or ourselves."""

    def rule(address: Address, port: int) -> str | None:
        inner = _inner(address)
        if any(_is_never(each) for each in inner):
            return "leads to an address that no webhook may reach"
        return "leads to this gateway itself" if any(_is_ours(each, port, own) for each in inner) else None

    return rule


def only(allowed: Sequence[Network], own: Sequence[ListenAddress]) -> AddressRule:
    """Networks that are allowed, and nothing else; what an admin may not name either is not made fit by a wide one."""
    never = anywhere_but(own)

    def rule(address: Address, port: int) -> str | None:
        if (refusal := never(address, port)) is not None:
            return refusal
        return None if _is_in(_inner(address), allowed) else NOT_ALLOWED

    return rule


def _is_in(inner: Sequence[Address], allowed: Sequence[Network]) -> bool:
    return any(each.version == network.version and each in network for each in inner for network in allowed)


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_never(address: Address) -> bool:
    """Link-local (clouds' metadata among it), groups, broadcast, the unspecified address, reserved ones."""
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return True
    if isinstance(address, IPv4Address):
        # 0.0.0.0/8 means this host; 240.0.0.0/4 is reserved, with the broadcast address at its end.
        return address.packed[0] == 0 or address.packed[0] >= 240
    return address.is_reserved and not address.is_loopback


def _is_ours(address: Address, port: int, own: Sequence[ListenAddress]) -> bool:
    hosts = [_listened(each.host) for each in own if each.port == port]
    if address in hosts:
        return True
    # A wildcard listens at every address of this machine, and what a name means may change.
    return any(host is None or host.is_unspecified for host in hosts) and is_this_machine(address)


def _listened(host: str) -> Address | None:
    """None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_this_machine(address: Address) -> bool:
    """Whether who connects there from here meets itself: the machine then gives the socket the address that it goes
    to. A datagram socket is told where to, and nothing is sent."""
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((str(address), 9))
            return ipaddress.ip_address(asked.getsockname()[0].partition("%")[0]) == address
    except OSError:
        return False


def _inner(address: Address) -> tuple[Address, ...]:
    """The address, or those that it stands for in another protocol."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)


def checked_url(url: str) -> tuple[str, str, int]:
    """The URL without its fragment, its host and port; `OutOfReach` for one that is none of the web."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise OutOfReach("is no address of the web") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise OutOfReach("is no address of the web: it begins with http:// or https:// and names a host")
    if len(url) > MOST_URL or not url.isascii() or any(each <= " " or each in '\\"<>^`{|}\x7f' for each in url):
        raise OutOfReach(f"has characters that no URL has, or more than {MOST_URL}")
    if "@" in parts.netloc:
        # It would be told to nobody, and stand in lists and logs.
        raise OutOfReach("carries a user's name or a password")
    written = f"[{host}]" if ":" in host else host
    if parts.netloc.lower().removesuffix(f":{port}").removesuffix(":") != written or not _is_canonical(host):
        raise OutOfReach("writes its address in a form that is not the usual one")
    return url.partition("#")[0], host, port or (443 if parts.scheme == "https" else 80)


def _is_canonical(host: str) -> bool:
    """A name, or an address as it is written. `0x7f.1`, `2130706433` and `127.1` are addresses only for some."""
    last = host.rstrip(".").rpartition(".")[2]
    if ":" not in host and not last[:1].isdigit():
        return "%" not in host and ".." not in host and not host.startswith(".")
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return "%" not in host


class Resolver(AbstractResolver):
    """Looks names up beside the event loop, within `RESOLVE_S`, and remembers the answers for some seconds.

    Without a clock it remembers nothing. Threads of its own: the machine's resolver may hold each for half a minute,
    and nothing else may wait behind that.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        ask: Callable[..., Any] = socket.getaddrinfo,
        *,
        most: int = _LOOKUPS,
        of_one: int = _OF_ONE,
    ) -> None:
        self._clock = clock
        self._ask = ask
        self._turns = Turns(most, of_one)
        self._kept: dict[str, tuple[int, list[tuple[int, str]]]] = {}

    async def look_up(self, host: str, whose: int | None = None) -> list[tuple[int, str]]:
        """Every family and address of a name; `Unresolved` when there is none in time, `NoTurn` when nobody could be
        asked. `whose` is who named it, who is given a part of the turns alone."""
        if self._clock is None:
            return await self._look_up(host, whose)
        now_us = self._clock.monotonic_us()
        kept = self._kept.get(host)
        if kept is not None and now_us - kept[0] < _KEPT_US:
            return kept[1]
        found = await self._look_up(host, whose)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[host] = now_us, found
        return found

    async def _look_up(self, host: str, whose: int | None) -> list[tuple[int, str]]:
        if not self._turns.take(whose):
            raise NoTurn("names a host that was not found in time")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[tuple[int, str]]] = loop.create_future()
        threading.Thread(target=self._in_thread, args=(host, loop, answer, whose), name="look-up", daemon=True).start()
        try:
            async with asyncio.timeout(RESOLVE_S):
                return await answer
        except TimeoutError:
            raise Unresolved("names a host that was not found in time") from None

    def _in_thread(
        self,
        host: str,
        loop: asyncio.AbstractEventLoop,
        answer: asyncio.Future[list[tuple[int, str]]],
        whose: int | None,
    ) -> None:
        found: list[tuple[int, str]] = []
        try:
            infos = self._ask(host, None, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys((int(family), str(where[0])) for family, _, _, _, where in infos))
        except (OSError, UnicodeError, ValueError):
            pass
        finally:
            self._turns.give_back(whose)
        try:
            loop.call_soon_threadsafe(_settle, answer, found)
        except RuntimeError:
            # The gateway has stopped meanwhile.
            return

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        *,
        whose: int | None = None,
    ) -> list[ResolveResult]:
        """As aiohttp asks."""
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in await self.look_up(host, whose)
            if family in {socket.AF_UNSPEC, kind}
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _settle(answer: asyncio.Future[list[tuple[int, str]]], found: list[tuple[int, str]]) -> None:
    if answer.done():
        return
    if found:
        answer.set_result(found)
    else:
        answer.set_exception(Unresolved("names a host that does not exist"))


class Reach:
    """A rule, for URLs before they are kept and for each connection after that."""

    def __init__(self, rule: AddressRule, resolver: Resolver) -> None:
        self._rule = rule
        self._resolver = resolver

    async def check(self, url: str, whose: int | None = None) -> str:
        """The URL as it is asked, if all that its host means now may be reached; else `OutOfReach`. For `whose` see
        `Resolver.look_up`."""
        fit, host, port = checked_url(url)
        await self._answers(host, port, whose)
        return fit

    async def addresses(self, url: str) -> list[str]:
        """What the URL's host means now, allowed or not."""
        _, host, _ = checked_url(url)
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            return [address.partition("%")[0] for _, address in await self._resolver.look_up(host)]

    async def _answers(self, host: str, port: int, whose: int | None = None) -> list[ResolveResult]:
        try:
            self._allow(ipaddress.ip_address(host), port)
        except ValueError:
            answers = await self._resolver.resolve(host, port, whose=whose or WHOSE.get())
        else:
            return []
        for each in answers:
            self._allow(ipaddress.ip_address(each["host"].partition("%")[0]), port)
        return answers

    def _allow(self, address: Address, port: int) -> None:
        if (refusal := self.refusal(address, port)) is not None:
            raise OutOfReach(refusal)

    def refusal(self, address: Address, port: int) -> str | None:
        """Why an address may not be reached."""
        return self._rule(address, port)

    def session(self, headers: dict[str, str], *, most: int = 0, keep: bool = True) -> aiohttp.ClientSession:
        """One that keeps nothing, and reaches nothing but what this allows. `most` connections at once, 0: any."""
        connector = aiohttp.TCPConnector(
            resolver=_Checked(self),
            socket_factory=self._socket,
            use_dns_cache=False,
            force_close=not keep,
            limit=most,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            trust_env=False,
            auto_decompress=False,
        )

    def _socket(self, info: Any) -> socket.socket:
        """The socket of one connection; none to where nobody may connect."""
        family, kind, protocol, _, (host, port, *_) = info
        self._allow(ipaddress.ip_address(str(host).partition("%")[0]), int(port))
        return socket.socket(family, kind, protocol)

    async def answers(self, host: str, port: int) -> list[ResolveResult]:
        """What a name means, if all of it may be reached."""
        return await self._answers(host, port)


class _Checked(AbstractResolver):
    """A resolver for aiohttp whose answers were looked at, all of them."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = await self._reach.answers(host, port)
        return [each for each in answers if family in {socket.AF_UNSPEC, each["family"]}]

    async def close(self) -> None:
        """Nothing is held."""


def cause_of(error: BaseException) -> OutOfReach | None:
    """The refusal behind an error of the client, if there is one."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OutOfReach):
            return link
        link = link.__cause__ or link.__context__
    return None

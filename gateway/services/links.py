"""Asks whether somebody answers at the links of a text. Only on request, and only of the public internet.

Whoever may preview decides what is asked, so nothing here may reach what only this machine can reach. An address is
looked at where its socket is made (`gateway.notify.reach`), wherever an answer leads on.
Networks of `[webhooks] allow` are excepted. Nothing is told but the link; of an answer 1 KiB is read at most, and
thrown away.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

import aiohttp

from gateway.message import Caution
from gateway.notify.reach import OutOfReach, Reach, Resolver, Unresolved, networks, public_or
from gateway.rules.linked import links_of

MOST_LINKS = 5
MOST_REDIRECTS = 5
PATIENCE_S = 3.0
_BODY_OCTETS = 1024
# Of all previews together: nobody is asked by a crowd.
_AT_ONCE = 10
_HEADERS = {"User-Agent": "tocsin-link-check", "Accept": "*/*"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Says nothing about the link: who asks without a browser or a cookie is sent away.
_CLOSED_TO_US = frozenset({401, 403, 405, 406, 407, 429, 451, 501, 999})
_HEAD_IS_ENOUGH = 400


class _Fault(Exception):
    """Why a link is broken, or not looked at: a predicate."""


class LinkCheck:
    """Asks links. `allowed` are networks that may be reached although they are not public."""

    def __init__(self, allowed: Sequence[str] = (), patience_s: float = PATIENCE_S) -> None:
        self._reach = Reach(public_or(networks(allowed)), Resolver())
        self._patience_s = patience_s
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def check(self, text: str) -> list[Caution]:
        """A caution for each link at which nobody answers well; links are named by their place in the text."""
        links = links_of(text)
        faults = await asyncio.gather(*(self._fault(link) for link in links[:MOST_LINKS]))
        found = [
            Caution("broken_link", f"link {at} {fault}") for at, fault in enumerate(faults, 1) if fault is not None
        ]
        if len(links) > MOST_LINKS:
            found.append(Caution("broken_link", f"only the first {MOST_LINKS} of {len(links)} links were looked at"))
        return found

    async def _fault(self, link: str) -> str | None:
        async with self._turns:
            try:
                async with asyncio.timeout(self._patience_s), self._session() as session:
                    await self._follow(session, _checked(link))
            except TimeoutError:
                return f"did not answer within {self._patience_s:g} s"
            except _Fault as fault:
                return str(fault)
            except Unresolved as error:
                return str(error)
            except OutOfReach as refusal:
                return f"is not looked at: it {refusal}"
            except (aiohttp.ClientError, OSError, ValueError) as error:
                return _told(error)
        return None

    def _session(self) -> aiohttp.ClientSession:
        """One that keeps nothing, and reaches nothing but what was looked at."""
        return self._reach.session(_HEADERS, keep=False)

    async def _follow(self, session: aiohttp.ClientSession, url: str) -> None:
        for _ in range(MOST_REDIRECTS + 1):
            status, goal = await _ask(session, url)
            if status not in _REDIRECTS or goal is None:
                if status >= _HEAD_IS_ENOUGH and status not in _CLOSED_TO_US:
                    raise _Fault(f"answers with {status}")
                return
            url = _checked(urljoin(url, goal))
        raise _Fault(f"leads on more than {MOST_REDIRECTS} times")


async def _ask(session: aiohttp.ClientSession, url: str) -> tuple[int, str | None]:
    """The status of the answer, and where it leads on. Servers that know no HEAD are asked by GET."""
    answer = await _asked(session, "HEAD", url)
    return answer if answer[0] < _HEAD_IS_ENOUGH else await _asked(session, "GET", url)


async def _asked(session: aiohttp.ClientSession, method: str, url: str) -> tuple[int, str | None]:
    async with session.request(method, url, allow_redirects=False) as answer:
        if method == "GET":
            await answer.content.read(_BODY_OCTETS)
        return answer.status, answer.headers.get("Location")


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _Fault("leads to no web address")
    if "@" in parts.netloc:
        # Whoever a link names is not told to its server.
        raise _Fault("is not looked at: it carries a user's name")
    return url.partition("#")[0]


def _told(error: Exception) -> str:
    """What went wrong, by its kind: libraries write addresses into their sentences."""
    for kind, sentence in _FAULTS:
        if isinstance(error, kind):
            return sentence
    return "did not answer in HTTP"


_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "names a host that does not exist"),
    (aiohttp.ClientConnectorCertificateError, "has a certificate that is not valid"),
    (aiohttp.ClientSSLError, "could not be reached over TLS"),
    (aiohttp.ClientConnectorError, "cannot be connected to"),
    (socket.gaierror, "names a host that does not exist"),
    (aiohttp.InvalidURL, "is no address"),
    (ValueError, "is no address"),
)

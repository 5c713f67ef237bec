"""Sends a short text by mail or push, through Apprise. What goes by SMS goes through our own queue, not through here.

Apprise is an extra, takes half a second to import and waits for servers as a thread does: it is imported when something
is sent for the first time, and never runs in the event loop. Mail and push have their own threads, few of each: a
server that is slow keeps only its own kind waiting. Its log is silent: it would name addresses.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gateway.config.settings import ChannelSettings

log = logging.getLogger(__name__)

_AT_ONCE: Final = 2
#: Servers have seconds for each answer; one that goes on beyond this in small bites is taken for dead.
_PATIENCE_S: Final = 120.0
_NAMES_ADDRESSES: Final = ("apprise", "urllib3", "requests")
# Its plugins are loaded at the first URL, by one thread.
_LOADING: Final = threading.Lock()


class Channels:
    """Mail and push of one configuration."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._mail = asyncio.Semaphore(_AT_ONCE)
        self._push = asyncio.Semaphore(_AT_ONCE)

    async def mail(self, address: str, subject: str, text: str) -> bool:
        """Whether the mail server took it."""
        server = self._settings.mail
        if server is None:
            return False
        return await _sent(self._mail, [addressed(server, address)], subject, text)

    async def push(self, subject: str, text: str, url: str | None = None) -> bool:
        """Whether one service at least took it: those of the file, or the one that is given."""
        urls = [url] if url is not None else list(self._settings.push)
        return bool(urls) and await _sent(self._push, urls, subject, text)


def addressed(server: str, address: str) -> str:
    """The URL of a mail server with a recipient, for plain text."""
    parts = urlsplit(server)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in {"to", "format"}]
    query += [("to", address), ("format", "text")]
    return urlunsplit(parts._replace(query=urlencode(query)))


async def _sent(room: asyncio.Semaphore, urls: list[str], subject: str, text: str) -> bool:
    async with room:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await _in_thread(lambda: _send(urls, subject, text))
        except TimeoutError:
            return False


async def _in_thread(work: Callable[[], bool]) -> bool:
    """In a thread that nobody waits for when the gateway ends: a pool's would be joined."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool] = loop.create_future()

    def tell(result: bool) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        result = work()
        try:
            loop.call_soon_threadsafe(tell, result)
        except RuntimeError:
            # The loop has ended meanwhile.
            return

    threading.Thread(target=run, name="channel", daemon=True).start()
    return await future


def _send(urls: list[str], subject: str, text: str) -> bool:
    try:
        apprise = _apprise()
        sent = [_notify(apprise, url, subject, text) for url in urls]
    except Exception as error:  # noqa: BLE001 - plugins of others; their sentences name addresses
        log.error("a channel failed", extra={"action": "channel_failed", "error": type(error).__name__})
        return False
    return any(sent)


def _apprise() -> Any:
    for name in _NAMES_ADDRESSES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # Here and not above: whoever sends nothing need not have it, or wait for it.
    import apprise  # noqa: PLC0415

    return apprise


def _notify(apprise: Any, url: str, subject: str, text: str) -> bool:
    # Nothing of what is sent is kept on the disk.
    asset = apprise.AppriseAsset(app_id="Tocsin", storage_mode=apprise.PersistentStoreMode.MEMORY)
    found = apprise.Apprise(asset=asset)
    with _LOADING:
        is_known = found.add(url)
    if not is_known:
        log.error("an address is none that Apprise knows", extra={"action": "channel_unknown"})
    return bool(is_known and found.notify(body=text, title=subject, body_format=apprise.NotifyFormat.TEXT))

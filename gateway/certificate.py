"""The certificate in use, and the next one: taken over when its files change, without ending a connection.

Whoever renews certificates (Let's Encrypt each 60 days) writes files and, at most, sends a signal. The TLS of new
connections is made anew from both files together; while those do not fit each other, the one before stays.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from gateway.clock import SECOND_US, Clock
from gateway.config.settings import TlsFiles
from gateway.config.tls import CertificateProblem, context_of
from gateway.errors import ConfigProblem, ConfigurationError

log = logging.getLogger(__name__)

_LOOK_US = 10 * SECOND_US


class Certificate:
    """What the interface shows of itself. Raises `ConfigurationError` where the files cannot be used at all."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._seen = _state(files)
        try:
            self._now = context_of(files)
        except CertificateProblem as problem:
            raise ConfigurationError([ConfigProblem(problem.key, problem.message)]) from None
        #: What a server listens with: each new connection is handed on to the certificate of the moment.
        self.context = self._now
        # OpenSSL calls it for clients that name no server, too.
        self.context.sni_callback = self._hand_on
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Look at the files now."""
        self._asked.set()

    async def follow(self, clock: Clock) -> None:
        """Take over what is new in the files, until cancelled."""
        while True:
            asked = await clock.wait(self._asked, clock.now_us() + _LOOK_US)
            self._asked.clear()
            state = await asyncio.to_thread(_state, self._files)
            if asked or state != self._seen:
                self._seen = state
                await self._renew()

    async def _renew(self) -> None:
        try:
            self._now = await asyncio.to_thread(context_of, self._files)
        except CertificateProblem as problem:
            fields = {"action": "certificate_refused", "key": problem.key, "reason": problem.message}
            log.error("the new certificate cannot be used; the one before stays", extra=fields)
        else:
            log.info("certificate taken over", extra={"action": "certificate_renewed"})

    def _hand_on(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        if self._now is not self.context:
            connection.context = self._now


def _state(files: TlsFiles) -> tuple[object, ...]:
    return _told(files.cert), _told(files.key)


def _told(file: Path) -> tuple[int, ...] | None:
    """What changes with a file's content, whether it is written to, replaced, or a link to another."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

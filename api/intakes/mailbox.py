"""The way to the SMTP listener: its package is an extra, which only a gateway that takes mail needs."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.config.settings import EmailSettings
from gateway.services import Services


@asynccontextmanager
async def listening(
    services: Services, settings: EmailSettings, bound: Sequence[socket.socket], tls: ssl.SSLContext | None = None
) -> AsyncGenerator[None]:
    """Take mail on these sockets until the end of the block. That the package is there the configuration has seen to.

    With `tls` a password is heard after STARTTLS alone.
    """
    async with AsyncExitStack() as stack:
        for each in bound:
            from api.intakes import smtp  # noqa: PLC0415 - installed by who wants it

            await stack.enter_async_context(smtp.receiving(services, settings, each, tls))
        yield

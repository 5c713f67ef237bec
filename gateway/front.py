"""What listens: the interface, what follows links, and what takes mail, on sockets that were bound at the start."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from api.app import create_app
from api.intakes.mailbox import listening
from api.server import ApiRunner, ApiSite
from api.short_links import short_links_front
from gateway.certificate import Certificate
from gateway.config.settings import Settings
from gateway.listening import url_of
from gateway.services import Services

_BACKLOG = 1024
# What is being answered when the gateway stops may finish.
_HTTP_PATIENCE_S = 5.0

#: Of the interface, which mail shows too, and of links; None where they speak without TLS.
Certificates: TypeAlias = tuple[Certificate | None, Certificate | None]


@asynccontextmanager
async def front(
    services: Services, settings: Settings, sockets: Sequence[socket.socket], certificates: Certificates
) -> AsyncGenerator[tuple[str, str | None]]:
    """Listen on the sockets of `settings.addresses`; yields the first address as a URL, and the first where links are
    followed, if there is one."""
    app = create_app(services, settings.api)
    runner = ApiRunner(app, access_log=None, shutdown_timeout=_HTTP_PATIENCE_S, handle_signals=False)
    await runner.setup()
    web, rest = sockets[: len(settings.api.listen)], sockets[len(settings.api.listen) :]
    links, mail = rest[: len(settings.links.listen)], rest[len(settings.links.listen) :]
    certificate, of_links = certificates
    try:
        for each in web:
            context = None if each.family == socket.AF_UNIX or certificate is None else certificate.context
            await ApiSite(runner, each, backlog=_BACKLOG, ssl_context=context).start()
        async with (
            short_links_front(services.short_links, links, of_links.context if of_links else None),
            listening(services, settings.email, mail, certificate.context if certificate else None),
        ):
            links_url = url_of(links[0], tls=of_links is not None) if links else None
            yield url_of(sockets[0], tls=certificate is not None), links_url
    finally:
        await runner.cleanup()

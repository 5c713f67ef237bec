"""The description of the interface, drawn from the route table that serves it: OpenAPI 3.1, and a page for people.

Nothing is built before somebody asks. What is told is the same for everybody and tells nothing of anybody, so no token
is wanted; but the Host has to be ours.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import web

from api.answers import COMMON_FIELDS, JSON, to_json
from api.description.document import document_of_tables
from api.description.page import STYLE, page_of_document
from api.description.tables import Tables
from gateway.services import Services

__all__ = ["Description", "Tables"]

_HTML: Final = "text/html; charset=utf-8"


class Description:
    """Both forms, each made once in a thread and then kept as octets."""

    def __init__(self, tables: Callable[[], Tables]) -> None:
        self._tables = tables
        self._making = asyncio.Lock()
        self._made: tuple[bytes, bytes] | None = None

    async def document(self, _services: Services, _request: web.Request) -> web.Response:
        """This description, as OpenAPI 3.1."""
        return web.Response(body=(await self._both())[0], headers={"Content-Type": JSON, **COMMON_FIELDS})

    async def page(self, _services: Services, _request: web.Request) -> web.Response:
        """This description, as a page for people."""
        return web.Response(body=(await self._both())[1], headers=_page_fields())

    async def _both(self) -> tuple[bytes, bytes]:
        if self._made is None:
            async with self._making:
                self._made = self._made or await asyncio.to_thread(self._make)
        return self._made

    def _make(self) -> tuple[bytes, bytes]:
        document = document_of_tables(self._tables())
        return to_json(document), page_of_document(document).encode()


def _page_fields() -> Mapping[str, str]:
    """No script runs in it, and nothing is fetched: its style is known by its hash (CSP Level 3, 2.3.1)."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"{COMMON_FIELDS['Content-Security-Policy']}; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return {"Content-Type": _HTML, **COMMON_FIELDS, "Content-Security-Policy": policy}

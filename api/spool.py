"""An answer whose length nobody knows before it is whole.

It is kept out of memory until then, so that a client that writes everything before it reads anything is served, and so
that what goes wrong on the way is answered with a problem and never with half an answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from aiohttp import web

from api.answers import COMMON_FIELDS

_IN_MEMORY: Final = 256 * 1024
_CHUNK: Final = 64 * 1024


class Spool:
    """Octets that grow, in memory while they are few and then in a file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, octets: bytes) -> None:
        """Append."""
        self._file.write(octets)

    async def answer(self, request: web.Request, content_type: str, status: int = 200) -> web.StreamResponse:
        """Send everything, chunk by chunk. A client that went away meanwhile is no error."""
        fields: Mapping[str, str] = {"Content-Type": content_type, **COMMON_FIELDS}
        response = web.StreamResponse(status=status, headers=fields)
        response.content_length = self._file.tell()
        self._file.seek(0)
        try:
            await response.prepare(request)
            while chunk := self._file.read(_CHUNK):
                await response.write(chunk)
            await response.write_eof()
        except ConnectionError:
            response.force_close()
        return response

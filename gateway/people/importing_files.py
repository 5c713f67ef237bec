"""Files of contacts on their way: kept in the state directory, readable by their owner alone, until they are read."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from gateway.errors import StorageFull
from gateway.people.aside import Aside
from gateway.people.importing_text import UTF8, Rewriting, Sniffer, rewrite

#: One piece is 1 MiB and takes some milliseconds.
_PIECES: Final = 16
_WITHIN_S: Final = 60.0
_PRIVATE: Final = 0o600
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


class Received:
    """One file that was received whole: `digest` is of its octets as they came."""

    def __init__(self, path: Path, digest: bytes, sniffer: Sniffer) -> None:
        self.path = path
        self.digest = digest
        self.sniffer = sniffer

    def drop(self) -> None:
        """Take it away."""
        self.path.unlink(missing_ok=True)


class ImportFiles:
    """The folder of files that are being read."""

    def __init__(self, state_dir: Path, aside: Aside) -> None:
        self._folder = state_dir / "imports"
        self._aside = aside

    def of(self, import_id: str) -> Path:
        """Where the file of an import is, as UTF-8."""
        return self._folder / f"{import_id}.csv"

    async def receive(self, import_id: str, octets: AsyncIterator[bytes]) -> Received:
        """Keep what comes. Raises `StorageFull`, and whatever ends the octets; nothing is left then."""
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{import_id}.part"
        digest, sniffer = hashlib.sha256(), Sniffer()
        try:
            with _created(path) as file:
                async for piece in octets:
                    file.write(piece)
                    digest.update(piece)
                    sniffer.look(piece)
                await asyncio.to_thread(_flush, file)
        except OSError as error:
            path.unlink(missing_ok=True)
            if error.errno in _NO_ROOM:
                raise StorageFull("storage_full", "the disk takes no file of that size", retry_after_s=60) from None
            raise
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Received(path, digest.digest(), sniffer)

    async def settle(self, received: Received, import_id: str, charset: str) -> Path:
        """Make it the file of an import, as UTF-8."""
        target = self.of(import_id)
        if received.sniffer.is_plain(charset):
            received.path.replace(target)
            return target
        rewritten = target.with_suffix(".new")
        try:
            _created(rewritten).close()
            so_far = Rewriting()
            while not so_far.over:
                so_far = await self._aside.run(
                    _WITHIN_S, rewrite, received.path, rewritten, charset or UTF8, so_far, _PIECES
                )
            rewritten.replace(target)
        finally:
            rewritten.unlink(missing_ok=True)
            received.drop()
        return target

    def drop(self, import_id: str) -> None:
        """Take the file of an import away."""
        self.of(import_id).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Take away what was broken off while it came."""
        with suppress(OSError):
            for path in [*self._folder.glob("*.part"), *self._folder.glob("*.new")]:
                path.unlink(missing_ok=True)


def _created(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "wb")


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())

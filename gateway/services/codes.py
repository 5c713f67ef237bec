"""Personal codes: pools that owners fill, from which campaigns give each person one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from gateway.campaigns.code_files import CodesRead, NotText, RejectedCode, codes_of_csv, codes_of_list
from gateway.clock import Clock
from gateway.errors import InvalidRequest, NotFound
from gateway.people.audience import SEGMENT_NAME
from gateway.requests import Page, Principal
from gateway.services.visibility import before_row, refuse_test
from gateway.store import codes
from gateway.store.codes import CodePool
from gateway.store.database import Store

__all__ = ["CodePool", "Codes", "CodesAdded", "RejectedCode"]

# In one transaction: some hundredths of a second.
_GROUP: Final = 1000
_MOST_TOLD: Final = 1000


@dataclass(frozen=True, slots=True)
class CodesAdded:
    """A pool after codes were put in: how many are new, how many were there or came twice, and what is not taken."""

    pool: CodePool
    added: int
    known: int
    rejected: Sequence[RejectedCode]
    rejected_count: int


class Codes:
    """The pools."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def list(self, *, limit: int, cursor: str | None) -> Page[CodePool]:
        """Pools, newest first."""
        before = before_row(cursor)
        found = await self._store.read(lambda connection: codes.page(connection, limit=limit + 1, before=before))
        return Page(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)

    async def get(self, name: str) -> CodePool:
        """One pool."""
        found = await self._store.read(lambda connection: codes.counted(connection, name))
        if found is None:
            raise NotFound("codes_not_found", "there is no pool of codes of that name")
        return found

    async def add_csv(self, principal: Principal, name: str, octets: bytes) -> CodesAdded:
        """Put the codes of a CSV file into a pool, which is made if it is new."""
        self._check(principal, name)
        try:
            read = codes_of_csv(octets)
        except NotText as wrong:
            raise InvalidRequest("codes_invalid", f"the file {wrong}") from None
        return await self._add(name, read)

    async def add_list(self, principal: Principal, name: str, words: Sequence[str]) -> CodesAdded:
        """The same of a list."""
        self._check(principal, name)
        return await self._add(name, codes_of_list(words))

    def _check(self, principal: Principal, name: str) -> None:
        refuse_test(principal, "puts no codes into pools")
        if not SEGMENT_NAME.fullmatch(name):
            sentence = "has 1 to 64 of a-z, 0-9, _ and -, and begins with a letter"
            raise InvalidRequest.field("codes_name_invalid", "pool", sentence)

    async def _add(self, name: str, read: CodesRead) -> CodesAdded:
        """Groups are committed one by one: a pool may be filled again with the same file."""
        if not read.words:
            what = f"; line {read.rejected[0].line} {read.rejected[0].reason}" if read.rejected else ""
            raise InvalidRequest("codes_invalid", f"there is no code that can be taken{what}")
        pool_id = await self._store.write(lambda connection: codes.ensure_pool(connection, name, self._clock.now_us()))
        before = await self.get(name)
        for start in range(0, len(read.words), _GROUP):
            group = read.words[start : start + _GROUP]

            def work(connection: Connection, group: Sequence[str] = group) -> None:
                codes.add_all(connection, pool_id, group)

            await self._store.write(work)
        pool = await self.get(name)
        added = pool.total - before.total
        known = len(read.words) - added + read.twice
        return CodesAdded(pool, added, known, read.rejected[:_MOST_TOLD], len(read.rejected))

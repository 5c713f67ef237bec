"""Imports of contacts from CSV: a file is received, understood, and read in the background, a group of rows at a time.

Reading is done in a process beside the gateway, writing in groups that are small enough to let messages come in
between; each is committed with how far the import is. So what was written before a break stays, and the rest goes on
from there: by itself when the gateway starts again, or when the same file is handed in again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, ParamSpec, TypeVar

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import GatewayError, InvalidRequest, StoreClosed, Unavailable
from gateway.failpoints import reach
from gateway.ids import IdSource
from gateway.people import contacts_book
from gateway.people.aside import Aside
from gateway.people.attributes_values import MONTH_FIRST, TEXT, Guess
from gateway.people.contacts import types_of
from gateway.people.importing_columns import Target
from gateway.people.importing_files import ImportFiles
from gateway.people.importing_groups import Elsewhere, GroupWriter
from gateway.people.importing_rows import (
    Group,
    Place,
    Plan,
    Rejection,
    Row,
    behind_head,
    read_head,
    read_rows,
    survey,
    unfit,
)
from gateway.people.importing_text import count_lines, past_lines
from gateway.people.importing_wishes import Found, ImportView, ImportWishes, found_of, view_of
from gateway.store import contacts_attributes, imports
from gateway.store.database import Store

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

#: Rows that share a transaction: what waits for the writer meanwhile waits for so many.
PIECE: Final = 200
#: So long a job may take on a machine that is busy with other things, in seconds.
_WITHIN_S: Final = 120.0
_COUNTED: Final = 64
_AGAIN_US: Final = 5 * SECOND_US
_TRIES: Final = 5
_KEPT_US: Final = 400 * 24 * 3600 * SECOND_US
_FORGOTTEN: Final = 10


class Importer:
    """The imports of one host."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, ids: IdSource, aside: Aside | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._country = settings.gateway.country
        own = sorted({modem.number for modem in settings.modems.values() if modem.number is not None})
        api = settings.api
        self._numbers = (tuple(sorted(api.allowed_countries)), tuple(own), tuple(api.allowed_numbers))
        # A process of its own: an import keeps no filter and no template waiting.
        self._aside = aside or Aside()
        self._files = ImportFiles(settings.gateway.state_dir, self._aside)
        self._waiting: deque[str] = deque()
        self._news = asyncio.Event()

    async def receive(
        self, octets: AsyncIterator[bytes], wishes: ImportWishes, token_id: int | None
    ) -> tuple[ImportView, bool]:
        """Keep a file and let it be read; and whether it is new: the same file with the same wishes goes on where it
        was broken off. Raises `InvalidRequest` where the first line names no column of numbers."""
        import_id = self._ids.new()
        received = await self._files.receive(import_id, octets)
        try:
            mark = self._store.fingerprint(f"{received.digest.hex()} {wishes.canonical()}").hex()
            known = await self._store.read(lambda connection: imports.unfinished(connection, mark))
            if known is not None:
                if not self._files.of(known.id).exists():
                    await self._files.settle(received, known.id, found_of(known.wanted).charset)
                self._enqueue(known.id)
                return view_of(known), False
            charset = wishes.charset or received.sniffer.charset()
            await self._files.settle(received, import_id, charset)
            found = await self._understood(import_id, wishes, charset)
            row = await self._store.write(partial(self._begin, import_id, found, mark, token_id))
        except BaseException:
            self._files.drop(import_id)
            raise
        finally:
            received.drop()
        self._enqueue(import_id)
        return view_of(row), True

    async def run(self) -> None:
        """Read what was broken off, then whatever comes, until cancelled."""
        await asyncio.to_thread(self._files.sweep)
        try:
            await self._find_broken_off()
            while True:
                await self.work_off()
                self._news.clear()
                await self._clock.wait(self._news, None)
        finally:
            await self._aside.close()

    async def _find_broken_off(self) -> None:
        while True:
            try:
                rows = await self._store.read(imports.running)
            except StoreClosed:
                raise
            except Unavailable:
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + _AGAIN_US)
                continue
            for row in rows:
                if self._files.of(row.id).exists():
                    self._enqueue(row.id)
            return

    async def work_off(self) -> None:
        """Read everything that waits."""
        while self._waiting:
            await self._work(self._waiting[0])
            self._waiting.popleft()

    async def close(self) -> None:
        """End the process beside."""
        await self._aside.close()

    def _enqueue(self, import_id: str) -> None:
        if import_id not in self._waiting:
            self._waiting.append(import_id)
            self._news.set()

    def _begin(
        self, import_id: str, found: Found, mark: str, token_id: int | None, connection: Connection
    ) -> imports.AnyRow:
        now_us = self._clock.now_us()
        imports.forget_before(connection, now_us - _KEPT_US, _FORGOTTEN)
        imports.add(connection, import_id, found.kept(), mark, now_us, token_id=token_id)
        row = imports.get(connection, import_id)
        assert row is not None, "it was written in this transaction"
        return row

    # --- what the file is

    async def _understood(self, import_id: str, wishes: ImportWishes, charset: str) -> Found:
        types = await self._store.read(types_of)
        clash = [name for name, kind in wishes.types.items() if types.get(name, kind) != kind]
        if clash:
            said = "an attribute of that name is of another type already: change it there"
            raise InvalidRequest.field("columns_invalid", "types", said)
        path = self._files.of(import_id)
        known = {**types, **wishes.types}
        head = await self._job(read_head, path, wishes.delimiter, dict(wishes.columns), known)
        named = {each.name for each in head.targets if each.field == "attributes"}
        contacts_book.refuse_too_many(len(named | types.keys()))
        return Found(charset, head, wishes.tags, wishes.consent)

    def _plan(self, import_id: str, found: Found) -> Plan:
        return Plan(
            path=self._files.of(import_id),
            head=found.head,
            country=self._country,
            month_first=self._country in MONTH_FIRST,
            numbers=self._numbers,
            tags=found.tags,
        )

    async def _surveyed(self, import_id: str, found: Found, place: Place) -> Found:
        """What every column is, once all its cells were seen; kept, with the number of lines."""
        targets = await self._without_doubt(self._plan(import_id, found), place)
        found = found.with_targets(targets)
        kinds = await self._kinds(self._plan(import_id, found), place)
        total = await self._total(import_id)

        def work(connection: Connection) -> Found:
            now_us = self._clock.now_us()
            for at, kind in kinds.items():
                contacts_attributes.add(connection, found.head.targets[at].name, kind, now_us, declared=False)
            for each in found.head.targets:
                if each.field == "attributes" and each.kind is not None:
                    contacts_attributes.add(connection, each.name, each.kind, now_us, declared=True)
            types = types_of(connection)
            known = [replace(each, kind=types.get(each.name, TEXT)) if each.name else each for each in targets]
            whole = found.with_targets(known)
            imports.surveyed(connection, import_id, whole.kept(), total, now_us)
            return whole

        return await self._store.write(work)

    async def _without_doubt(self, plan: Plan, place: Place) -> Sequence[Target]:
        """The meanings of the columns: a doubtful field with a cell that is none of it is an attribute."""
        doubtful, bad, over = {at for at, each in enumerate(plan.head.targets) if each.doubtful}, set[int](), False
        while doubtful - bad and not over:
            more, place, over = await self._job(unfit, plan, place, frozenset(doubtful - bad))
            bad |= more
        return [
            replace(each, field="attributes" if at in bad else each.field, doubtful=False, name=each.name)
            if at in bad or each.field == "attributes"
            else replace(each, name="", doubtful=False)
            for at, each in enumerate(plan.head.targets)
        ]

    async def _kinds(self, plan: Plan, place: Place) -> dict[int, str]:
        """Of what type the attributes are that nobody declared, by their columns; empty columns are none."""
        guesses = {
            at: Guess(month_first=plan.month_first)
            for at, each in enumerate(plan.head.targets)
            if each.field == "attributes" and each.kind is None
        }
        over = not guesses
        while not over:
            guesses, place, over = await self._job(survey, plan, place, guesses)
        return {at: guess.kind for at, guess in guesses.items() if guess.kind is not None}

    async def _total(self, import_id: str) -> int:
        lines, octet, over = 0, 0, False
        while not over:
            more, octet, over = await self._job(count_lines, self._files.of(import_id), octet, _COUNTED)
            lines += more
        return lines

    # --- its rows

    async def _work(self, import_id: str) -> None:
        """Read one file to its end, whatever is in the way."""
        tries, problem = 0, None
        while tries < 2 * _TRIES:
            try:
                return await (self._read(import_id) if problem is None else self._end(import_id, problem))
            except StoreClosed:
                raise
            except Unavailable as error:
                log.warning("an import waits for the store", extra={"action": "import_waits", "code": error.code})
            except Elsewhere:
                # What was handed to the writer before a break may be committed only now; or another host reads, too.
                tries += 1
                if tries >= _TRIES:
                    log.warning("an import goes on elsewhere", extra={"action": "import_elsewhere"})
                    return self._files.drop(import_id)
                continue
            except Exception as error:  # noqa: BLE001 - one file must not end the gateway
                tries += 1
                log.error("an import failed", extra={"action": "import_failed", "error": type(error).__name__})
                problem = _problem_of(error, tries)
            await self._clock.wait(asyncio.Event(), self._clock.now_us() + _AGAIN_US)
        return None

    async def _read(self, import_id: str) -> None:
        row = await self._store.read(lambda connection: imports.get(connection, import_id))
        if row is None or row.status != imports.RUNNING:
            return self._files.drop(import_id)
        found, path = found_of(row.wanted), self._files.of(import_id)
        place = await self._job(behind_head, path)
        if row.total is None:
            found = await self._surveyed(import_id, found, place)
        if row.lines > place.line:
            place = Place(await asyncio.to_thread(past_lines, path, row.lines), row.lines)
        writer = GroupWriter(import_id, found.consent, self._store.fingerprint)
        await self._read_rows(self._plan(import_id, found), writer, place, row.lines)
        return await self._end(import_id, None)

    async def _read_rows(self, plan: Plan, writer: GroupWriter, place: Place, lines: int) -> None:
        """Write group by group, each while the next is read."""
        ahead = asyncio.ensure_future(self._job(read_rows, plan, place))
        try:
            while True:
                group = await ahead
                if not group.over:
                    ahead = asyncio.ensure_future(self._job(read_rows, plan, group.place))
                for rows, rejections, after in pieces(group, PIECE):
                    reach("importing")
                    await self._store.write(self._writing(writer, rows, rejections, (lines, after)))
                    lines = after
                if group.over:
                    return
        finally:
            ahead.cancel()

    def _writing(
        self, writer: GroupWriter, rows: Sequence[Row], rejections: Sequence[Rejection], span: tuple[int, int]
    ) -> Callable[[Connection], object]:
        return lambda connection: writer.write(connection, rows, rejections, span, self._clock.now_us())

    async def _end(self, import_id: str, problem: str | None) -> None:
        await self._store.write(lambda connection: imports.end(connection, import_id, self._clock.now_us(), problem))
        self._files.drop(import_id)

    async def _job(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._aside.run(_WITHIN_S, function, *args, **kwargs)


def _problem_of(error: Exception, tries: int) -> str | None:
    """The code by which an import ends; None where it is tried again."""
    if isinstance(error, GatewayError):
        return error.code
    return "import_failed" if tries >= _TRIES or isinstance(error, FileNotFoundError) else None


def pieces(group: Group, most: int) -> Iterator[tuple[Sequence[Row], Sequence[Rejection], int]]:
    """The rows and rejections of a group in the order of the file, some at a time; with the line up to which each
    piece goes. A group without any is one piece, too: empty lines are behind."""
    entries: list[Row | Rejection] = sorted((*group.rows, *group.rejections), key=lambda each: each.line)
    for start in range(0, max(len(entries), 1), most):
        piece = entries[start : start + most]
        is_last = start + most >= len(entries)
        after = group.place.line if is_last else entries[start + most].line - 1
        rows = [each for each in piece if isinstance(each, Row)]
        yield rows, [each for each in piece if isinstance(each, Rejection)], after

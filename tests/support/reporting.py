"""What came of campaigns, written straight into a store: a line for each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, insert

from gateway.address import AddressKind
from gateway.campaign import Variant, Wanted
from gateway.campaigns.stored import wanted_to_json
from gateway.ids import first_id
from gateway.store import recipients
from gateway.store.database import Store
from gateway.store.schema import campaign, campaign_member, click, conversion, inbox, link, message, optout

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
#: 2026-03-02 09:00 in Paris, a Monday.
START_US = 1_772_438_400 * SECOND_US
CAMPAIGN = first_id(START_US)


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of one person's message. Seconds count from when the message began."""

    variant: int | None = 0
    status: str = "delivered"
    error: str | None = None
    tried: bool = True
    begun_us: int | None = START_US
    replies: Sequence[float] = ()
    stop: float | None = None
    #: An opt-out that answers nothing.
    left: float | None = None
    people: Sequence[float] = ()
    bots: Sequence[float] = ()
    bought: Sequence[float | None] = ()
    fields: dict[str, Any] = field(default_factory=dict[str, Any])


class Ledger:
    """Writes fates, each to somebody of their own unless `person` says whose."""

    def __init__(self, store: Store, token_id: int, campaign_id: str | None = CAMPAIGN) -> None:
        self.store = store
        self.token_id = token_id
        self.campaign_id = campaign_id
        self._made = 0

    async def begin(self, *names: str, **values: Any) -> None:
        """The campaign, with these variants."""
        wanted = Wanted(values.pop("to", ("+33612345678",)), tuple(Variant(name, {"": "x"}) for name in names))
        for name in tuple(values):
            if name in Wanted.__slots__:
                wanted = type(wanted)(
                    **{each: getattr(wanted, each) for each in Wanted.__slots__} | {name: values.pop(name)}
                )
        row = {
            "id": self.campaign_id, "name": "Spring", "status": "finished", "category": "news", "audience": "frozen",
            "wanted": wanted_to_json(wanted), "token_id": self.token_id, "created_us": START_US,
            "started_us": START_US, "finished_us": START_US + DAY_US, **values,
        }  # fmt: skip
        await self.store.write(lambda connection: connection.execute(insert(campaign).values(**row)))

    async def write(self, *fates: Fate, person: str | None = None) -> None:
        await self.store.write(lambda connection: self._write(connection, fates, person))

    def _write(self, connection: Connection, fates: Sequence[Fate], person: str | None) -> None:
        places = range(self._made + 1, self._made + len(fates) + 1)
        self._made += len(fates)
        numbers = [person or f"+336{place:08d}" for place in places]
        lookups = [self.store.fingerprint(number) for number in numbers]
        people = {lookup: (number, AddressKind.E164) for lookup, number in zip(lookups, numbers, strict=True)}
        rows = recipients.ensure_all(connection, people, START_US)
        page = _Rows()
        for fate, lookup, place in zip(fates, lookups, places, strict=True):
            self._one(page, fate, rows[lookup], f"{int(first_id(START_US), 16) + place:032x}")
        page.insert(connection)

    def _one(self, page: _Rows, fate: Fate, someone: int, message_id: str) -> None:
        begun_us = START_US if fate.begun_us is None else fate.begun_us
        row = _message(fate, someone, message_id) | {"campaign_id": self.campaign_id, "token_id": self.token_id}
        page.add(message, **row | fate.fields)
        if self.campaign_id is not None:
            member = {"variant": fate.variant, "state": "queued", "message_id": message_id, "in_test": fate.tried}
            page.add(campaign_member, campaign_id=self.campaign_id, recipient_id=someone, **member)
        for at, seconds in enumerate(fate.replies):
            _reply(page, someone, message_id, begun_us + _us(seconds), f"a{at}")
        if fate.stop is not None:
            item = _reply(page, someone, message_id, begun_us + _us(fate.stop), "b", keyword="stop")
            _out(page, someone, begun_us + _us(fate.stop), item)
        if fate.left is not None:
            _out(page, someone, begun_us + _us(fate.left), None)
        self._visits(page, fate, someone, message_id, begun_us)
        for value in fate.bought:
            bought = {
                "campaign_id": self.campaign_id,
                "variant": fate.variant,
                "message_id": message_id,
                "kind": "sale",
            }
            times = {"at_us": begun_us, "created_us": begun_us, "token_id": 0}
            page.add(conversion, recipient_id=someone, value=value, **bought, **times)

    def _visits(self, page: _Rows, fate: Fate, someone: int, message_id: str, begun_us: int) -> None:
        if not fate.people and not fate.bots:
            return
        made = {"campaign_id": self.campaign_id, "variant": fate.variant, "message_id": message_id, "url": "https://x"}
        code = message_id[-16:]
        page.add(link, code=code, recipient_id=someone, created_us=begun_us, **made)
        for bot, visits in ((False, fate.people), (True, fate.bots)):
            for seconds in visits:
                page.add(click, code=code, at_us=begun_us + _us(seconds), bot=bot, agent="x")


class _Rows:
    """Rows of several tables, written at once: in the order in which they name each other."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, frozenset[str]], list[dict[str, Any]]] = {}

    def add(self, table: Table, **row: Any) -> None:
        self._rows.setdefault((table.name, frozenset(row)), []).append(row)

    def insert(self, connection: Connection) -> None:
        for table in (message, campaign_member, inbox, optout, link, click, conversion):
            for (name, _), rows in self._rows.items():
                if name == table.name:
                    connection.execute(insert(table), rows)


def _us(seconds: float) -> int:
    return int(seconds * SECOND_US)


def _message(fate: Fate, someone: int, message_id: str) -> dict[str, Any]:
    arrived = fate.status in ("sent", "delivered", "undelivered")
    return {
        "id": message_id, "recipient_id": someone, "category": "news", "priority": 3, "stoppable": True,
        "test": False, "text": "x", "flash": False, "encoding": "gsm7", "parts": 1, "on_uncertain": "report",
        "status": fate.status, "created_us": START_US, "due_us": START_US, "expires_us": START_US + DAY_US,
        "modem": "sim1", "node": "test-1", "simulated": True, "variant": fate.variant, "begun_us": fate.begun_us,
        "sent_us": fate.begun_us if arrived else None,
        "delivered_us": fate.begun_us if fate.status == "delivered" else None, "error_code": fate.error,
    }  # fmt: skip


def _reply(page: _Rows, someone: int, message_id: str, at_us: int, mark: str, *, keyword: str | None = None) -> str:
    item = message_id[: -len(mark) - 8] + mark + message_id[-8:]
    came = {"modem": "sim1", "node": "test-1", "parts": 1, "received_us": at_us, "keyword": keyword}
    page.add(inbox, id=item, recipient_id=someone, in_reply_to=message_id, text="x", **came)
    return item


def _out(page: _Rows, someone: int, at_us: int, item: str | None) -> None:
    said = {"category": "", "source": "sms:stop", "inbox_id": item, "since_us": at_us}
    page.add(optout, recipient_id=someone, **said)

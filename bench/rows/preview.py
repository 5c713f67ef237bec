"""POST /v1/messages/preview on a full store: the four categories, people of many countries, any minute of a year.

Of the people some had hundreds of messages, some have opted out, some have said yes or no; half of those that are asked
about are not known at all. What waits is planned for later, and the modem rests. The client is one connection that asks
as soon as it is answered.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from sqlalchemy import Connection

from bench.figures import Figure, at_most, number, percentile, spread
from bench.filling import Works, fill_open, finish, settings_in, works_on
from bench.plan import Plan
from bench.processes import Daemon, daemon, modems
from gateway.store.opening import open_configured

_GOAL = at_most(5, "p99")
_DAY_S = 24 * 3600
_LATER_US = 30 * _DAY_S * 1_000_000
_CATEGORIES = ("emergency", "authentication", "transactional", "promotional")
#: Where numbers begin of which the store has many, and where others do: zones, holidays and profiles differ.
_KNOWN = (33_700_000_000, 49_151_000_000_00, 44_7900_000_000, 32_470_000_000, 1_212_200_0000)
_OTHERS = ("+336", "+4915", "+4479", "+1416", "+3247", "+4179", "+352621", "+3934", "+346", "+1305", "+1800", "+79")
_DIGITS = {"+336": 8, "+4915": 9, "+4479": 8, "+352621": 6, "+3934": 8, "+346": 8, "+3247": 7, "+79": 9}
_WRITTEN = (
    "Votre commande est arrivée, à demain.",
    "Your order has arrived, see you tomorrow.",
    "Soldes 😀 jusqu’à samedi",
)
_MANY = 300
#: Others use the machine too, and the disk is read once: the fastest of so many is what a preview takes by itself.
_AGAIN = 3
_RULES = """
[profiles.FR]
promotional_over_sim = true
[profiles.BE]
promotional_over_sim = true
"""


async def measure(plan: Plan) -> list[Figure]:
    """What it takes without proof-reading and with it, the first of each country, and while messages are accepted."""
    folder = plan.folder / "preview"
    async with modems(folder / "modems", 1, latency_s=1.0) as simulated:
        people = await _fill(plan, folder, simulated.configured)
        async with daemon(folder, simulated.configured, rules=_RULES) as gateway:
            found = await asyncio.to_thread(_measured, plan, gateway, people)
    shutil.rmtree(folder)
    return found


async def _fill(plan: Plan, folder: Path, ports: dict[str, str]) -> Sequence[str]:
    """Numbers that are known in the store that is made."""
    settings = settings_in(folder, ports)
    store = await asyncio.to_thread(open_configured, settings)
    try:
        works = await works_on(settings, store)
        share = plan.backlog // (2 * len(_KNOWN))
        for first in _KNOWN:
            await finish(works, share, first + 10**6)
        await finish(
            works, plan.backlog - len(_KNOWN) * share, _KNOWN[0] + 2 * 10**6, each=_MANY, category="promotional"
        )
        await fill_open(works, queued=plan.backlog, send_us=works.clock.now_us() + _LATER_US)
        return await works.store.write(lambda connection: _told(connection, works))
    finally:
        await store.close()


def _told(connection: Connection, works: Works) -> list[str]:
    """Let people opt out and agree; some of their numbers."""
    now_us = works.clock.now_us()
    for number_, category in ((7, ""), (11, "promotional")):
        connection.exec_driver_sql(
            "INSERT INTO optout (recipient_id, category, since_us, source) "
            f"SELECT id, '{category}', {now_us}, 'bench' FROM recipient WHERE id % {number_} = 0"
        )
    for number_, state in ((2, "given"), (13, "withdrawn")):
        connection.exec_driver_sql(
            "INSERT INTO consent (recipient_id, category, state, at_us, recorded_us) "
            f"SELECT id, 'promotional', '{state}', {now_us}, {now_us} FROM recipient WHERE id % {number_} = 0"
        )
    connection.exec_driver_sql("ANALYZE")
    every = max((connection.exec_driver_sql("SELECT count(*) FROM recipient").scalar() or 1) // 5000, 1)
    rows = connection.exec_driver_sql(f"SELECT number FROM recipient WHERE id % {every} = 0")
    many = connection.exec_driver_sql(
        "SELECT number FROM recipient JOIN message ON recipient_id = recipient.id "
        f"GROUP BY recipient.id HAVING count(*) >= {_MANY} LIMIT 500"
    )
    return [row[0] for row in (*rows, *many)]


def _measured(plan: Plan, gateway: Daemon, people: Sequence[str]) -> list[Figure]:
    chance = random.Random(23040)
    asking = _Asking(gateway)
    advertising = {"category": "promotional"}
    first = [asking.ask(_body(chance, _stranger(chance, beginning)) | advertising) for beginning in _OTHERS]
    bodies = list(_bodies(chance, people, plan.previews))
    size = f"with {number(plan.backlog)} waiting and as many finished"
    without, nothing = [asking.ask(body) for body in bodies], sorted(asking.read() for _ in bodies)
    again = [min(asking.ask(body) for _ in range(_AGAIN)) for body in bodies]
    machine = {"limit": median(nothing), "limit_is": "a read that finds nothing"}
    asking.ask(bodies[0] | {"check_spelling": True})
    read = [asking.ask(body | {"check_spelling": True}) for body in bodies]
    least = f"a read that finds nothing has p99 {number(percentile(nothing, 99))}"
    every = [asking.ask(body | advertising) for body in bodies]
    asking.close()
    many = f"{len(bodies)} of any category, number and minute; {least}"
    return [
        spread(f"preview {size}", "ms", without, goals=[_GOAL], note=many, **machine),
        spread(
            f"preview {size}, again", "ms", again, goals=[_GOAL], note=f"the same {_AGAIN} times, the fastest of each"
        ),
        spread(f"preview, proof-read, {size}", "ms", read, goals=[_GOAL], note="the same, looked through for typos"),
        spread(f"preview of advertising {size}", "ms", every, goals=[_GOAL], note="the category with all rules"),
        spread("preview, the first of a country", "ms", first, note="its zones, holidays and numbers are read once"),
    ]  # fmt: skip


class _Asking:
    """One connection."""

    def __init__(self, gateway: Daemon) -> None:
        self._connection = http.client.HTTPConnection(*gateway.address, timeout=60)
        self._fields = {"Authorization": f"Bearer {gateway.token}", "Content-Type": "application/json"}

    def ask(self, body: dict[str, object]) -> float:
        """How many milliseconds the answer took."""
        return self._timed("POST", "/v1/messages/preview", json.dumps(body).encode(), 200)

    def read(self) -> float:
        """The same of what asks the store for one row that is not there: what the machine allows."""
        return self._timed("GET", f"/v1/messages/{'0' * 32}", None, 404)

    def _timed(self, method: str, path: str, body: bytes | None, status: int) -> float:
        began = time.perf_counter()
        self._connection.request(method, path, body, self._fields)
        with self._connection.getresponse() as answer:
            said = answer.read()
        took = time.perf_counter() - began
        if answer.status != status:
            raise RuntimeError(f"it was refused: {said.decode()[:500]}")
        return 1000 * took

    def close(self) -> None:
        self._connection.close()


def _bodies(chance: random.Random, people: Sequence[str], count: int) -> Iterator[dict[str, object]]:
    for at in range(count):
        to = _stranger(chance, chance.choice(_OTHERS)) if at % 2 else chance.choice(people)
        yield _body(chance, to)


def _body(chance: random.Random, to: str) -> dict[str, object]:
    at = datetime.fromtimestamp(time.time() + chance.randrange(365 * _DAY_S), UTC)
    return {
        "to": to,
        "text": chance.choice(_WRITTEN),
        "category": chance.choice(_CATEGORIES),
        "at": at.isoformat(),
        "check_spelling": False,
    }


def _stranger(chance: random.Random, beginning: str) -> str:
    return beginning + "".join(chance.choice("2345678") for _ in range(_DIGITS.get(beginning, 7)))

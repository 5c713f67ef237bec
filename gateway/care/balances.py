"""The balance of a prepaid SIM, asked of its operator by USSD from time to time.

A modem that has something to send is not asked: the question waits until it has not, and the answer is not waited for
longer than somebody with an urgent message would notice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection

from drivers.errors import DriverError
from drivers.events import ModemState
from gateway.care.rounds import go_round
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import BalanceSettings
from gateway.ports import Modem
from gateway.rules.balance import balance_in
from gateway.store import care, events
from gateway.store.database import Store

log = logging.getLogger(__name__)

LOW = "balance.low"
#: Operators answer within seconds, or not at all.
ANSWER_S = 20.0
#: The first question comes so long after the start; the modems of a host ask one after the other.
FIRST_US = 60 * SECOND_US
#: When the modem was not idle, and when it was asked in vain.
BUSY_US = 30 * SECOND_US
AGAIN_US = 900 * SECOND_US


class Balance:
    """Asks for the balance of one modem's SIM until it is cancelled. `place` is its place among those that do."""

    def __init__(
        self,
        modem: Modem,
        asked: BalanceSettings,
        store: Store,
        clock: Clock,
        *,
        node: str,
        place: int,
        is_sending: Callable[[], bool],
    ) -> None:
        self._modem = modem
        self._asked = asked
        self._store = store
        self._clock = clock
        self._node = node
        self._first_us = clock.now_us() + (1 + place) * FIRST_US
        self._is_sending = is_sending

    async def run(self) -> None:
        """Ask when it is due."""
        await go_round(self._clock, "balance", self._look)

    async def _look(self) -> int:
        now_us = self._clock.now_us()
        rows = await self._store.read(lambda connection: care.rows(connection, self._node))
        row = rows.get(self._modem.name)
        # Also where the time between two was made shorter.
        due_us = min((row.balance_due_us if row else None) or 0, now_us + self._asked.every_us)
        due_us = max(due_us, self._first_us)
        if due_us > now_us:
            return due_us
        if self._modem.status().state is not ModemState.READY or self._is_sending():
            return now_us + BUSY_US
        return await self._ask()

    async def _ask(self) -> int:
        name = self._modem.name
        try:
            text = await self._modem.ussd(self._asked.code, ANSWER_S)
        except DriverError as error:
            log.warning("no balance", extra={"action": "balance_failed", "modem": name, "code": error.code})
            return await self._wait_for(min(AGAIN_US, self._asked.every_us))
        milli = balance_in(text)
        if milli is None:
            # The text may hold a person's number.
            log.warning("the balance cannot be read", extra={"action": "balance_unreadable", "modem": name})
        else:
            iccid = self._modem.status().iccid
            await self._store.write(lambda connection: self._keep(connection, milli, iccid))
        return await self._wait_for(self._asked.every_us)

    async def _wait_for(self, time_us: int) -> int:
        due_us = self._clock.now_us() + time_us
        await self._store.write(
            lambda connection: care.write(connection, self._node, self._modem.name, balance_due_us=due_us)
        )
        return due_us

    def _keep(self, connection: Connection, milli: int, iccid: str | None) -> None:
        name, now_us = self._modem.name, self._clock.now_us()
        row = care.rows(connection, self._node).get(name)
        least = self._asked.warn_below
        low = least is not None and milli < least * 1000
        # Another SIM begins anew.
        was_low = row is not None and row.balance_low and row.balance_iccid == iccid
        if low and not was_low:
            detail = f"{name}: {milli / 1000:g} is less than {least:g}"
            facts = {"modem": name, "node": self._node, "balance": milli / 1000, "warn_below": least}
            events.record(connection, now_us, LOW, detail=detail, facts=facts)
            # How much a person has is told in the event alone.
            log.warning("balance low", extra={"action": "balance_low", "modem": name})
        care.write(
            connection,
            self._node,
            name,
            balance_milli=milli,
            balance_us=now_us,
            balance_iccid=iccid,
            balance_low=low,
        )

"""The ledger of PINs on the store: what a SIM was given is on the disk before it is given.

Hosts that share a database share it, so a SIM that is moved to another host's modem keeps its record. Of the PIN a
fingerprint is kept that only the store's key can make.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import Connection

from drivers.errors import ModemNotReady
from drivers.gsm.pin_ledger import Judge, PinOutcome, after
from drivers.gsm.pin_rules import Card, PinRefusal, state_of_attempt
from gateway.clock import SECOND_US, Clock
from gateway.errors import GatewayError, StoreClosed
from gateway.failpoints import reach
from gateway.store import sim_pins
from gateway.store.database import Store

_Work: TypeAlias = Callable[[Connection], None]

log = logging.getLogger(__name__)

_PAUSE_US = 5 * SECOND_US


class Pins:
    """What became of PINs, for the modems of this host. Fits `drivers.gsm.pin_ledger.PinLedger`."""

    def __init__(self, store: Store, clock: Clock, node: str) -> None:
        self._store = store
        self._clock = clock
        self._node = node
        #: Outcomes that could not be written yet.
        self._late: set[asyncio.Task[None]] = set()

    async def begin(self, card: Card, pin: str, judge: Judge) -> PinRefusal | None:
        """As the protocol says: without a record on the disk there is no attempt."""
        card, mark = self._known(card), self._fingerprint(pin)

        def work(connection: Connection) -> PinRefusal | None:
            now_us = self._clock.now_us()
            rows = sim_pins.of(connection, mark, card)
            records = [sim_pins.record_of(row, now_us) for row in rows]
            refusal = judge(records, sim_pins.gone_by_others(connection, mark, card))
            if refusal is None:
                sim_pins.begin(connection, mark, card, rows, state=state_of_attempt(records), now_us=now_us)
            return refusal

        try:
            refusal = await self._store.write(work)
        except Exception as error:
            # Whatever it is: nothing is known to be on the disk.
            code = error.code if isinstance(error, GatewayError) else type(error).__name__
            log.error("a PIN's record was refused", extra={"action": "pin_refused", "modem": card.name, "code": code})
            raise ModemNotReady("the record of its PIN cannot be written, so the PIN is not tried") from error
        if refusal is None:
            log.info("a SIM is given its PIN", extra={"action": "pin_tried", "modem": card.name})
            reach("pin_recorded")
        return refusal

    async def settle(self, card: Card, pin: str, outcome: PinOutcome) -> None:
        """Write down what came of it; while the store refuses, later."""
        card, mark = self._known(card), self._fingerprint(pin)
        reach("pin_answered")

        def work(connection: Connection) -> None:
            now_us = self._clock.now_us()
            rows = sim_pins.of(connection, mark, card)
            records = [after(sim_pins.record_of(row, now_us), outcome) for row in rows]
            sim_pins.settle(connection, rows, records, now_us)
            if outcome is PinOutcome.PROVEN:
                sim_pins.settle_others(connection, mark, card, now_us)

        async def until_written() -> None:
            while not await self._written(work, card.name):
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)

        log.info("a PIN was answered", extra={"action": f"pin_{outcome.name.lower()}", "modem": card.name})
        if not await self._written(work, card.name):
            task = asyncio.create_task(until_written(), name=f"pin of {card.name}")
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    async def confirm(self, card: Card, pin: str) -> None:
        """A person allows one more try, within the hour. Raises what the store refuses it with."""
        card, mark = self._known(card), self._fingerprint(pin)
        await self._store.write(
            lambda connection: sim_pins.confirm(connection, mark, card, self._clock.now_us()), hurried=True
        )

    async def close(self) -> None:
        """Give up what could not be written."""
        tasks = list(self._late)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _written(self, work: _Work, modem: str) -> bool:
        try:
            await self._store.write(work)
        except StoreClosed:
            return True
        except Exception:
            log.exception("what came of a PIN was not written", extra={"action": "pin_unwritten", "modem": modem})
            return False
        return True

    def _known(self, card: Card) -> Card:
        """With the node: another host has a modem of that name, too."""
        return replace(card, name=f"{self._node}:{card.name}")

    def _fingerprint(self, pin: str) -> bytes:
        return self._store.fingerprint(f"pin:{pin}")

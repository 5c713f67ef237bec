"""Status reports: from the network's word to the part it speaks of."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import Connection

from drivers.events import StatusReportReceived
from gateway.address import normalise_sender
from gateway.clock import from_datetime
from gateway.inbound.arrival import Origin, fingerprint
from gateway.message import PartState
from gateway.rules.report import finding_of
from gateway.store import recipients, reports
from gateway.store.database import Store
from gateway.store.report_fit import NewReport

log = logging.getLogger(__name__)

#: A report, and where it was heard.
HeardReport: TypeAlias = tuple[StatusReportReceived, Origin]


class Reports:
    """Takes status reports."""

    def __init__(self, store: Store, country: str | None) -> None:
        self._store = store
        self._country = country

    def take(self, connection: Connection, event: StatusReportReceived, origin: Origin, now_us: int) -> bool:
        """Keep a report and let it move its part; False when the same octets were here before."""
        (kept,) = self.take_all(connection, [(event, origin)], now_us)
        return kept

    def take_all(self, connection: Connection, group: Sequence[HeardReport], now_us: int) -> list[bool]:
        """The same for several, in their order. Their people are looked for together."""
        named = [normalise_sender(event.report.tp_ra.text, self._country) for event, _ in group]
        lookups = [self._store.fingerprint(number) for number, _ in named]
        people = recipients.ensure_all(connection, dict(zip(lookups, named, strict=True)), now_us)
        return [
            self._take(connection, _row(event, origin, people[lookup], number, now_us))
            for (event, origin), lookup, (number, _) in zip(group, lookups, named, strict=True)
        ]

    @staticmethod
    def _take(connection: Connection, new: NewReport) -> bool:
        row = reports.attempt_for(connection, new)
        if not reports.add(connection, new, None if row is None else row.id):
            return False
        if row is not None:
            finding = finding_of(new.tp_st)
            if row.state == PartState.FAILED and finding.event is not None:
                # Its modem says no to what has left, and somebody should know that.
                details = {"action": "failed_was_sent", "modem": row.modem, "message_id": row.message_id}
                log.warning("a report speaks of a part that was believed refused", extra=details)
            reports.move(connection, row, new.received_us, told=new, finding=finding)
        return True


def _row(event: StatusReportReceived, origin: Origin, person: int, number: str, now_us: int) -> NewReport:
    told = event.report
    moment, taken = told.tp_dt.datetime, told.tp_scts.datetime
    return NewReport(
        fingerprint=fingerprint(origin, event.raw),
        recipient_id=person,
        number=number,
        modem=origin.modem,
        node=origin.node,
        iccid=origin.iccid,
        tp_mr=told.tp_mr,
        tp_st=told.tp_st,
        received_us=now_us,
        submitted_us=None if taken is None else from_datetime(taken),
        discharged_us=None if moment is None else from_datetime(moment),
        stamps=told.tp_scts.raw + told.tp_dt.raw,
    )

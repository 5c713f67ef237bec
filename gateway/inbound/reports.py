"""Status reports: from the network's word to the part it speaks of."""

from __future__ import annotations

from sqlalchemy import Connection

from drivers.events import StatusReportReceived
from gateway.address import normalise_sender
from gateway.clock import from_datetime
from gateway.inbound.arrival import Origin, fingerprint
from gateway.rules.report import finding_of
from gateway.store import recipients, reports
from gateway.store.database import Store
from gateway.store.reports import NewReport


class Reports:
    """Takes status reports."""

    def __init__(self, store: Store, country: str | None) -> None:
        self._store = store
        self._country = country

    def take(self, connection: Connection, event: StatusReportReceived, origin: Origin, now_us: int) -> bool:
        """Keep a report and let it move its part; False when the same octets were here before."""
        told = event.report
        number, kind = normalise_sender(told.tp_ra.text, self._country)
        moment, taken = told.tp_dt.datetime, told.tp_scts.datetime
        new = NewReport(
            fingerprint=fingerprint(origin, event.raw),
            recipient_id=recipients.ensure(connection, number, kind, self._store.fingerprint(number), now_us),
            number=number,
            modem=origin.modem,
            node=origin.node,
            iccid=origin.iccid,
            tp_mr=told.tp_mr,
            tp_st=told.tp_st,
            received_us=now_us,
            submitted_us=None if taken is None else from_datetime(taken),
            discharged_us=None if moment is None else from_datetime(moment),
        )
        report_id = reports.add(connection, new)
        if report_id is None:
            return False
        row = reports.attempt_for(connection, new)
        if row is not None:
            reports.apply(connection, report_id, row, now_us, told=new, finding=finding_of(new.tp_st))
        return True

"""What a status report means: TP-ST (TS 23.040, 9.2.3.15) as an event of a part."""

from __future__ import annotations

from drivers.tpdu import StatusOutcome, outcome_of
from gateway.message import Finding, PartEvent

_FINDINGS = {
    StatusOutcome.DELIVERED: Finding(PartEvent.REPORT_DELIVERED, "the handset has it"),
    StatusOutcome.STILL_TRYING: Finding(None, "the service centre is still trying"),
    StatusOutcome.UNDELIVERED: Finding(PartEvent.REPORT_UNDELIVERED, "the service centre gave up"),
    StatusOutcome.UNCONFIRMED: Finding(None, "the service centre passed it on and cannot confirm that it arrived"),
}


def finding_of(tp_st: int) -> Finding:
    """The finding of one TP-ST octet."""
    return _FINDINGS[outcome_of(tp_st)]

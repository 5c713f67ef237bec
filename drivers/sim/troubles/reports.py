"""Troubles of what arrives: status reports and indications."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from drivers.sim.incoming import Incoming, Kind
from drivers.sim.troubles.base import Lasting, Striking
from drivers.sim.troubles.options import FLAG, count, either, one_of, option
from drivers.tpdu import Address, SmsStatusReport, join_smsc, split_smsc

STRANGER = "+33639980998"  # of the block that French numbering keeps for fiction


def with_changes(incoming: Incoming, **fields: object) -> Incoming:
    """The same report with other fields of its TPDU."""
    centre, tpdu = split_smsc(incoming.pdu)
    changed = replace(SmsStatusReport.from_bytes(tpdu), **fields)  # type: ignore[arg-type]
    return replace(incoming, pdu=join_smsc(centre, changed.to_bytes()))


@dataclass(kw_only=True, eq=False)
class ReportOrder(Lasting):
    """reports come twice, in the wrong order, with one for a message that never was, or not at all"""

    name = "report-order"

    way: str = option(
        one_of("doubled", "reversed", "unknown", "lost"), "doubled", "which of them",
        draw=either("doubled", "reversed", "unknown"),
    )  # fmt: skip
    gather: int = option(count(range(1, 1000)), 3, "how many are turned round at a time", draw=either(2, 3, 10))
    _held: deque[Incoming] = field(default_factory=deque[Incoming], init=False, repr=False)

    def arriving(self, incoming: Incoming) -> Iterable[Incoming]:
        if incoming.kind is not Kind.STATUS_REPORT:
            return (incoming,)
        match self.way:
            case "doubled":
                return (incoming, incoming)
            case "unknown":
                stranger = Address.from_text(STRANGER)
                return (with_changes(incoming, tp_ra=stranger), incoming)
            case "lost":
                return ()
            case _:
                self._held.appendleft(incoming)
                return self._released() if len(self._held) >= self.gather else ()

    def finish(self) -> None:
        for incoming in self._released():
            self.modem.station.card.hold(incoming)

    def _released(self) -> tuple[Incoming, ...]:
        held = tuple(self._held)
        self._held.clear()
        return held


@dataclass(kw_only=True, eq=False)
class ReportStatus(Striking):
    """a report says another TP-ST (23.040, 9.2.3.15) than that it was delivered"""

    name = "report-status"

    st: int = option(
        count(range(256)), 0x46, "the value", draw=either(0x01, 0x02, 0x10, 0x1F, 0x40, 0x46, 0x50, 0x61, 0x7F, 0xFF)
    )

    def arriving(self, incoming: Incoming) -> Iterable[Incoming]:
        if incoming.kind is Kind.STATUS_REPORT:
            incoming = with_changes(incoming, tp_st=self.st)
            self.strike()
        return (incoming,)


@dataclass(kw_only=True, eq=False)
class LostIndication(Striking):
    """something is stored and nobody is told: no +CMTI, no +CDSI"""

    name = "lost-indication"

    direct: bool = option(FLAG, False, "also +CMT and +CDS, which lose the message itself without +CNMA")

    def tells(self, lines: tuple[str, ...]) -> bool:
        lost = ("+CMTI:", "+CDSI:", "+CMT:", "+CDS:") if self.direct else ("+CMTI:", "+CDSI:")
        if not lines[0].startswith(lost):
            return True
        self.strike()
        return False

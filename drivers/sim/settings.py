"""What one simulated modem is: its identity, its SIM, its network and how long things take.

Every value is chosen once, before the modem starts; what commands change lives in `equipment_state`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from drivers.at.codes import CmsError


@dataclass(frozen=True, slots=True)
class SimSettings:
    """Times are in seconds; 0 means at once, without a turn of a timer.

    `imei` has 15 digits (23.003, 6.2.1), `imsi` up to 15 (23.003, 2.2), `iccid` 19 or 20 (ITU-T E.118).
    `registration` is <stat> of 27.007, 7.2; `rssi` the 0 to 31 of +CSQ (27.007, 8.5).
    `sm_capacity`, `me_capacity` and `sr_capacity` are the slots of the storages of 27.005, 3.2.2. `ledger_size` bounds
    what a modem that sends for months remembers; who needs everything listens to the ledger.
    Troubles by recipient: a submission to a number of `refused` ends with that +CMS ERROR; one to a number of `silent`
    leaves, and neither an answer nor a report ever comes.
    """

    name: str = "simulated"
    number: str = "+33639981001"
    pin: str | None = None
    imei: str = "350000000000010"
    imsi: str = "208990000000001"
    iccid: str = "8933990000000000017"
    smsc: str = "+33639980000"
    operator: str = "Tocsin Sim"
    operator_code: str = "20899"
    registration: int = 1
    rssi: int = 21
    echo: bool = True
    latency: float = 0.0
    report_delay: float = 0.05
    acknowledge_within: float = 15.0
    first_index: int = 1
    sm_capacity: int = 50
    me_capacity: int = 100
    sr_capacity: int = 50
    ledger_size: int = 10_000
    refused: Mapping[str, CmsError] = field(default_factory=dict[str, CmsError])
    silent: frozenset[str] = frozenset()


def numbered(template: SimSettings, index: int) -> SimSettings:
    """The `index`-th modem (from 0) of a simulation: another name, number, IMEI, IMSI and ICCID each.

    The numbers lie in +33 6 39 98, which French numbering keeps for fiction.
    """
    return replace(
        template,
        name=f"modem{index}",
        number=f"+3363998{1001 + index:04}",
        imei=_with_check_digit(f"35000000{index + 1:06}"),
        imsi=f"20899{index + 1:010}",
        iccid=_with_check_digit(f"893399{index + 1:012}"),
    )


def _with_check_digit(digits: str) -> str:
    """ISO/IEC 7812-1: doubled digits from the right count with their digit sum."""
    doubled = (int(digit) * (2 - position % 2) for position, digit in enumerate(reversed(digits)))
    return digits + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


MANUFACTURER = "Tocsin"
MODEL = "Simulated modem"
REVISION = "1.0"


def wall_clock() -> datetime:
    """The default source of service centre time stamps; a test hands its own."""
    return datetime.fromtimestamp(time.time_ns() // 1_000_000_000, UTC)

"""What one simulated modem is: its identity, its SIM, its network and how long things take.

Every value is chosen once, before the modem starts; what commands change lives in `drivers.sim.state`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from drivers.at.codes import CmsError
from drivers.sim.profile import SimProfile
from drivers.sim.recipient import Recipient
from drivers.sim.variants import profile_named


@dataclass(frozen=True, slots=True)
class SimSettings:
    """Times are in seconds; 0 means at once, without a turn of a timer.

    `imei` has 15 digits (23.003, 6.2.1), `imsi` up to 15 (23.003, 2.2), `iccid` 19 or 20 (ITU-T E.118).
    `registration` is <stat> of 27.007, 7.2; `rssi` the 0 to 31 of +CSQ (27.007, 8.5).
    `profile` names the family that is played (drivers.sim.profiles). `echo`, `first_index`, `sm_capacity`,
    `me_capacity` and `sr_capacity` (slots of the storages of 27.005, 3.2.2) are that family's where they are None.
    `ledger_size` bounds what a modem that sends for months remembers; who needs everything listens to the ledger.
    `start_seconds` is from the start to the family's "ready", `restart_seconds` how long a restart takes,
    `chatter_every` how often it says something by itself. A call rings each `ring_every`, for `call_seconds`.
    `ussd` are the texts that the network answers to codes, after `ussd_seconds`; without any there is no such service.
    `sim_toolkit` lets the SIM take a data download by itself (23.040, 9.2.3.9); else it is stored like a message.
    Troubles by recipient: a submission to a number of `refused` ends with that +CMS ERROR; one to a number of `silent`
    leaves, and neither an answer nor a report ever comes. `recipients` take what is sent in their own ways.
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
    profile: str = "generic"
    echo: bool | None = None
    latency: float = 0.0
    report_delay: float = 0.05
    acknowledge_within: float = 15.0
    start_seconds: float = 0.1
    restart_seconds: float = 1.0
    chatter_every: float = 20.0
    ring_every: float = 5.0
    call_seconds: float = 20.0
    ussd: Mapping[str, str] = field(default_factory=dict[str, str])
    ussd_seconds: float = 0.05
    sim_toolkit: bool = False
    first_index: int | None = None
    sm_capacity: int | None = None
    me_capacity: int | None = None
    sr_capacity: int | None = None
    ledger_size: int = 10_000
    refused: Mapping[str, CmsError] = field(default_factory=dict[str, CmsError])
    recipients: Mapping[str, Recipient] = field(default_factory=dict[str, Recipient])
    silent: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        profile_named(self.profile)

    @property
    def family(self) -> SimProfile:
        """What is played."""
        return profile_named(self.profile)

    @property
    def capacities(self) -> dict[str, int]:
        """The slots of each storage that there is."""
        chosen = {"SM": self.sm_capacity, "ME": self.me_capacity, "SR": self.sr_capacity}
        sizes = self.family.storages.sizes
        return {name: size if chosen[name] is None else chosen[name] or 0 for name, size in sizes.items()}


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


def wall_clock() -> datetime:
    """The default source of service centre time stamps; a test hands its own."""
    return datetime.fromtimestamp(time.time_ns() // 1_000_000_000, UTC)

"""What sets one family of modems apart in what it says and does, as a value; the families themselves are elsewhere.

A line may hold the fields of `str.format`: {imei}, {imsi}, {iccid}, {swapped} (the octets of EF-ICCID in hexadecimal),
{pin} and {puk} (tries left), {tries} (left for what is asked), {word} (of +CPIN), {sim} (1 with a SIM, else 0);
those of calls {number} and {type}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from drivers.at.codes import CmeError
from drivers.at.equipment_grammar import Form


class UssdForm(Enum):
    """How the code and the text of a USSD dialogue are written (27.007, 7.15)."""

    PLAIN = auto()
    """As text in the set of +CSCS: what the clause asks for."""
    PACKED = auto()
    """As hexadecimal octets of packed septets (23.038, 6.1.2.3); a text that these cannot hold as UCS-2."""
    UCS2 = auto()
    """The code in the set of +CSCS, the text as hexadecimal UCS-2 whatever the set."""
    GSM = auto()
    """As characters of the GSM alphabet whatever the set."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command of the family that tells something: its lines of information text."""

    name: str
    form: Form
    lines: tuple[str, ...]
    of_sim: bool = True
    """Whether it fails without a SIM."""


@dataclass(frozen=True, slots=True)
class Routing:
    """+CNMI of 27.005, 3.4.1: what +CNMI=? claims, what is taken for mode, mt, bm, ds and bfr, and what is not."""

    claimed: str = "(0-3),(0-3),(0-3),(0-2),(0,1)"
    taken: tuple[tuple[int, ...], ...] = ((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2), (0, 1))
    refused: frozenset[tuple[int, ...]] = frozenset()
    first: tuple[int, ...] = (0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Storages:
    """+CPMS of 27.005, 3.2.2. `sizes` are slots by name; `known` are mem1, mem2 and mem3 as +CPMS=? tells them.

    `values` is how many storages one command may name, `shown` the whole answer to +CPMS=? where it has another form.
    `reports` is the storage of status reports: a name, "" for mem3, None where none are kept. `told_report` is what
    +CDSI says instead of where the report is. `full` are the lines that a full storage makes it say; {memory} names it.
    """

    sizes: Mapping[str, int] = field(default_factory=lambda: {"SM": 50, "ME": 100, "SR": 50})
    first_index: int = 1
    known: tuple[tuple[str, ...], ...] = (("SM", "ME", "MT", "SR"), ("SM", "ME", "MT"), ("SM", "ME", "MT"))
    shown: str = ""
    first: tuple[str, ...] = ("SM", "SM", "SM")
    values: int = 3
    reports: str | None = "SR"
    told_report: tuple[str, int] | None = None
    full: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calls:
    """What a call makes it say: with each ring, for +CLIP=1, when the caller gives up, when it is rejected."""

    ring: tuple[str, ...] = ()
    caller: str = '+CLIP: "{number}",{type},,,,0'
    lost: tuple[str, ...] = ("NO CARRIER",)
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SimProfile:
    """One family, by the model that is played. Every default is what the standards say, as the generic modem has it."""

    name: str
    manufacturer: str
    model: str
    revision: str
    identification: tuple[str, ...]
    """ATI."""
    capabilities: str = "+GCAP: +CGSM,+FCLASS"
    echo: bool = True
    functionality: int = 1
    """+CFUN after the start."""

    boot: tuple[str, ...] = ()
    """Said as soon as it starts."""
    ready: tuple[str, ...] = ()
    """Said when the SIM is unlocked and the start is over."""
    unready: str | None = None
    """The final result of whatever is about messages before `ready` has been said; None: they are served at once."""
    chatter: tuple[str, ...] = ()
    """Said in turn, again and again."""
    silenced_by: str | None = None
    """The command that ends the chatter."""
    sim_out: tuple[str, ...] = ()
    sim_in: tuple[str, ...] = ()
    sim_news: str | None = None
    """The command that switches the two on, where they are off at first."""
    sim_needs_radio: bool = False
    """Whether a SIM that comes in is seen only after the radio has been off and on."""
    sim_absent: CmeError = CmeError.SIM_NOT_INSERTED

    storages: Storages = field(default_factory=Storages)
    routing: Routing = field(default_factory=Routing)
    report_centre: bytes | None = None
    """What stands as service centre field before a status report."""
    report_cut: bytes | None = None
    """What a status report that is read from a storage begins with, and all that is left of it but a few octets."""

    unknown: str = "ERROR"
    """The final result of an unknown command."""
    asked: tuple[Asked, ...] = ()
    accepted: tuple[str, ...] = ()
    """Commands that are taken in every form but the test form and change nothing."""
    pin_answer_ends: bool = True
    """Whether OK follows the answer to +CPIN?."""
    empty_slot_is_ok: bool = False
    """Whether +CMGR of an empty slot ends with OK alone."""
    deletes_by_flag: bool = True
    """Whether +CMGD has a second parameter."""
    resets: tuple[str, ...] = ()
    """Commands after which it starts anew, without AT."""
    port_leaves: bool = False
    """Whether its port goes away then."""

    ussd: UssdForm = UssdForm.PLAIN
    ussd_answer: str = '+CUSD: {m},"{text}",{dcs}'
    ussd_unknown: int = 4
    """<m> for a code that the network does not know: 2 ended by the network, 4 not supported."""
    calls: Calls = field(default_factory=Calls)


def own_commands(iccid: Asked, *others: Asked) -> tuple[Asked, ...]:
    """What a family answers about its SIM: the given commands, and the file of the ICCID by +CRSM (27.007, 8.18)."""
    file = Asked("+CRSM", Form.SET, ('+CRSM: 144,0,"{swapped}"',))
    return (iccid, *others, file)


def ranges(mode: str, mt: str, bm: str, ds: str, bfr: str) -> tuple[tuple[int, ...], ...]:
    """The values of +CNMI as digits: `ranges("012", "01", "0", "02", "1")`."""
    return tuple(tuple(int(digit) for digit in digits) for digits in (mode, mt, bm, ds, bfr))

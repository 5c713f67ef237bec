"""How many tries a SIM still has for its PIN, asked in every way that a family of modems knows: the first that answers.

What cannot be read for certain counts as unknown. Sources: TS 27.007, 8.65 (+CPINR); the AT manuals of Huawei MU509,
7.4 (^CPIN); Westermo GD-01 and Sierra Wireless (+CPINC); Siemens TC63, 5.3 (^SPIC); SIMCom SIM900 (+SPIC); Quectel EC25
(+QPINC); Telit UC864, 3.5.7.1.14 (#PCT); u-blox (+UPINCNT); for ZTE (+ZPINPUK) what ofono reads. All of them are asked
while the SIM wants its PIN: #PCT and ^SPIC tell of whatever password is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from drivers.at.commands import AtCommand
from drivers.at.parameters import Parameter, parse_parameters
from drivers.at.urc import body_of, name_of
from drivers.gsm.channel import AtChannel

#: A PIN may be presented wrongly so many times (TS 51.011, 8.9; TS 31.101, 9.5.1).
ALL = 3
# A UICC may count further; more than this is another counter, or garbage.
_MOST = 15


@dataclass(frozen=True, slots=True)
class Tries:
    """So many tries are left, of so many."""

    left: int
    most: int = ALL

    @property
    def all_left(self) -> bool:
        """Whether no wrong PIN was presented since the last right one."""
        return self.left >= max(self.most, ALL)


_Reading: TypeAlias = Callable[[Sequence[Parameter]], "Tries | None"]


def _count(value: Parameter, most: Parameter = ALL) -> Tries | None:
    if not isinstance(value, int) or not isinstance(most, int):
        return None
    return Tries(value, most) if 0 <= value <= most <= _MOST else None


def _first(parameters: Sequence[Parameter]) -> Tries | None:
    """PIN first, then PIN2 and the PUKs."""
    return _count(parameters[0])


def _cpinr(parameters: Sequence[Parameter]) -> Tries | None:
    """<code>,<retries>[,<default_retries>], a line for each code."""
    if len(parameters) < 2 or parameters[0] != "SIM PIN":
        return None
    return _count(parameters[1], parameters[2] if len(parameters) > 2 else ALL)


def _huawei(parameters: Sequence[Parameter]) -> Tries | None:
    """<code>,<times>,<puk_times>,<pin_times>,…: <times> is of the password that is wanted, so the two must agree."""
    if len(parameters) < 4 or parameters[0] != "SIM PIN" or parameters[1] != parameters[3]:
        return None
    return _count(parameters[3])


def _quectel(parameters: Sequence[Parameter]) -> Tries | None:
    """<facility>,<pin>,<puk>, the facility being "SC"."""
    return _count(parameters[1]) if len(parameters) > 1 and parameters[0] == "SC" else None


@dataclass(frozen=True, slots=True)
class Counter:
    """One way to ask. `values` is how many values an answer has at least; `read` makes tries of them."""

    command: AtCommand
    read: _Reading
    values: int = 1


#: In this order. None of them presents anything to the SIM.
COUNTERS = (
    Counter(AtCommand("AT+CPINR"), _cpinr, 2),
    Counter(AtCommand('AT+CPINR="SIM PIN"'), _cpinr, 2),
    Counter(AtCommand("AT^CPIN?"), _huawei, 4),
    Counter(AtCommand("AT+CPINC?"), _first, 4),
    Counter(AtCommand("AT+SPIC"), _first, 1),
    Counter(AtCommand("AT^SPIC"), _first, 1),
    Counter(AtCommand('AT+QPINC="SC"'), _quectel, 3),
    Counter(AtCommand("AT#PCT"), _first, 1),
    Counter(AtCommand("AT+UPINCNT"), _first, 4),
    Counter(AtCommand("AT+ZPINPUK=?"), _first, 2),
)


async def read_tries(channel: AtChannel) -> Tries | None:
    """The tries that are left for the SIM's PIN; None when the modem does not say, or not clearly."""
    for counter in COUNTERS:
        lines = await channel.optional(counter.command) or ()
        told = [body_of(line) for line in lines if name_of(line) == counter.command.name]
        if told:
            return read_answer(counter, told)
    return None


def read_answer(counter: Counter, told: Sequence[str]) -> Tries | None:
    """What an answer says, given the bodies of its lines; None when none says it, or two contradict each other."""
    found: set[Tries] = set()
    for body in told:
        parameters = parse_parameters(body)
        tries = counter.read(parameters) if len(parameters) >= counter.values else None
        if tries is not None:
            found.add(tries)
    return found.pop() if len(found) == 1 else None

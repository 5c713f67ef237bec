"""The lines of the control pipe: `MODEM WORD …` does something to a modem, `MODEM SENDER TEXT` lets a message arrive.

Which words there are is a table. It must not know what the pipe is, nor how a modem is plugged in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from drivers.sim.modem import SimulatedModem

Action: TypeAlias = Callable[[SimulatedModem, str], object]
"""Done to the modem of the line with what stands behind the word; ValueError says why it cannot be done."""

USAGE = "a line is MODEM SENDER TEXT, such as: modem0 +33612345678 Hello"


class ControlError(ValueError):
    """What is wrong with a line, in words that hold nothing of it."""


@dataclass(frozen=True, slots=True)
class ControlWord:
    """What a line with this word needs behind it, for people, and what it does."""

    usage: str
    act: Action


def _pdu(modem: SimulatedModem, rest: str) -> None:
    try:
        pdu = bytes.fromhex(rest)
    except ValueError:
        raise ValueError("a PDU is hexadecimal") from None
    modem.inject_pdu(pdu)


def _call(modem: SimulatedModem, rest: str) -> None:
    """A number, or nothing for a withheld one."""
    if rest and not rest.removeprefix("+").isdecimal():
        raise ValueError("no such number can call")
    if not modem.call(rest or None):
        raise ValueError("the line is busy or out of service")


def _insert_sim(modem: SimulatedModem, rest: str) -> None:
    modem.insert_sim(rest or None)


#: A sender that is spelled like one of these words cannot be had from the pipe.
WORDS: Mapping[str, ControlWord] = {
    "pdu": ControlWord("HEX", _pdu),
    "call": ControlWord("[NUMBER]", _call),
    "remove-sim": ControlWord("", lambda modem, _rest: modem.remove_sim()),
    "insert-sim": ControlWord("[ICCID]", _insert_sim),
    "restart": ControlWord("", lambda modem, _rest: modem.restart()),
}


def obey(modems: Iterable[SimulatedModem], line: str) -> None:
    """Do what one line says; ControlError when it makes no sense or cannot be done."""
    name, _, rest = line.strip().partition(" ")
    first, _, behind = rest.strip().partition(" ")
    modem = next((modem for modem in modems if modem.settings.name == name), None)
    if modem is None:
        raise ControlError(USAGE)
    word = WORDS.get(first)
    try:
        if word:
            word.act(modem, behind.strip())
        elif behind:
            modem.inject_sms(first, behind)
        else:
            raise ControlError(USAGE)
    except ControlError:
        raise
    except ValueError as error:
        what = f"MODEM {first} {word.usage}".rstrip() if word else "the message cannot arrive"
        raise ControlError(f"{what}: {error}") from None

"""Answers that news may have torn: modems that say something by themselves do not always wait for the end of a line.

A line in pieces looks like two lines, of which the first may be right by chance: slot 1 instead of 12, a number without
its last digit. So an answer in whose midst news came is doubted: what can be asked again is asked again, and a message
is believed only when its PDU has as many octets as its header counts. TS 27.005, 3.4.2 and 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.at.commands import ALL_MESSAGES, UNREAD_MESSAGES, AtCommand
from drivers.at.parameters import parse_parameters
from drivers.at.results import FinalResult
from drivers.at.urc import body_of, is_hexadecimal, name_of
from drivers.errors import CommandFailed, CommandTimeout

#: So often a command is asked whose answer is disturbed each time.
READINGS = 3
_LISTINGS = (ALL_MESSAGES, UNREAD_MESSAGES)
# A header of +CMGL has <index>, <stat>, <alpha> and <length>, one of +CMGR no index.
_PARAMETERS = {"+CMGL": 4, "+CMGR": 3}


@dataclass(slots=True)
class Doubts:
    """What came while one command ran, or right behind it, that makes its answer doubtful.

    A line that news has torn has a piece before the news and a piece behind it. So news alone is no reason to doubt; a
    line of the answer behind it is.
    """

    news: bool = False
    pieces: bool = False
    digits: bool = False

    def line(self) -> None:
        """A line of the answer: the other half of one, perhaps."""
        self.pieces = self.pieces or self.news

    def stray(self, line: str) -> None:
        """A line that answers nothing."""
        self.line()
        self.news = True
        self.digits = self.digits or line.isdigit()

    def may_be_dispelled(self, command: AtCommand, lines: Sequence[str]) -> bool:
        """Whether to ask again: an answer was disturbed that can be had once more. What is new is listed once only."""
        if command.name in _PARAMETERS:
            return self.pieces and command != UNREAD_MESSAGES and _is_torn(command.name, lines)
        return self.pieces and command.only_reads

    def settle(self, command: AtCommand, final: FinalResult | None, lines: Sequence[str]) -> tuple[str, ...]:
        """The answer to a command, `final` missing when time ended it; raises `CommandFailed`, `CommandTimeout`."""
        left = self.leave(command, lines, whole=final is not None)
        if final is None:
            raise CommandTimeout(command.label, left or ())
        if not final.is_ok or left is None:
            result = final.line if not final.is_ok else "an answer in pieces"
            raise CommandFailed(command.label, result, cme=final.cme, cms=final.cms, lines=left or ())
        return left

    def leave(self, command: AtCommand, lines: Sequence[str], *, whole: bool) -> tuple[str, ...] | None:
        """The lines that can be believed of an answer that has come to its end, or not (`whole`).

        None where nothing can: a listing in pieces, whose slots can be read each.
        """
        if self.pieces and command in _LISTINGS and _is_torn(command.name, lines):
            return None
        return () if self.pieces and command.only_reads and not whole else tuple(lines)


def _is_torn(name: str, lines: Sequence[str]) -> bool:
    """Whether an answer that holds messages does not fit together."""
    header: tuple[object, ...] | None = None
    for line in lines:
        if name_of(line) == name:
            if header is not None:
                return True
            header = parse_parameters(body_of(line))
        elif header is None or not is_hexadecimal(line) or not _fit(name, header, line):
            return True
        else:
            header = None
    return header is not None


def _fit(name: str, header: Sequence[object], pdu: str) -> bool:
    octets = len(pdu) // 2
    return len(header) >= _PARAMETERS[name] and header[-1] in {octets, octets - 1 - int(pdu[:2], 16)}

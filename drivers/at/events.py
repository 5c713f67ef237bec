"""What the terminal's side of a dialogue can yield. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from drivers.at.framing import Mark, Noise
from drivers.at.results import FinalResult

NEED_DATA = Mark.NEED_DATA


@dataclass(frozen=True, slots=True)
class InformationText:
    """A line of the answer to the running command (V.250, 5.7.1)."""

    line: str


@dataclass(frozen=True, slots=True)
class Urc:
    """An unsolicited result code. `pdu` is the hexadecimal line that came with +CMT, +CDS or +CBM, if it did come."""

    name: str
    line: str
    pdu: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """The modem waits for a payload. Only expected after a command that asks for it; else it hangs from earlier."""


@dataclass(frozen=True, slots=True)
class Echo:
    """The modem repeated what was sent to it: it does so unless told ATE0, and again after a reset."""


@dataclass(frozen=True, slots=True)
class Late:
    """A line that answers nothing that is running: most often the answer to a command that was given up."""

    line: str
    final: FinalResult | None = None


AtEvent: TypeAlias = InformationText | FinalResult | Urc | Prompt | Echo | Late | Noise

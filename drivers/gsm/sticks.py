"""What this process knows of the sticks on this machine: who of its modems has which, and what they have answered.

One for each event loop. It holds no port and asks nothing; `finding` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from drivers.errors import PortBusy
from drivers.gsm.discovery import SerialPort

# A stick that was plugged in a moment ago may need half a minute to answer; one that is no modem is asked ever less.
_FIRST_SECONDS = 2.0
_LONGEST_SECONDS = 60.0
_OF_AGE = 2.0
_START_SECONDS = 30.0


@dataclass(slots=True)
class Answers:
    """What one plugged-in stick has told so far: the port that answers AT, and its IMEI. None is not known.

    `last_port` and `last_imei` are what it told when it still answered.
    """

    port: str | None = None
    imei: str | None = None
    last_port: str | None = None
    last_imei: str | None = None
    first_asked: float | None = None
    ask_again: float = 0.0


class Sticks:
    """Claims, locks and memories. `now` is the loop's clock, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._owners: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._answers: dict[str, tuple[str, Answers]] = {}

    def lock(self, device: str) -> asyncio.Lock:
        """Whoever opens this device to ask something holds it."""
        return self._locks.setdefault(device, asyncio.Lock())

    def owner(self, stick: str) -> str | None:
        """The modem that has it open."""
        return self._owners.get(stick)

    def claim(self, stick: str, modem: str, port: str) -> None:
        """`modem` takes the stick; raises `PortBusy` when another modem of this process has it."""
        owner = self._owners.setdefault(stick, modem)
        if owner != modem:
            raise PortBusy(f"{port} is what modem {owner} has open already: two modems are configured for one stick")

    def release(self, stick: str, modem: str) -> None:
        """The port is closed."""
        if self._owners.get(stick) == modem:
            del self._owners[stick]

    def answers(self, ports: list[SerialPort]) -> Answers:
        """What the stick with these ports has told since it was plugged in."""
        first = ports[0]
        key = f"{first.stick} {first.plugged} {first.usb_id} {first.serial} {' '.join(port.name for port in ports)}"
        known = self._answers.get(first.stick)
        if known is None or known[0] != key:
            known = self._answers[first.stick] = (key, Answers())
        return known[1]

    def may_ask(self, answers: Answers) -> bool:
        """Whether a stick that has not answered is due to be asked again."""
        return self._now() >= answers.ask_again

    def is_mute(self, answers: Answers) -> bool:
        """Whether a stick that does not answer should: it has answered before, or has had the time to start."""
        asked = answers.first_asked
        return answers.last_port is not None or (asked is not None and self._now() - asked >= _START_SECONDS)

    def silent(self, answers: Answers) -> None:
        """None of its ports has answered: it is left alone for a while, the longer the longer it has been silent."""
        now = self._now()
        if answers.first_asked is None:
            answers.first_asked = now
        answers.last_port, answers.last_imei = answers.port or answers.last_port, answers.imei or answers.last_imei
        answers.port = answers.imei = None
        age = now - answers.first_asked
        answers.ask_again = now + min(max(_FIRST_SECONDS, age / _OF_AGE), _LONGEST_SECONDS)


_here: WeakKeyDictionary[asyncio.AbstractEventLoop, Sticks] = WeakKeyDictionary()


def sticks_here() -> Sticks:
    """Those of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _here.get(loop)
    if found is None:
        found = _here[loop] = Sticks(loop.time)
    return found

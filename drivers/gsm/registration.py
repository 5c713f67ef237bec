"""Whether the network serves us: +CREG, +CGREG and +CEREG, read or told (TS 27.007, 7.2, 10.1.20, 10.1.22)."""

from __future__ import annotations

from drivers.at.commands import REGISTRATIONS
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of, is_registration_news, name_of
from drivers.gsm.channel import AtChannel

# <stat> as words; 6 and 7 are registered for short messages only, 9 and 10 with CS fallback not preferred.
WORDS = {
    0: "not_registered",
    1: "home",
    2: "searching",
    3: "denied",
    4: "unknown",
    5: "roaming",
    6: "home",
    7: "roaming",
    8: "emergency_only",
    9: "home",
    10: "roaming",
}
_REGISTERED = frozenset({"home", "roaming"})
NAMES = frozenset({"+CREG", "+CGREG", "+CEREG"})


class Registration:
    """What is known of the registration with each network. A modem that tells nothing is taken for registered."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        #: How often a network that was lost has come back; a SIM may have been taken out for that.
        self.returns = 0

    @property
    def word(self) -> str | None:
        """The best of what the networks say, or None if none said anything."""
        for name in ("+CREG", "+CEREG", "+CGREG"):
            if self._words.get(name) in _REGISTERED:
                return self._words[name]
        return next(iter(self._words.values()), None)

    @property
    def usable(self) -> bool:
        return self.word is None or self.word in _REGISTERED

    def hear(self, line: str) -> None:
        """Take an unsolicited ``+CREG: <stat>[,…]``, or an overdue answer of the form ``+CREG: <n>,<stat>[,…]``."""
        body = body_of(line)
        parameters = parse_parameters(body)
        if parameters:
            self._learn(name_of(line), parameters[0 if is_registration_news(body) else 1])

    async def read(self, channel: AtChannel) -> None:
        """Ask for each network in turn until one serves us; a modem may know only some of the commands."""
        for command in REGISTRATIONS:
            for line in await channel.optional(command) or ():
                parameters = parse_parameters(body_of(line))
                if name_of(line) == command.name and parameters:
                    self._learn(command.name, parameters[min(1, len(parameters) - 1)])
            if self._words.get(command.name) in _REGISTERED:
                return

    def _learn(self, name: str, status: object) -> None:
        if not isinstance(status, int):
            return
        word, before, served = WORDS.get(status, "unknown"), self._words.get(name), self.usable
        self._words[name] = word
        if word in _REGISTERED and (not served or before not in {None, *_REGISTERED}):
            self.returns += 1

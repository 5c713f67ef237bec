"""What a line of the control pipe can do to a modem that goes wrong: `trouble`, `unplug` and `plug`.

Each action takes the modem and what stands behind the word; ValueError says why it cannot be done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.sim.durations import duration_text, seconds
from drivers.sim.modem import SimulatedModem
from drivers.sim.troubles import make_trouble, parse_trouble


def _trouble(modem: SimulatedModem, rest: str) -> None:
    """`SPEC`: switch a trouble on; `off` ends all that are on."""
    if rest == "off":
        modem.troubles.end_all()
        return
    spec = parse_trouble(rest)
    modem.troubles.begin_later(make_trouble(spec.name, spec.options), spec.when)


def _unplug(modem: SimulatedModem, rest: str) -> None:
    """For a time such as `20s` or `20`, or until `plug`."""
    if rest:
        away = seconds(f"{rest}s" if rest.isdigit() else rest)
        modem.trouble("unplug", **{"for": duration_text(away)})
    else:
        modem.unplug()


def _plug(modem: SimulatedModem, rest: str) -> None:
    """At the name, or the TCP port, that is given, or at the one that it had."""
    try:
        modem.plug(rest or None)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from None


#: The word of a line, what stands behind it, and what it does.
TROUBLE_WORDS: Mapping[str, tuple[str, Callable[[SimulatedModem, str], None]]] = {
    "trouble": ("SPEC|off", _trouble),
    "unplug": ("[SECONDS]", _unplug),
    "plug": ("[NAME]", _plug),
}

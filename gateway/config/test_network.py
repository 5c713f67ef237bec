"""The network of test tokens: two simulated modems that every gateway has, and people who take messages in known ways.

Whoever builds upon the gateway rehearses all that can happen to a message, and no real modem is touched (contract,
"Testing an integration"). The second modem's SIM has no room, for the one recipient who shows what that is like.
Neither is shown among the modems, and neither is started before there has been a test token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from drivers.at.codes import CmsError
from drivers.sim import EXPIRED, Recipient
from gateway.config.limits import NO_LIMITS, SimLimits
from gateway.config.settings import ModemConfig, Settings

NETWORK: Final = "test-network"
FULL: Final = "test-network-full"
#: Names that nobody may give to a modem.
RESERVED: Final = frozenset({NETWORK, FULL})

_SLOW_S = 30.0
#: Numbers that French numbering keeps for fiction.
_DELIVERED, _UNDELIVERED, _NO_REPORT, _STOP, _YES, _UNCERTAIN, SIM_LIMIT, _SLOW, _FAILED = (
    f"+3363998000{last}" for last in range(1, 10)
)
RECIPIENTS: Final[Mapping[str, Recipient]] = {
    _DELIVERED: Recipient(),
    _UNDELIVERED: Recipient(status=EXPIRED),
    _NO_REPORT: Recipient(status=None),
    _STOP: Recipient(answer="STOP"),
    _YES: Recipient(answer="OUI"),
    # After Ctrl-Z, and nobody knows whether the network had it before it fell silent (27.005, 3.2.5).
    _UNCERTAIN: Recipient(refusal=CmsError.NETWORK_TIMEOUT),
    SIM_LIMIT: Recipient(),
    _SLOW: Recipient(report_delay=_SLOW_S),
    _FAILED: Recipient(refusal=CmsError.UNASSIGNED_NUMBER),
}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a host hears that no real person said: through its own simulated modems, and the test network of any."""

    node: str = ""
    modems: frozenset[str] = frozenset()

    def heard(self, node: str | None, modem: str) -> bool:
        """Whether what this modem of this host heard was no real person's."""
        return modem in RESERVED or (node == self.node and modem in self.modems)


def rehearsal_of(settings: Settings) -> Rehearsal:
    """That of the host with these settings."""
    simulated = frozenset(name for name, modem in settings.modems.items() if modem.simulated)
    return Rehearsal(settings.gateway.node, simulated)


def with_test_network(settings: Settings) -> Settings:
    """The settings with the modems of the test network."""
    built_in = {NETWORK: _modem(NETWORK, NO_LIMITS), FULL: _modem(FULL, SimLimits(per_day=0))}
    return replace(settings, modems={**settings.modems, **built_in})


def written(modems: Mapping[str, ModemConfig]) -> dict[str, ModemConfig]:
    """Those of the file."""
    return {name: modem for name, modem in modems.items() if not modem.built_in}


def modem_of_test(modems: Mapping[str, ModemConfig], number: str) -> str | None:
    """The modem to which a test token's message goes that asks for none; None: any simulated one of the file."""
    if NETWORK not in modems:
        return None
    if number == SIM_LIMIT:
        return FULL
    others = any(modem.simulated for modem in written(modems).values())
    return NETWORK if number in RECIPIENTS or not others else None


def _modem(name: str, limits: SimLimits) -> ModemConfig:
    return ModemConfig(
        name=name,
        port="simulated:",
        number=None,
        pin=None,
        smsc=None,
        categories=(),
        prefixes=(),
        limits=limits,
        built_in=True,
    )

"""A modem as its events bear it."""

from __future__ import annotations

from typing import Final

from drivers.events import ModemStatus

#: What events tell of a modem, in the contract's order; the rest of that object is not known to them.
MODEM_FACTS: Final = (
    "name",
    "node",
    "state",
    "reason",
    "port",
    "manufacturer",
    "model",
    "imei",
    "iccid",
    "operator",
    "registration",
    "signal_dbm",
)


def modem_facts(status: ModemStatus, node: str) -> dict[str, object]:
    """How a modem of this node is now."""
    return {name: node if name == "node" else getattr(status, name) for name in MODEM_FACTS}

"""Modems: how one is shown, and the text that a simulated one is told to receive."""

from __future__ import annotations

from pydantic import Field

from api.models.fields import Incoming, Name, Text
from gateway.requests import ModemView


class SimulateIn(Incoming):
    """Body of `POST /v1/modems/{name}/simulate`."""

    sender: Name = Field(alias="from")
    text: Text


def modem_out(modem: ModemView) -> dict[str, object]:
    """A modem, in the contract's order."""
    status = modem.status
    return {
        "name": status.name,
        "node": modem.node,
        "state": status.state,
        "reason": status.reason,
        "port": status.port,
        "manufacturer": status.manufacturer,
        "model": status.model,
        "imei": status.imei,
        "iccid": status.iccid,
        "operator": status.operator,
        "registration": status.registration,
        "signal_dbm": status.signal_dbm,
        "profile": status.profile,
        "smsc": status.smsc,
        "storage_used": status.storage_used,
        "storage_total": status.storage_total,
        "sent_today": modem.sent_today,
        "limits": modem.limits,
    }

"""Modems: how one is shown, and the text that a simulated one is told to receive."""

from __future__ import annotations

from pydantic import Field

from api.models.fields import Incoming, Name, Text
from gateway.clock import rfc3339
from gateway.requests import ModemCare, ModemView


class SimulateIn(Incoming):
    """Body of `POST /v1/modems/{name}/simulate`."""

    sender: Name = Field(alias="from")
    text: Text


def modem_out(modem: ModemView) -> dict[str, object]:
    """A modem, in the contract's order."""
    status, care = modem.status, modem.care or ModemCare()
    test, balance = care.test, care.balance
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
        "sent_today": modem.sent_today,
        "limits": modem.limits,
        "self_test": None if test is None else {"at": rfc3339(test[0]), "ok": test[1]},
        "balance": None if balance is None else {"amount": balance[0], "at": rfc3339(balance[1])},
        "warnings": [{"code": each.code, "message": each.message} for each in care.warnings],
    }

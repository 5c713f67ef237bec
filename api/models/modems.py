"""Modems: how one is shown, and the text that a simulated one is told to receive."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from api.models.fields import Incoming, Name, Text, wrong
from gateway.clock import rfc3339
from gateway.requests import AT_MOST_S, ModemCare, ModemView
from gateway.services.modem_acts import AT_S


class SimulateIn(Incoming):
    """Body of `POST /v1/modems/{name}/simulate`."""

    sender: Name = Field(alias="from")
    text: Text


def _code(value: str) -> str:
    if not re.fullmatch(r"[0-9*#]{1,160}", value):
        raise wrong('must be a code such as "#123#": digits, * and #')
    return value


class AtIn(Incoming):
    """Body of `POST /v1/modems/{name}/at`."""

    command: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    seconds: Annotated[float, Field(gt=0, le=AT_MOST_S)] = AT_S


class UssdIn(Incoming):
    """Body of `POST /v1/modems/{name}/ussd`."""

    code: Annotated[str, AfterValidator(_code)]


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
        "profile": status.profile,
        "smsc": status.smsc,
        "storage_used": status.storage_used,
        "storage_total": status.storage_total,
        "sent_today": modem.sent_today,
        "limits": modem.limits,
        "self_test": None if test is None else {"at": rfc3339(test[0]), "ok": test[1]},
        "balance": None if balance is None else {"amount": balance[0], "at": rfc3339(balance[1])},
        "warnings": [{"code": each.code, "message": each.message} for each in care.warnings],
    }

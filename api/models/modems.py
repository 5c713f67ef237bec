"""Modems: how one is shown, and the text that a simulated one is told to receive."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from api.models.fields import Incoming, Name, Outgoing, Text, TimeOut, wrong
from api.models.lists import PageOut
from api.models.messages import CautionOut
from drivers.events import ModemState
from gateway.clock import rfc3339
from gateway.requests import AT_LEAST_S, AT_MOST_S, ModemCare, ModemView
from gateway.services.modem_acts import AT_S


class SimulateIn(Incoming):
    """A text that arrives at a simulated modem."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"from": "+33639980105", "text": "Hello"},)

    sender: Name = Field(alias="from")
    text: Text


def _code(value: str) -> str:
    if not re.fullmatch(r"[0-9*#]{1,160}", value):
        raise wrong('must be a code such as "#123#": digits, * and #')
    return value


class AtIn(Incoming):
    """A line for a modem, and for how many seconds its answer is waited for."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"command": "AT+CSQ"},)

    command: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    seconds: Annotated[float, Field(ge=AT_LEAST_S, le=AT_MOST_S)] = AT_S


class UssdIn(Incoming):
    """A code for the network."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"code": "#123#"},)

    code: Annotated[str, AfterValidator(_code)]


class SelfTestOut(Outgoing):
    """How the last self-test that is over ended."""

    at: TimeOut
    ok: bool


class BalanceOut(Outgoing):
    """What the operator said last of this SIM."""

    amount: float
    at: TimeOut


class ModemOut(Outgoing):
    """A modem."""

    name: str
    node: str
    state: ModemState
    reason: str | None
    port: str
    manufacturer: str | None
    model: str | None
    imei: str | None
    iccid: str | None
    operator: str | None
    registration: str | None
    signal_dbm: int | None
    profile: str | None
    smsc: str | None
    storage_used: int | None
    storage_total: int | None
    sent_today: int
    limits: Annotated[dict[str, Any] | None, Field(description="by their configuration's keys; `used` by the same")]
    self_test: SelfTestOut | None
    balance: BalanceOut | None
    warnings: list[CautionOut]


class UnlockedOut(ModemOut):
    """A modem whose PIN may be tried once more, and the tries that its SIM had left before."""

    pin_tries_left: int | None


class ModemsPage(PageOut[ModemOut]):
    """Modems."""


class LinesOut(Outgoing):
    """What a modem answered to a command line, the final result last."""

    lines: list[str]


class UssdOut(Outgoing):
    """What the network answered to a code."""

    text: str


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

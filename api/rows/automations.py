"""The routes of automations. Who makes a rule needs `campaigns`; who tells of an event sends a message."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.endpoint import Endpoint, by_body, by_query
from api.models.automations import (
    AutomationIn,
    AutomationOut,
    AutomationsPage,
    RuleIn,
    TriggeredOut,
    TriggerIn,
)
from api.models.fields import NoQuery, PageQuery
from api.routes import automations

_SCOPE: Final = "campaigns"
_ONE: Final = "/v1/automations/{name}"

ROWS: Final[tuple[Endpoint[Any], ...]] = (
    by_query(
        "GET", "/v1/automations", _SCOPE, PageQuery, automations.list_all, out=AutomationsPage, codes=codes.LISTED
    ),
    by_body(
        "POST",
        "/v1/automations",
        _SCOPE,
        AutomationIn,
        automations.create,
        out=AutomationOut,
        status=201,
        codes=(*codes.NEW_AUTOMATION, "automation_exists"),
    ),
    by_query("GET", _ONE, _SCOPE, NoQuery, automations.read, out=AutomationOut, codes=codes.AUTOMATION),
    by_body("PUT", _ONE, _SCOPE, RuleIn, automations.put, out=AutomationOut, codes=codes.NEW_AUTOMATION),
    by_query(
        "DELETE",
        _ONE,
        _SCOPE,
        NoQuery,
        automations.remove,
        out=AutomationOut,
        codes=(*codes.AUTOMATION, "test_token"),
    ),
    by_body(
        "POST",
        f"{_ONE}/trigger",
        "send",
        TriggerIn,
        automations.trigger,
        out=TriggeredOut,
        status=202,
        codes=codes.TRIGGER,
    ),
)

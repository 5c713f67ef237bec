"""What schemathesis is told besides the description: imported by its own process, by way of `SCHEMATHESIS_HOOKS`.

- The token that it asks with is `cli`: a revocation of that one alone is left out, since it would be the last call.
- What it makes up as a number is nearly never one: every second message is for a number of fiction, so that there are
  messages to be read, cancelled and settled. Every second endpoint is at an address that may be told of events.
- After each call that pauses everything, or a modem, sending is resumed: the next one is to find a gateway at work.
- Answers are counted, by route and status, for the test.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

OWN_TOKEN = "cli"
FICTION = "+33639980101"
_PAUSES = {"/v1/pause": "/v1/resume", "/v1/modems/{name}/pause": "/v1/modems/sim1/resume"}

_WEBHOOKS = {"/v1/webhooks", "/v1/webhooks/{id}", "/webhooks", "/3rdparty/v1/webhooks"}
#: Nobody listens there.
NOWHERE = "http://127.0.0.1:9/told"

_answers: dict[str, Counter[str]] = {}


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out what would end the run, and what cannot be wrong."""
    named = (case.path_parameters or {}).get("name")
    return not (case.operation.path == "/v1/tokens/{name}" and named == OWN_TOKEN) and not _always_right(case)


def _always_right(case: Any) -> bool:
    """Whatever octets come as a table of codes are one: each line is a code, or is told as rejected."""
    is_table = case.operation.path == "/v1/codes/{pool}" and case.media_type == "text/csv"
    return is_table and case.meta is not None and case.meta.is_negative_at(ParameterLocation.BODY)


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Give every second made-up message a number that is one, and every second endpoint an address that may be told."""
    for values in (case.body, case.query):
        if isinstance(values, dict) and len(str(values)) % 2:
            _fill(case.operation.path, values)
            if case.meta is not None and case.meta.generation.mode.is_positive:
                _make_good(case.operation.path, values)
    return case


def _fill(path: str, values: dict[str, Any]) -> None:
    for name in ("to", "To", "number"):
        if isinstance(values.get(name), str):
            values[name] = FICTION
    people = values.get("recipients")
    for each in people if isinstance(people, list) else ():
        if isinstance(each, dict):
            each["attribs"] = {"phone": FICTION}
    if path in _WEBHOOKS and isinstance(values.get("url"), str):
        values["url"] = NOWHERE


def _make_good(path: str, values: dict[str, Any]) -> None:
    """What is good by its schema, so that it is good: these systems have rules that no schema says."""
    if isinstance(values.get("phoneNumbers"), list):
        _keep(values, "id", "priority")
        values |= {"phoneNumbers": [FICTION], "message": "hello"}
    if path == "/cgi-bin/sendsms" and "to" in values:
        _keep(values, "password")
        values |= {"to": FICTION, "text": "hello"}
    if path in _WEBHOOKS and "event" in values:
        values["event"] = "sms:sent"


def _keep(values: dict[str, Any], *names: str) -> None:
    """Without what would nearly always be one wrong field among many."""
    for name in values.keys() - set(names):
        del values[name]


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count it, and undo what would leave nothing to test."""
    named = f"{case.operation.method.upper()} {case.operation.path}"
    _answers.setdefault(named, Counter())[str(response.status_code)] += 1
    Path(os.environ["FUZZ_COUNTS"]).write_text(json.dumps(_answers), encoding="utf-8")
    undo = _PAUSES.get(case.operation.path)
    if undo is not None and response.status_code == 200:
        url, token = os.environ["FUZZ_URL"], os.environ["FUZZ_TOKEN"]
        requests.post(url + undo, headers={"Authorization": f"Bearer {token}"}, timeout=30)

"""The public PDU vectors (`tests/vectors`), each with its source, for several tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_FILE = Path(__file__).resolve().parents[1] / "vectors" / "pdu_public.json"
VECTORS: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))["vectors"]
TYPES = {"submit": "SMS-SUBMIT", "deliver": "SMS-DELIVER", "status-report": "SMS-STATUS-REPORT"}


def used_to(use: str) -> pytest.MarkDecorator:
    """Runs a test with each vector that is there for `use`; the parameter is `vector`."""
    chosen = [pytest.param(vector, id=vector["id"]) for vector in VECTORS if vector["use"] == use]
    return pytest.mark.parametrize("vector", chosen)


def with_smsc(vector: dict[str, Any]) -> str:
    """The vector's digits with a service centre field, if need be an empty one."""
    return vector["pdu"] if vector["smsc_field"] else "00" + vector["pdu"]

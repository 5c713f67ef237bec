"""The rows of alerts to groups."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.endpoint import Endpoint, by_body, by_body_if_any, by_query
from api.models.fields import NoFields, NoQuery
from api.models.rings import RingIn, RingOut, RingsPage, RingsQuery, RungOut
from api.routes import rings

ROWS: Final[tuple[Endpoint[Any], ...]] = (
    by_body("POST", "/v1/alerts", "send", RingIn, rings.create, out=RungOut, status=202, codes=codes.NEW_ALERT),
    by_query("GET", "/v1/alerts", "read", RingsQuery, rings.list_all, out=RingsPage, codes=codes.LISTED),
    by_query("GET", "/v1/alerts/{id}", "read", NoQuery, rings.read, out=RingOut, codes=codes.ALERT),
    by_body_if_any(
        "POST",
        "/v1/alerts/{id}/ring-again",
        "send",
        NoFields,
        rings.ring_again,
        out=RungOut,
        status=202,
        codes=codes.ALERT_AGAIN,
    ),
    by_body_if_any("POST", "/v1/alerts/{id}/stop", "send", NoFields, rings.stop, out=RingOut, codes=codes.ACT_OF_ALERT),
)

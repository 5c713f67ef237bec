"""How a host's clock stands."""

from __future__ import annotations

from typing import Literal

from api.models.fields import Outgoing, TimeOut
from api.models.messages import time_out
from gateway.requests import ClockState


class ClockOut(Outgoing):
    """How a host's clock stands: `wall` is what the machine says, `now` what the gateway goes by."""

    trusted: bool
    reason: Literal["jumped_back", "jumped_forward", "before_floor", "off_database", "unvouched"] | None
    detail: str | None
    since: TimeOut | None
    wall: TimeOut
    now: TimeOut
    floor: TimeOut
    synchronized: bool | None
    database_ahead_s: float | None


def clock_out(state: ClockState) -> dict[str, object]:
    """`wall` is what the machine says, `now` what the gateway goes by."""
    off_us = state.database_off_us
    return {
        "trusted": state.trusted,
        "reason": state.reason,
        "detail": state.detail,
        "since": time_out(state.since_us),
        "wall": time_out(state.wall_us),
        "now": time_out(state.now_us),
        "floor": time_out(state.floor_us),
        "synchronized": state.synchronized,
        "database_ahead_s": None if off_us is None else round(off_us / 1e6, 1),
    }

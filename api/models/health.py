"""Alive and ready: what supervisors are answered."""

from __future__ import annotations

from typing import Literal

from api.models.fields import Outgoing


class AliveOut(Outgoing):
    """The process answers."""

    status: Literal["ok"]


class ReadyOut(Outgoing):
    """Messages can be accepted; a reason says that somebody should look."""

    ready: Literal[True]
    reasons: list[str]

"""The door for front ends: all that HTTP, the command line and later pages may ask of the gateway.

Front ends import this package, `gateway.requests`, `gateway.errors`, `gateway.message` and `gateway.clock`, and nothing
below. Scopes are checked by the front end, by route; what a principal may *see* is checked here.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.services.health import Health
from gateway.services.inbox import Inbox
from gateway.services.messages import Messages
from gateway.services.modems import Modems
from gateway.services.optouts import OptOuts
from gateway.services.queue import Queue
from gateway.services.tokens import Tokens
from gateway.services.traces import Traces

__all__ = ["Health", "Inbox", "Messages", "Modems", "OptOuts", "Queue", "Services", "Tokens", "Traces"]


@dataclass(frozen=True, slots=True)
class Services:
    """Every service of one gateway."""

    messages: Messages
    inbox: Inbox
    optouts: OptOuts
    modems: Modems
    queue: Queue
    tokens: Tokens
    health: Health
    traces: Traces

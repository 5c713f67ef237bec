"""What a crash left: marks without a result.

From the mark on a part may have left, and nobody saw the answer; such a part is `uncertain`. It is never put back in
the queue by age: only its policy, evidence or an operator moves it on.
"""

from __future__ import annotations

import logging

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.message import PartEvent
from gateway.outbound.gate import Gate
from gateway.store import outcomes
from gateway.store.database import Store
from gateway.store.outcomes import Outcome

log = logging.getLogger(__name__)

_SENTENCE = "the gateway was stopped after it began to hand the message over"


async def recover(store: Store, gate: Gate, clock: Clock, node: str) -> int:
    """Settle every open mark as uncertain; returns how many there were.

    Who holds an embedded store is its only host: what an earlier name of this host began is taken over.
    """

    def work(connection: Connection) -> int:
        outcomes.adopt(connection, node)
        open_marks = outcomes.open_attempts(connection, node)
        for attempt_id in open_marks:
            lost = Outcome(attempt_id, PartEvent.OUTCOME_LOST, code="restart", sentence=_SENTENCE)
            gate.settle(connection, lost, "", clock.now_us())
        return len(open_marks)

    count = await store.write(work)
    if count:
        log.warning("uncertain after restart", extra={"action": "recovered", "count": count})
    return count

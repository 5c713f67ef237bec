"""A modem that answers after its time: uncertain at first, then known, and the copy that was planned does not leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.checker import Sent
from support.crash import crash_rig
from support.waiting import eventually


async def test_m03_uncertain_then_sent_and_no_further_copy(tmp_path: Path, tell: Callable[[str], None]) -> None:
    options = ("--latency", "3s", "--report-delay", "60m")
    async with crash_rig(tmp_path, *options, submit_seconds=0.5, resend_after="60s") as rig:
        await rig.gateway.start()
        sent = Sent("+33639984101", "better late", "resend")
        await rig.send(sent)
        await rig.until(sent, "sent")
        [attempt] = rig.rows("SELECT state, cause, tp_mr FROM attempt")
        assert (attempt["state"], attempt["cause"], attempt["tp_mr"]) == ("sent", None, 0)
        words = [row[0] for row in rig.rows("SELECT type FROM event WHERE message_id = ? ORDER BY id", sent.id)]
        assert words[-3:] == ["message.uncertain", "message.answered_late", "message.sent"]
        # The modem is used again, and what leaves next is the next one.
        then = Sent("+33639984102", "and then", "hold")
        await rig.send(then)
        await eventually(lambda: len(rig.ledger()) == 2, 20, "the next message")
        copies = [copy.text for copy in rig.ledger()]
        tell(f"M03: answered after its time: uncertain, then sent; {copies.count(sent.text)} copy left")
        assert copies == [sent.text, then.text]

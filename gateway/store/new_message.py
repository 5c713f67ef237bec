"""An accepted message on its way into the store."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.message import Encoding, Rule, Status


# Not frozen: guarding forty fields while one message is made takes as long as hashing its number.
@dataclass(slots=True, kw_only=True)
class NewRow:
    """An accepted message as it is written: the columns of `message` that acceptance decides."""

    id: str
    recipient_id: int
    category: str
    priority: int
    stoppable: bool
    test: bool
    text: str
    encoding: Encoding
    parts: int
    lane: str
    on_uncertain: str
    simulated: bool
    status: Status
    created_us: int
    due_us: int
    expires_us: int
    token_id: int | None = None
    reply_to_inbox_id: str | None = None
    flash: bool = False
    reference: str | None = None
    wanted_modem: str | None = None
    wanted_node: str | None = None
    send_us: int | None = None
    timing: str | None = None
    about_us: int | None = None
    shift: str | None = None
    expect: str | None = None
    callback: str | None = None
    fallback: str | None = None
    hold_rule: Rule | None = None
    hold_until_us: int | None = None
    hold_detail: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    warnings: str | None = None
    repeats: int = 0
    joined_id: str | None = None
    likeness: int | None = None
    campaign_id: str | None = None
    variant: int | None = None
    ring_id: str | None = None

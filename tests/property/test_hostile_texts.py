"""Texts that somebody hands in to break something: each goes round exactly and costs what was said, or is refused."""

from __future__ import annotations

import random
from pathlib import Path

from support.clock import START_US
from support.settings import settings_in

from drivers.tpdu import Address, SmsSubmit, build_submits, join_text
from gateway.errors import InvalidRequest
from gateway.outbound.door import Door
from gateway.requests import NewMessage, Principal

HOLDER = Principal(1, "test", frozenset({"send"}))
SEED, COUNT = 23040, 1500
#: All planes, half surrogate pairs, the extension table, direction marks, controls, clusters.
PIECES = (
    *"aZ09 @£€[]{}|~^\\\n\r\t",
    *"\0\x1a\x1b\ud800\udfff\u202e\u2066\u200f\u200b\ufeff\ufffe",
    "\U0001f469\u200d\U0001f680", "e\u0301", "\u0627", "\u65e5", "\U00010000", "\U000e0041", "\U0010fffd", "\u00e7",
)  # fmt: skip


def _texts(rng: random.Random) -> list[str]:
    drawn = ["".join(rng.choices(PIECES[:16] if at % 2 else PIECES, k=rng.randrange(1, 80))) for at in range(COUNT)]
    # The extension of the default alphabet at each border of a part, and what needs 1 600 parts.
    borders = [f"{'x' * length}€{'x' * rest}" for length in range(148, 162) for rest in (0, 1, 200)]
    return [*drawn, *borders, "x" * 153 * 1600, "\U0001f469" * 33 * 1600, "\ud800", "\0"]


def test_a_text_goes_round_in_the_parts_that_were_told_or_is_refused(tell) -> None:
    door, peer = Door(settings_in(Path("/nowhere"))), Address.from_text("+33639980101")
    mismatches, refusals = 0, list[str]()
    texts = _texts(random.Random(SEED))
    for text in texts:
        try:
            draft = door.check(HOLDER, NewMessage("+33612345678", text), START_US)
        except InvalidRequest as error:
            refusals.append(error.code)
            continue
        sent = [SmsSubmit.from_bytes(each.to_bytes()) for each in build_submits(draft.segmentation, peer, reference=7)]
        mismatches += len(sent) != draft.parts or join_text(sent) != text
    assert mismatches == 0
    assert set(refusals) <= {"text_invalid", "text_too_long", "text_empty"}
    assert len(refusals) in range(5, len(texts) // 2 + 50)
    tell(f"H04: {len(texts)} hostile texts: {len(refusals)} refused, of the others {mismatches} came back otherwise")

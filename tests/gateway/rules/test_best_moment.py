"""What is told of a message that is to leave at the best moment is what then happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from support.settings import category, settings_in

from gateway.clock import from_datetime
from gateway.outbound.rulebook import Rulebook
from gateway.rules.admission import Facts
from gateway.rules.verdict import Allow, Defer

OFFER = category(
    "offer", quiet_hours=("20:00-10:00",), preferred=("mon-fri 17:00-20:00",), caps=("1/24h",), on_cap="defer"
)


def at(day: int, hour: int, minute: int = 0) -> int:
    """An instant of January 2026, in microseconds."""
    return from_datetime(datetime(2026, 1, day, hour, minute, tzinfo=UTC))


def test_where_a_cap_holds_it_past_one_best_moment_the_next_one_is_told(tmp_path: Path) -> None:
    rules = Rulebook(settings_in(tmp_path, categories=(OFFER,))).admission
    facts = Facts(
        at(6, 11), "offer", "+33612345678", at(20, 0), timing="best", history={"offer": [at(5, 19, 30)]}
    )  # Tuesday noon in Paris; one left on Monday at 20:30 there
    told = rules.decide(facts)
    assert isinstance(told, Defer)
    assert told.until_us == at(7, 16)
    assert isinstance(rules.decide(replace(facts, now_us=at(7, 16))), Allow)

"""What a preview asks of the store, and what it says of a message's moment."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER, Bench, make_bench
from support.clock import ManualClock
from support.place import Place
from support.settings import category, settings_in

from gateway.config.categories import BUILT_IN
from gateway.config.country import ProfileSettings
from gateway.config.limits import SimLimits
from gateway.config.settings import Category, Settings
from gateway.errors import FieldError, InvalidRequest
from gateway.message import Rule, Status
from gateway.requests import NewMessage, Preview
from gateway.store import modem_pauses
from gateway.store.database import Store

DAY_US = 24 * 3600 * 1_000_000
#: Find the person, storms, the first notice, caps, opt-outs, consents, reviews, the kill switch; begin and end.
MOST_STATEMENTS = 14
GROWING = ("attempt", "consent", "event", "message", "optout", "part", "recipient", "review")


def _settings(folder: Path, *own: Category) -> Settings:
    """With the rules that people have."""
    plain = settings_in(folder)
    profiles = {"FR": ProfileSettings(promotional_over_sim=True)}
    categories = dict(BUILT_IN) | {each.name: each for each in own}
    usual = Settings(plain.gateway, plain.store, plain.api, plain.modems, categories)
    return replace(usual, profiles=profiles)


async def _codes(bench: Bench, name: str, **fields: object) -> tuple[Preview, list[str]]:
    new = NewMessage(NUMBER, "Bonjour", name, **fields)  # pyright: ignore[reportArgumentType]
    found = await bench.intake.preview(bench.principal, new, None)
    return found, [caution.code for caution in found.warnings]


async def _asked(bench: Bench, name: str) -> list[str]:
    """The statements of one preview, as SQLite ran them: of readers, the one that is free is asked again."""
    said: list[str] = []

    def listen(connection: Connection) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(said.append)

    await bench.store.read(listen)
    said.clear()
    await bench.intake.preview(bench.principal, NewMessage(NUMBER, "Bonjour", name), None)
    return list(said)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", [*BUILT_IN, "first"])
async def test_a_preview_reads_no_table_through(place: Place, store: Store, clock: ManualClock, name: str):
    first = replace(BUILT_IN["promotional"], name="first", stop_notice_when="first")
    bench = await make_bench(_settings(place.folder, first), store, clock)
    await bench.accept(category="emergency")
    await bench.send_all()
    asked = await _asked(bench, name)
    assert any("FROM recipient" in each for each in asked)
    assert any("FROM message" in each for each in asked)
    assert len(asked) <= MOST_STATEMENTS
    with closing(sqlite3.connect(place.folder / "tocsin.db")) as beside:
        for statement in asked:
            if not statement.startswith(("SELECT", "WITH")):
                continue
            plan = "\n".join(row[3] for row in beside.execute(f"EXPLAIN QUERY PLAN {statement}"))
            assert re.search(rf"SCAN ({'|'.join(GROWING)})\b(?! USING)", plan) is None, (statement, plan)


async def test_what_expires_before_it_may_leave_is_told(tmp_path: Path, store: Store, clock: ManualClock):
    own = category("own", quiet_hours=("09:00-20:00",), expires_after_us=3600 * 1_000_000)
    never = category("never", quiet_hours=("00:00-12:00", "12:00-24:00"))
    bench = await make_bench(_settings(tmp_path, own, never), store, clock)
    found, codes = await _codes(bench, "own")
    assert (found.decision, codes) == ("hold", ["expires_first"])
    found, codes = await _codes(bench, "own", expires_us=clock.now_us() + DAY_US)
    assert (found.decision, codes) == ("hold", [])
    found, codes = await _codes(bench, "never")
    assert (found.until_us, codes) == (None, ["expires_first"])
    for name in ("own", "never"):
        accepted = await bench.accept(category=name)
        assert (accepted.status, [each.code for each in accepted.warnings]) == (Status.HELD, ["expires_first"])
    assert (await bench.accept(category="own", expires_us=clock.now_us() + DAY_US)).warnings == []


async def test_a_preview_knows_what_sims_and_pauses_hold(tmp_path: Path, store: Store, clock: ManualClock):
    settings = _settings(tmp_path, category("own"), category("loud", sim_limits="ignore"))
    modems = {name: replace(each, limits=SimLimits(per_day=1)) for name, each in settings.modems.items()}
    bench = await make_bench(replace(settings, modems=modems), store, clock)
    await bench.accept(category="own")
    await bench.accept(to="+33612345679", category="own")
    await bench.send_all()
    # The third knows of it as the gate told it when it held the second.
    held = (await bench.accept(to="+33612345670", category="own")).hold
    found, codes = await _codes(bench, "own", expires_us=clock.now_us() + 2 * DAY_US)
    assert held is not None
    assert (found.decision, found.rule, found.until_us) == ("hold", Rule.SIM_LIMIT, held.until_us)
    assert (found.explanation[0], codes) == (held.detail, [])
    _, codes = await _codes(bench, "own", expires_us=clock.now_us() + 1_000_000)
    assert codes == ["expires_first"]
    assert (await _codes(bench, "loud"))[0].decision == "send"
    assert held.until_us is not None
    later = await bench.intake.preview(bench.principal, NewMessage(NUMBER, "Bonjour", "own"), held.until_us)
    assert later.decision == "send"
    await store.write(lambda connection: modem_pauses.add(connection, "test-1", "sim1", clock.now_us()))
    found, _ = await _codes(bench, "loud")
    assert (found.decision, found.rule, found.until_us) == ("hold", Rule.PAUSED, None)


class _Doubted(ManualClock):
    """A clock that somebody doubts."""

    def doubt(self) -> str | None:
        """Why."""
        return "nobody knows the hour"


async def test_a_preview_knows_of_a_doubted_clock(tmp_path: Path, store: Store):
    settings = _settings(tmp_path, category("own", quiet_hours=("03:00-04:00",)), category("plain"))
    bench = await make_bench(settings, store, _Doubted())
    assert (await bench.accept(category="own")).hold is not None
    found, _ = await _codes(bench, "own")
    assert (found.decision, found.rule, found.explanation[0]) == ("hold", Rule.PAUSED, "nobody knows the hour")
    assert (await _codes(bench, "plain"))[0].decision == "send"


async def test_what_leaves_outside_the_preferred_hours_is_told(tmp_path: Path, store: Store, clock: ManualClock):
    own = category("own", preferred=("mon-fri 17:00-20:00",))
    quiet = category("quiet", preferred=("mon-fri 17:00-20:00",), quiet_hours=("09:00-18:00",))
    bench = await make_bench(_settings(tmp_path, own, quiet), store, clock)
    assert (await _codes(bench, "own"))[1] == ["not_preferred"]
    assert (await _codes(bench, "own", timing="best"))[1] == []
    assert (await _codes(bench, "quiet"))[1] == []  # held until it is preferred
    clock.advance(timedelta(hours=7))  # 18 h in Paris
    assert (await _codes(bench, "own"))[1] == []


async def test_who_asks_for_a_sender_and_a_way_out_is_named(tmp_path: Path, store: Store, clock: ManualClock):
    bare = replace(BUILT_IN["promotional"], name="bare", sender_prefix=None, stop_notice=None, stop_notice_when="never")
    bench = await make_bench(_settings(tmp_path, bare), store, clock)
    found, _ = await _codes(bench, "bare")
    told = {each.code: each.message for each in found.warnings}
    assert "as the country profile FR (" in told["no_sender"]
    assert told["no_sender"].endswith(" asks: set sender_name of [gateway]")
    assert "as the country profile FR (" in told["no_stop_notice"]
    assert "set stop_notice" in told["no_stop_notice"]
    elsewhere = await bench.intake.preview(bench.principal, NewMessage("+5511912345678", "Hi", "bare"), None)
    plain = {each.code: each.message for each in elsewhere.warnings}
    assert plain["no_sender"] == "no sender is named: set sender_name of [gateway]"


async def test_what_leaves_earlier_is_told_why_once(tmp_path: Path, store: Store, clock: ManualClock):
    bench = await make_bench(_settings(tmp_path, category("own", quiet_hours=("09:00-20:00",))), store, clock)
    now_us = clock.now_us()
    found, _ = await _codes(bench, "own", send_us=now_us + DAY_US, about_us=now_us + DAY_US + 1)
    assert found.rule == Rule.QUIET_HOURS
    (told,) = found.explanation
    assert told.endswith(", so it leaves before that rather than after")


@pytest.mark.parametrize(
    ("ahead_us", "reason"), [(0, "is not after the moment of sending"), (400 * DAY_US, "is more than a year ahead")]
)
async def test_an_event_that_cannot_be_is_told_why(
    tmp_path: Path, store: Store, clock: ManualClock, ahead_us: int, reason: str
):
    bench = await make_bench(settings_in(tmp_path), store, clock)
    with pytest.raises(InvalidRequest) as refused:
        await bench.accept(about_us=clock.now_us() + ahead_us)
    assert list(refused.value.errors) == [FieldError("/about_at", reason)]

"""One gateway on PostgreSQL whose way to the database is cut, slow or taken away: D05, D06, D07, D12, D13, D14."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.checker import Sent
from support.crash_load import counted
from support.database_cases import (
    NUMBERS,
    cut_at_every_trip,
    cut_at_the_mark,
    cut_at_the_result,
    end_sessions_under_load,
    rig_behind_a_proxy,
    settled,
    slow_database,
)
from support.database_proxy import Cut
from support.long_run import hours_asked_for
from support.postgresql import Database
from support.waiting import eventually

SOAK = hours_asked_for() is not None
#: A send makes some twenty trips and more on new connections, as the works meet in one; all of them take minutes.
STEP = 1 if SOAK else 4
#: Acceptance, mark, result and report have at least a trip each, and a cut that finds none ends the loop.
LEAST_TRIPS = 4
#: The longest that a transaction may stand, in seconds: none is open while a modem is waited for.
OLDEST_S = 1.0


@pytest.mark.long
@pytest.mark.parametrize("how", Cut, ids=lambda cut: cut.name.lower())
async def test_d05_cut_at_each_trip_of_a_send(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None], how: Cut
) -> None:
    async with rig_behind_a_proxy(tmp_path, postgresql_database) as (rig, proxy):
        verdicts = await cut_at_every_trip(rig, proxy, how, step=STEP)
    every = "every trip" if STEP == 1 else f"every {STEP}th trip"
    tell(f"D05: cut at {every}, {how.value}: {counted(verdicts)}")
    assert (len(verdicts) - 1) * STEP > LEAST_TRIPS
    assert [verdict for verdict in verdicts if not verdict.sound or verdict.copies != 1] == []


@pytest.mark.parametrize("how", Cut, ids=lambda cut: cut.name.lower())
async def test_d06_no_octet_leaves_while_the_commit_of_the_mark_is_in_doubt(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None], how: Cut
) -> None:
    async with rig_behind_a_proxy(tmp_path, postgresql_database) as (rig, proxy):
        verdict, left = await cut_at_the_mark(rig, proxy, how)
    tell(f"D06: {how.value}: {left} copies while in doubt; {counted([verdict])}")
    assert (left, verdict.sound, verdict.copies, list(verdict.attempts)) == (0, True, 1, ["delivered"])


@pytest.mark.parametrize("how", Cut, ids=lambda cut: cut.name.lower())
async def test_d07_a_result_whose_commit_was_lost_is_written_once(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None], how: Cut
) -> None:
    async with rig_behind_a_proxy(tmp_path, postgresql_database, "--report-delay", "1s") as (rig, proxy):
        verdict, twice = await cut_at_the_result(rig, proxy, how)
    tell(f"D07: {how.value}: {twice} events twice; {counted([verdict])}")
    assert (twice, verdict.sound, verdict.copies, list(verdict.attempts)) == (0, True, 1, ["delivered"])


@pytest.mark.long
async def test_d12_sessions_that_are_ended_again_and_again(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    times = 50 if SOAK else 15
    async with rig_behind_a_proxy(tmp_path, postgresql_database) as (rig, _):
        verdicts, outage = await end_sessions_under_load(rig, postgresql_database, times)
    tell(f"D12: sessions ended {times} times, longest outage {outage:.2f} s: {counted(verdicts)}")
    assert [verdict for verdict in verdicts if not verdict.sound or verdict.copies != 1] == []
    assert outage <= 10


@pytest.mark.long
async def test_d13_a_slow_database_is_slow_and_nothing_else(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    seconds = 2.0 if SOAK else 0.3
    async with rig_behind_a_proxy(tmp_path, postgresql_database) as (rig, proxy):
        verdicts = await slow_database(rig, proxy, seconds)
    tell(f"D13: {seconds:.1f} s a trip: {counted(verdicts)}")
    assert [verdict for verdict in verdicts if not verdict.sound or verdict.copies != 1] == []
    assert not any(verdict.recorded_uncertain for verdict in verdicts)


async def test_d14_no_transaction_is_open_while_a_modem_is_waited_for(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    oldest = 0.0
    query = (
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity "
        "WHERE application_name LIKE 'tocsin%' AND datname = current_database() AND state <> 'active'"
    )
    async with rig_behind_a_proxy(tmp_path, postgresql_database, "--latency", "2s") as (rig, _):
        sent = Sent(NUMBERS[90], "takes its time", "hold")
        await rig.send(sent)
        await eventually(lambda: rig.rows("SELECT 1 FROM attempt"), what="the mark")
        end = time.monotonic() + 10
        while not rig.rows("SELECT 1 FROM attempt WHERE state <> 'submitting'"):
            assert time.monotonic() < end, "no answer of the modem"
            ((age,),) = postgresql_database.run(query)
            oldest = max(oldest, float(age))
        verdicts = await settled(rig, [sent])
    tell(f"D14: the oldest idle transaction during a submit of 2 s: {oldest:.3f} s; {counted(verdicts)}")
    assert oldest <= OLDEST_S
    assert verdicts[0].sound

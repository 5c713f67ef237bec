"""Two hosts on one queue: finding work, asking for modems, rules that differ, reports heard elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.bench import NUMBER
from support.clock import ManualClock
from support.place import Place
from support.postgresql import Database
from support.settings import category, settings_in
from support.two_hosts import TwoHosts, two_hosts
from support.waiting import eventually

from drivers.events import NO_RECEIPT, StatusReportReceived
from drivers.tpdu import Address, SmsStatusReport, TimeStamp, join_smsc
from gateway.clock import to_datetime
from gateway.config.rules_hash import rules_hash
from gateway.config.settings import RecipientSettings, StormSettings
from gateway.errors import InvalidRequest, Unavailable
from gateway.inbound.arrival import Origin
from gateway.inbound.reports import Reports
from gateway.message import PartEvent, Status
from gateway.outbound.dispatcher import LOOK_US, Dispatcher
from gateway.outbound.intake import Intake
from gateway.requests import NewMessage, Settlement
from gateway.services.health import Health
from gateway.services.modems import Fleet
from gateway.store import resolution
from gateway.store.opening import KEY_NAME

OTHER = "+33698765432"
AN_HOUR_S = 3600


@pytest.fixture
def place(postgresql_database: Database, tmp_path: Path) -> Place:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    return Place(tmp_path, postgresql_database)


@pytest.fixture
async def hosts(place: Place, tmp_path: Path, clock: ManualClock) -> AsyncIterator[TwoHosts]:
    async with two_hosts(place, tmp_path, clock) as made:
        yield made


# --- coming back


@pytest.mark.parametrize("word", ["sent", "failed", "resend"])
async def test_d11_a_host_that_returns_after_an_operator_settled_its_mark_sends_nothing(
    hosts: TwoHosts, tell: Callable[[str], None], word: str
) -> None:
    message = await hosts.a.bench.accept(on_uncertain="hold")
    first = await hosts.a.next()
    assert first is not None
    hosts.age("a", 200)
    await hosts.b.renew()
    now_us = hosts.clock.now_us()
    await hosts.b.bench.store.write(
        lambda c: resolution.resolve(c, message.id, Settlement(word), now_us, by="token test")
    )
    await hosts.a.renew()
    await hosts.a.settle(first, PartEvent.ACCEPTED, tp_mr=1)
    further = [each for each in (await hosts.a.next(), await hosts.b.next()) if each is not None]
    marks = hosts.rows("SELECT state FROM attempt")
    tell(f"D11: settled by an operator as {word}, then its host returned with the answer: {len(marks)} copy")
    assert (marks, further) == ([("sent",)], [])


# --- finding work


async def test_a_gate_that_has_no_lease_spoils_nothing_for_the_works_that_share_its_commit(hosts: TwoHosts) -> None:
    people = [f"+336123456{each:02}" for each in range(8)]
    for round_ in range(2):
        hosts.age("a", AN_HOUR_S)
        asked = [hosts.a.next() for _ in range(4)]
        accepted = [hosts.a.bench.accept(each, f"round {round_}") for each in people]
        found = await asyncio.gather(*asked, *accepted, return_exceptions=True)
        assert [each.code for each in found[:4] if isinstance(each, Unavailable)] == ["lease_lost"] * 4
        assert [each for each in found[4:] if isinstance(each, BaseException)] == []
    assert hosts.rows("SELECT count(*) FROM message") == [(16,)]


async def test_without_any_signal_work_is_found_by_looking(hosts: TwoHosts) -> None:
    woken: list[int] = []
    clock = hosts.clock
    dispatcher = Dispatcher(hosts.b.bench.store, clock, lambda: woken.append(clock.now_us()))
    running = asyncio.create_task(dispatcher.run())
    await eventually(lambda: clock.next_wake_us, what="a dispatcher that sleeps")
    await hosts.a.bench.accept()
    assert clock.next_wake_us == clock.now_us() + LOOK_US
    clock.advance(timedelta(microseconds=LOOK_US))
    await eventually(lambda: woken, what="senders that are woken")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_simulated_modem_leaves_live_messages_to_the_real_one_of_another_host(hosts: TwoHosts) -> None:
    hosts.rows(
        "INSERT INTO host_modem (node, name, state, simulated, status) "
        "VALUES ('b', 'stick', 'absent', false, '{}'); SELECT 1"
    )
    assert hosts.a.elsewhere.all_simulated
    await hosts.a.renew()
    assert not hosts.a.elsewhere.all_simulated
    assert hosts.a.elsewhere.find("", "stick") == ("b", False)
    assert hosts.a.elsewhere.find("c", "stick") is None


async def test_a_modem_of_another_host_can_be_asked_for(hosts: TwoHosts) -> None:
    hosts.a.elsewhere.modems = {("b", "sim1"): True, ("b", "sim2"): True}
    bench = hosts.a.bench
    intake = Intake(bench.settings, bench.store, bench.clock, bench.ids, hosts.a.elsewhere)
    wanted = ("b:sim1", "sim2", "sim1", "a:sim1")
    for number, modem in enumerate(wanted):
        await intake.accept(bench.principal, NewMessage(f"+3361234567{number}", modem, modem=modem))
    with pytest.raises(InvalidRequest):
        await intake.accept(bench.principal, NewMessage(NUMBER, "x", modem="c:sim1"))
    assert hosts.rows("SELECT text, wanted_node, wanted_modem FROM message ORDER BY id") == [
        ("b:sim1", "b", "sim1"), ("sim2", "b", "sim2"), ("sim1", "a", "sim1"), ("a:sim1", "a", "sim1"),
    ]  # fmt: skip
    taken: dict[str, list[str]] = {}
    for host, modem in ((hosts.a, "sim1"), (hosts.a, "sim2"), (hosts.b, "sim1"), (hosts.b, "sim2")):
        while marked := await host.next(modem):
            await host.settle(marked, PartEvent.ACCEPTED, tp_mr=1)
            taken.setdefault(f"{host.node}:{modem}", []).append((await bench.get(marked.message_id)).text or "")
    assert taken == {"a:sim1": ["sim1", "a:sim1"], "b:sim1": ["b:sim1"], "b:sim2": ["sim2"]}


# --- rules


async def test_hosts_that_decide_by_different_rules_are_an_alarm(
    place: Place, tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with two_hosts(place, tmp_path, clock, ("1", "2")) as hosts:
        for _ in range(2):
            await hosts.a.renew()
        assert hosts.a.lease.differing == ("b",)
        assert [record.action for record in caplog.records if record.name.endswith("lease")] == ["rules_differ"]
        health = Health(hosts.a.bench.store, Fleet({}, {}), lambda: hosts.a.lease.differing)
        readiness = await health.ready()
        assert not readiness.ready
        assert list(readiness.reasons) == [
            "no modem is usable", "the rules of host b differ from those of this host",
        ]  # fmt: skip
        hosts.rows(
            "INSERT INTO host_modem (node, name, state, simulated, status) "
            "VALUES ('b', 'stick', 'ready', false, '{}'); SELECT 1"
        )
        assert (await health.ready()).ready
        hosts.age("b", 60)
        await hosts.a.renew()
        assert hosts.a.lease.differing == ()
        assert not (await health.ready()).ready


def test_the_hash_of_the_rules_is_about_what_decides(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    moved = settings_in(tmp_path / "elsewhere", ports={"other": "simulated:"})
    assert rules_hash(settings) == rules_hash(moved)
    assert rules_hash(settings) != rules_hash(settings_in(tmp_path, stop_scope="category"))
    assert rules_hash(settings) != rules_hash(settings_in(tmp_path, categories=(category("mine"),)))
    assert rules_hash(settings) != rules_hash(replace(settings, storms=StormSettings()))
    assert rules_hash(settings) != rules_hash(replace(settings, recipients=RecipientSettings()))


# --- what comes back


async def test_a_report_is_matched_whichever_host_hears_it(hosts: TwoHosts) -> None:
    message = await hosts.a.bench.accept()
    marked = await hosts.a.next()
    assert marked is not None
    await hosts.a.settle(marked, PartEvent.ACCEPTED, tp_mr=7)
    bench = hosts.b.bench
    stamp = TimeStamp.from_datetime(to_datetime(bench.clock.now_us()))

    async def hear(iccid: str | None, tp_mr: int) -> None:
        told = SmsStatusReport(tp_mr=tp_mr, tp_ra=Address.from_text(NUMBER), tp_scts=stamp, tp_dt=stamp, tp_st=0)
        event = StatusReportReceived(told, join_smsc(None, told.to_bytes()), NO_RECEIPT)
        now_us = bench.clock.now_us()
        origin = Origin("sim1", "b", iccid)
        await bench.store.write(lambda c: Reports(bench.store, "FR").take(c, event, origin, now_us))

    # The same reference at a modem of the same name, and another SIM: not this one.
    await hear("8933bsim1", 7)
    await hear(None, 7)
    assert (await bench.get(message.id)).status is Status.SENT
    # Its SIM was moved to a modem of the other host.
    await hear("8933asim1", 7)
    assert (await bench.get(message.id)).status is Status.DELIVERED

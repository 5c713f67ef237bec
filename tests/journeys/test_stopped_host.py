"""A host that is stopped after Ctrl-Z, for longer than anybody waits, and goes on: D04."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.checker import Sent
from support.crash import POLICIES
from support.daemon import Client
from support.hosts import HostProcess, Hosts, hosts_on
from support.long_run import hours_asked_for
from support.postgresql import Database
from support.waiting import eventually

SOAK = hours_asked_for() is not None
PEOPLE = [f"+336399847{each:02}" for each in range(10)]
#: Lease, and how long open marks of a silent host are waited for after it; None for those of a gateway in use.
TIMES = None if SOAK else ("2", "2")
#: How long it stays stopped at least, and how long its marks may take to be given up.
STOPPED_S, GIVEN_UP_S = (600.0, 200.0) if SOAK else (0.0, 40.0)
_OF_A = "SELECT state FROM attempt WHERE node = 'a' ORDER BY id"
_COPY = "SELECT state, marked_us FROM attempt WHERE node = 'b' AND message_id = '{}'"
_UNCERTAIN = "SELECT message_id, at_us FROM event WHERE type = 'message.uncertain'"


def _environ(submit_s: str) -> dict[str, str]:
    times = {} if TIMES is None else {"TOCSIN_LEASE_SECONDS": TIMES[0], "TOCSIN_PATIENCE_SECONDS": TIMES[1]}
    return times | {"TOCSIN_SUBMIT_SECONDS": submit_s}


async def _stop_after_ctrl_z(host: HostProcess, client: Client, sent: Sequence[Sent]) -> asyncio.Task[object]:
    """Have the host send all of them at once, and stop it when the last was handed over; the request it still owes."""
    await client.ok("POST", "/v1/pause")
    for each in sent:
        answer = await client.send(each.to, each.text, category="emergency", on_uncertain=each.policy)
        each.id = answer["id"]
    host.arm(f"ended {len(sent)} stop")
    owed = asyncio.create_task(client.call("POST", "/v1/resume"))
    await host.gateway.halted()
    return owed


async def _watch(hosts: Hosts, sent: Sequence[Sent]) -> float:
    """What the other host does about it: it observes, and sends the one copy that policy `resend` has; in seconds."""
    began = time.monotonic()
    (again,) = [each for each in sent if each.policy == "resend"]
    query = _COPY.format(again.id)
    await eventually(lambda: [row[0] for row in hosts.rows(query)] == ["sent"], GIVEN_UP_S, "the further copy")
    ((_, marked_us),) = hosts.rows(query)
    told = dict(hosts.rows(_UNCERTAIN))
    assert set(told) == {each.id for each in sent}
    assert told[again.id] < marked_us
    return time.monotonic() - began


@pytest.mark.parametrize(
    "submit_s",
    [pytest.param("120", id="in-time"), pytest.param("120" if SOAK else "3", id="late", marks=pytest.mark.long)],
)
async def test_d04_stopped_after_ctrl_z_past_its_lease_and_past_what_others_wait(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None], submit_s: str
) -> None:
    """Its answer is there in time by its own clock, or late; to the others it is lost either way."""
    options = ("--latency", "2s", "--report-delay", "60m")
    async with hosts_on(tmp_path, postgresql_database, *options, modems=3, environ=_environ(submit_s)) as hosts:
        a, b = hosts["a"], hosts["b"]
        await a.start()
        sent = [Sent(to, f"stopped {policy}", policy) for to, policy in zip(PEOPLE, POLICIES, strict=False)]
        beside = Sent(PEOPLE[8], "beside it", "hold")
        async with a.client() as at_a:
            stopped = time.monotonic()
            owed = await _stop_after_ctrl_z(a, at_a, sent)
            await b.start()
            async with b.client() as at_b:
                beside.id = (await at_b.send(beside.to, beside.text))["id"]
                observed = await _watch(hosts, sent)
                await at_b.until(beside.id, "sent")
            # Whatever it waits for now, it is not this host.
            await eventually(lambda: time.monotonic() - stopped >= STOPPED_S, STOPPED_S + 5, "the rest of the time")
            copies = hosts.texts()
            assert hosts.rows(_OF_A) == [("uncertain",)] * 3
            a.signal(signal.SIGCONT)
            resumed = time.monotonic()
            await eventually(lambda: hosts.rows(_OF_A) == [("sent",)] * 3, 30, "its answers, read after all")
            believed = time.monotonic() - resumed
            await owed
            then = Sent(PEOPLE[9], "as usual", "hold")
            then.id = (await at_a.send(then.to, then.text))["id"]
            await hosts.drained()
        everything = [*sent, beside, then]
        verdicts = hosts.verdicts(everything)
        of_b = Counter(row[0] for row in hosts.rows("SELECT message_id FROM attempt WHERE node = 'b'"))
        await hosts.end()
    texts = {each.policy: hosts.texts()[each.text] for each in sent}
    tell(
        f"D04: stopped for {resumed - stopped:.0f} s after Ctrl-Z, {submit_s} s of patience with its modem: copies "
        f"{texts}, given up and sent elsewhere in {observed:.1f} s, the words right {believed:.1f} s after it went on"
    )
    assert [verdict.status for verdict in verdicts] == ["sent"] * 5
    assert [verdict for verdict in verdicts if not verdict.sound] == []
    assert texts == {"hold": 1, "resend": 2, "never": 1}
    assert {each.text: copies[each.text] for each in sent} == {each.text: texts[each.policy] for each in sent}
    assert [each.policy for each in sent if of_b[each.id or ""]] == ["resend"]

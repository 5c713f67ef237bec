"""kill -9 while the service manager holds the port: what the modem says to nobody is read by the next start."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.checker import Sent
from support.crash import CrashRig, crash_rig, number_of, trouble
from support.service_manager import held
from support.waiting import eventually

PERSON = "+33639984101"
NAME = "tocsin-modem-m0"
# No report within the test: what is known is known from the answer.
NO_REPORTS = ("--report-delay", "60m")


async def die_at(rig: CrashRig, place: str, to: str = PERSON, policy: str = "hold") -> Sent:
    await rig.gateway.start()
    sent = Sent(to, f"held at {place}", policy)
    rig.arm(place)
    await rig.send(sent)
    await rig.died()
    assert held(rig.gateway.folder / "manager") == [NAME]
    return sent


def attempts(rig: CrashRig) -> list[tuple[str, int | None]]:
    return [tuple(row) for row in rig.rows("SELECT state, tp_mr FROM attempt ORDER BY id")]


def was_uncertain(rig: CrashRig) -> bool:
    return bool(rig.rows("SELECT 1 FROM event WHERE type = 'message.uncertain'"))


async def test_c10_the_answer_that_nobody_heard_is_read_at_the_next_start(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    async with crash_rig(tmp_path, *NO_REPORTS, held=True) as rig:
        for count in (1, 2):
            sent = await die_at(rig, "ended", policy="resend")
            await eventually(lambda count=count: len(rig.ledger()) == count, what="the message on the air")
            await rig.gateway.start()
            await rig.until(sent, "sent")
            assert await rig.gateway.end() == 0
            # A stop in good order leaves nothing behind.
            assert held(tmp_path / "manager") == []
        assert attempts(rig) == [("sent", 0), ("sent", 1)], "with the references that the modem gave"
        assert not was_uncertain(rig)
    tell("C10: 2 of 2 answers that came while nobody ran were read at the next start, no report needed")


@pytest.mark.parametrize(
    ("code", "word", "state"),
    [
        (1, "failed", "failed"),
        (42, "queued", "pending"),
        pytest.param(38, "uncertain", "uncertain", marks=pytest.mark.long),
    ],
)
async def test_c11_a_refusal_that_nobody_heard_has_its_class(
    tmp_path: Path, tell: Callable[[str], None], code: int, word: str, state: str
) -> None:
    async with crash_rig(tmp_path, "--refuse", f"{PERSON}={code}", held=True) as rig:
        sent = await die_at(rig, "ended")
        await rig.gateway.start()
        await eventually(lambda: attempts(rig)[0] == (state, None), what=f"an attempt that is {state}")
        message = rig.message(sent)
        assert message is not None
        found = (message["status"], was_uncertain(rig), rig.ledger())
    tell(f"C11: refused with {code} while nobody ran: {found[0]}, {len(found[2])} copies")
    assert found == (word, state == "uncertain", [])


@pytest.mark.parametrize("policy", ["hold", pytest.param("resend", marks=pytest.mark.long)])
async def test_an_answer_that_is_still_on_its_way_is_waited_for(tmp_path: Path, policy: str) -> None:
    # A start takes a second or two, and longer on a busy machine.
    async with crash_rig(tmp_path, "--latency", "10s", *NO_REPORTS, submit_seconds=30, held=True) as rig:
        sent = await die_at(rig, "ended", policy=policy)
        assert rig.ledger() == []
        await rig.gateway.start()
        assert [state for state, _ in attempts(rig)] == ["submitting"]
        await rig.until(sent, "sent")
        assert (attempts(rig), was_uncertain(rig), len(rig.ledger())) == ([("sent", 0)], False, 1)


async def test_a_stop_waits_for_it_too(tmp_path: Path) -> None:
    async with crash_rig(tmp_path, "--latency", "4s", *NO_REPORTS, submit_seconds=30, held=True) as rig:
        await die_at(rig, "ended")
        await rig.gateway.start()
        assert await rig.gateway.end() == 0
        assert attempts(rig) == [("sent", 0)]


async def test_c09_a_modem_that_still_waits_for_ctrl_z_has_not_sent(tmp_path: Path) -> None:
    async with crash_rig(tmp_path, *NO_REPORTS, held=True) as rig:
        sent = await die_at(rig, "journaled", policy="never")
        await rig.gateway.start()
        await rig.until(sent, "sent")
        assert [copy.text for copy in rig.ledger()] == [sent.text]
        assert attempts(rig) == [("pending", None), ("sent", 0)]
        assert not was_uncertain(rig)


@pytest.mark.parametrize(
    ("place", "word"),
    [("torn:6", "uncertain"), ("torn:12", "sent"), pytest.param("torn:15", "sent", marks=pytest.mark.long)],
)
async def test_an_answer_of_which_a_part_was_read(tmp_path: Path, place: str, word: str) -> None:
    """Twelve octets are the line with the reference: what was read of it stands in the journal. Less is no line."""
    async with crash_rig(tmp_path, *NO_REPORTS, held=True) as rig:
        sent = await die_at(rig, place)
        await rig.gateway.start()
        await rig.until(sent, word)
        assert len(rig.ledger()) == 1


@pytest.mark.long
async def test_killed_again_and_again_while_it_listens_it_still_finds_out(tmp_path: Path) -> None:
    async with crash_rig(tmp_path, "--latency", "6s", *NO_REPORTS, submit_seconds=30, held=True) as rig:
        sent = await die_at(rig, "ended")
        for _ in range(2):
            await rig.gateway.start()
            await rig.gateway.end(signal.SIGKILL)
            assert held(tmp_path / "manager") == [NAME]
        await rig.gateway.start()
        await rig.until(sent, "sent")
        assert (attempts(rig), was_uncertain(rig), len(rig.ledger())) == ([("sent", 0)], False, 1)


@pytest.mark.long
async def test_a_modem_that_never_answers_is_given_up_in_time_and_used_again(tmp_path: Path) -> None:
    async with crash_rig(tmp_path, *trouble(), held=True) as rig:
        lost = await die_at(rig, "ended", to=number_of("silence", "hold"))
        await rig.gateway.start()
        await rig.until(lost, "uncertain")
        then = Sent(PERSON, "the next one", "hold")
        await rig.send(then)
        await rig.until(then, "delivered")
        assert [copy.text for copy in rig.ledger()] == [lost.text, then.text]


async def test_a_port_that_another_modem_has_now_is_not_believed(tmp_path: Path) -> None:
    async with crash_rig(tmp_path, *NO_REPORTS, modems=2, held=True) as rig:
        await rig.gateway.start()
        sent = Sent(PERSON, "through the one or the other", "hold")
        rig.arm("ended")
        await rig.send(sent)
        await rig.died()
        assert sorted(held(tmp_path / "manager")) == [NAME, "tocsin-modem-m1"]
        config = await asyncio.to_thread(rig.gateway.config.read_text)
        swapped = config.replace("/modem0", "/modemX").replace("/modem1", "/modem0").replace("/modemX", "/modem1")
        await asyncio.to_thread(rig.gateway.config.write_text, swapped)
        await rig.gateway.start()
        await rig.until(sent, "uncertain")
        then = Sent("+33639984102", "as usual", "hold")
        await rig.send(then)
        await rig.until(then, "sent")
        assert sorted(held(tmp_path / "manager")) == [NAME, "tocsin-modem-m1"]
        assert await rig.gateway.end() == 0
    assert Counter(copy.text for copy in rig.ledger()) == Counter([sent.text, then.text])

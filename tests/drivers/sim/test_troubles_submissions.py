"""Troubles of a submission as a terminal sees them, and what the ledger says of each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.terminal import TPDU, Terminal, happened
from support.waiting import eventually

from drivers.sim import Happening

CTRL_Z, ESC = "\x1a", "\x1b"


@pytest.fixture(params=[0.0, 0.01], ids=["at once", "with latency"])
def sending(request: pytest.FixtureRequest, terminal_for: Callable[..., Terminal]) -> Terminal:
    return terminal_for(latency=request.param)


async def answer_of(terminal: Terminal) -> list[str]:
    """What is said after Ctrl-Z, however late."""
    heard = terminal.submit(TPDU)
    assert heard.pop(0) == "> "
    while not heard:
        await eventually(lambda: terminal.waits)
        heard = terminal.heard()
    return heard


@pytest.mark.parametrize("left", [True, False])
async def test_a_bare_ok(sending: Terminal, left: bool):
    sending.modem.trouble("bare-ok", left=left)
    assert await answer_of(sending) == ["OK"]
    assert len(sending.modem.submissions) == left
    assert happened(sending.modem) == ["began", "left" if left else "not left", "ended"]
    assert await answer_of(sending) == [f"+CMGS: {int(left)}", "OK"]


@pytest.mark.parametrize("left", [True, False])
async def test_no_answer_at_all(sending: Terminal, left: bool):
    trouble = sending.modem.trouble("silent-submit", left=left, times=2)
    for count in (1, 2):
        assert sending.submit(TPDU) == ["> "]
        await eventually(lambda done=count: happened(sending.modem).count("left" if left else "not left") == done)
        assert sending.command("AT") == []
    assert len(sending.modem.submissions) == 2 * left
    assert trouble not in sending.modem.troubles.on


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("cms-error", {"code": 41}, "+CMS ERROR: 41"),
        ("cms-error", {"code": 516}, "+CMS ERROR: 516"),
        ("cme-error", {"code": 30}, "+CME ERROR: 30"),
        ("cme-error", {"code": 9000}, "+CME ERROR: 9000"),
        ("error", {}, "ERROR"),
    ],
)
async def test_an_error(sending: Terminal, name: str, options: dict[str, int], line: str):
    sending.command("AT+CMEE=1")
    sending.modem.trouble(name, **options)
    assert await answer_of(sending) == [line]
    assert sending.modem.submissions == ()
    sending.modem.trouble(name, **options, left=True)
    assert await answer_of(sending) == [line]
    assert len(sending.modem.submissions) == 1
    sending.modem.trouble(name, **options, at="prompt")
    assert sending.say(f"AT+CMGS={len(TPDU)}\r") == [line]
    assert await answer_of(sending) == ["+CMGS: 1", "OK"]


async def test_every_number_that_can_be_answered(terminal: Terminal):
    for code in (*range(1, 256), *range(300, 533)):
        terminal.modem.trouble("cms-error", code=code)
        assert terminal.submit(TPDU) == ["> ", f"+CMS ERROR: {code}"]
    assert terminal.modem.submissions == ()


async def test_what_the_network_refuses_itself_is_no_strike(terminal_for: Callable[..., Terminal]):
    terminal = terminal_for(registration=0)
    trouble = terminal.modem.trouble("bare-ok")
    assert terminal.submit(TPDU) == ["> ", "+CMS ERROR: 331"]
    assert trouble in terminal.modem.troubles.on


async def test_a_late_answer(sending: Terminal):
    sending.modem.trouble("late-answer", after=0.02)
    assert sending.submit(TPDU) == ["> "]
    await eventually(lambda: len(sending.modem.submissions) == 1)
    assert sending.say("AT+CSQ\r") == []
    await eventually(lambda: sending.waits)
    assert sending.heard() == ["+CMGS: 0", "OK", "+CSQ: 21,99", "OK"]
    assert happened(sending.modem) == ["began", "left", "ended"]


async def test_a_lie(sending: Terminal):
    sending.modem.trouble("lies", times=0)
    for reference in range(3):
        assert await answer_of(sending) == [f"+CMGS: {reference}", "OK"]
    sending.modem.troubles.end_all()
    assert sending.modem.submissions == ()
    assert await answer_of(sending) == ["+CMGS: 3", "OK"]
    assert [one.tp_mr for one in sending.modem.submissions] == [3]


async def test_a_message_of_the_storage_has_troubles_too(terminal: Terminal):
    terminal.say(f"AT+CMGW={len(TPDU)}\r", "00" + TPDU.hex() + CTRL_Z)
    terminal.modem.trouble("lies")
    assert terminal.command("AT+CMSS=1") == ["+CMSS: 0"]
    assert terminal.modem.submissions == ()
    terminal.modem.trouble("bare-ok")
    assert terminal.command("AT+CMSS=1") == []
    assert len(terminal.modem.submissions) == 1


@pytest.mark.parametrize("at", ["end", "prompt"])
async def test_a_prompt_that_only_escape_leaves(terminal: Terminal, at: str):
    terminal.modem.trouble("prompt-hang", at=at)
    said = terminal.submit(TPDU)
    assert said == (["> "] if at == "end" else [])
    assert terminal.say("AT\r", "AT+CSQ\r", CTRL_Z) == []
    assert terminal.say(ESC) == ["OK"]
    assert happened(terminal.modem) == ["began", "not left", "ended"]
    assert terminal.submit(TPDU) == ["> ", "+CMGS: 0", "OK"]


async def test_what_does_not_strike_in_time_ends(terminal: Terminal):
    terminal.modem.trouble("bare-ok", within=0.01)
    await eventually(lambda: not terminal.modem.troubles.on)
    assert happened(terminal.modem) == ["began", "ended"]
    assert terminal.submit(TPDU) == ["> ", "+CMGS: 0", "OK"]


async def test_what_has_struck_is_not_ended_by_its_bound(terminal: Terminal):
    terminal.modem.trouble("late-answer", after=0.05, within=0.01)
    terminal.submit(TPDU)
    await eventually(lambda: terminal.waits)
    events = [(event.happening, event.note) for event in terminal.modem.troubles.history]
    assert events == [(Happening.BEGAN, ""), (Happening.STRUCK, "left"), (Happening.ENDED, "")]
    assert terminal.heard() == ["+CMGS: 0", "OK"]

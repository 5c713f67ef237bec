"""Who looks on at a submit: what is told before Ctrl-Z and after it, and how an objection takes the part back."""

from __future__ import annotations

import pytest
from support.driven import Drive
from support.scripted_modem import ScriptedModem

from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import SubmitResult, WireStage
from drivers.gsm.submit_answer import judge_lines, tells_outcome

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
CTRL_Z, ESC = b"\x1a", b"\x1b"


class Looker:
    """Writes down what it sees, with what the modem had received by then; objects at a stage."""

    def __init__(self, modem: ScriptedModem, objects_at: WireStage | None = None) -> None:
        self._modem = modem
        self._objects_at = objects_at
        self.stages: list[tuple[WireStage, int]] = []
        self.lines: list[str] = []
        self.tag = object()

    def on_wire(self, stage: WireStage) -> None:
        self.stages.append((stage, self._modem.received.count(CTRL_Z)))
        if stage is self._objects_at:
            raise ModemNotReady("too late")

    def on_line(self, line: str) -> None:
        self.lines.append(line)


async def test_every_stage_is_told_in_its_order_and_every_line_after_ctrl_z(drive: Drive) -> None:
    driven = drive(ScriptedModem(on_submit=lambda _: '+CMTI: "SM",1\n+CMGS: 12\nOK'))
    await driven.ready()
    looker = Looker(driven.modem)
    assert await driven.supervisor.submit(TPDU, looker) == SubmitResult(12)
    assert [stage for stage, _ in looker.stages] == [WireStage.PROMPTED, WireStage.TYPED, WireStage.ENDED]
    assert [count for _, count in looker.stages[:2]] == [0, 0]
    assert looker.lines == ["+CMGS: 12", "OK"]


async def test_a_refusal_is_told_too_and_nothing_after_the_submit(drive: Drive) -> None:
    driven = drive(ScriptedModem(on_submit=lambda _: "+CMS ERROR: 42"))
    await driven.ready()
    looker = Looker(driven.modem)
    with pytest.raises(SubmitRefused):
        await driven.supervisor.submit(TPDU, looker)
    assert looker.lines == ["+CMS ERROR: 42"]


@pytest.mark.parametrize("stage", [WireStage.PROMPTED, WireStage.TYPED])
async def test_an_objection_before_ctrl_z_is_followed_by_escape_and_the_next_submit_is_whole(
    drive: Drive, stage: WireStage
) -> None:
    driven = drive()
    await driven.ready()
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU, Looker(driven.modem, stage))
    assert CTRL_Z not in driven.modem.received
    assert ESC in driven.modem.received.rpartition(b"AT+CMGS")[2]
    assert driven.modem.submitted == []
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert driven.modem.submitted == ["00" + TPDU.hex().upper()]


@pytest.mark.parametrize(
    ("lines", "reference"), [(["+CMGS: 5", "OK"], 5), (["+CMGS: 5"], 5), (["+CMS ERROR: 197"], TPDU[1])]
)
def test_lines_of_an_answer_say_the_same_later(lines: list[str], reference: int) -> None:
    assert judge_lines(lines, TPDU).reference == reference


@pytest.mark.parametrize(
    ("lines", "code"), [(["+CMS ERROR: 1"], "cms_1"), (["+CMS ERROR: 331"], "cms_331"), (["+CMS ERROR: 42"], "cms_42")]
)
def test_lines_of_a_refusal(lines: list[str], code: str) -> None:
    with pytest.raises(SubmitRefused) as caught:
        judge_lines(lines, TPDU)
    assert caught.value.code == code


@pytest.mark.parametrize("lines", [[], ["OK"], ["ERROR"], ["+CMS ERROR: 38"], ["+CMGS: 5", "+CMS ERROR: 1"]])
def test_lines_that_tell_nothing(lines: list[str]) -> None:
    with pytest.raises(SubmitUncertain):
        judge_lines(lines, TPDU)


def test_only_the_outcome_is_worth_writing_down() -> None:
    told = ["+CMGS: 1", "OK", "ERROR", "+CMS ERROR: 500", "+CME ERROR: 10", "NO CARRIER"]
    others = ["+CREG: 0,1", '+CMT: "+33639980142"', "07913336990800F0040B91", ""]
    assert [line for line in told + others if tells_outcome(line)] == told

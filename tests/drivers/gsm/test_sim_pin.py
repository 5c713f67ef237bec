"""A PIN is given to a SIM once, and again only when that cannot block it or when a person says so."""

import asyncio
import itertools

import pytest
from support.driven import Drive, Driven
from support.rigs import HASTY
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import ModemNotReady
from drivers.events import ModemState
from drivers.gsm.pin_counter import Tries
from drivers.gsm.pin_ledger import Judge, PinMemory
from drivers.gsm.pin_rules import Card, Forbidden, PinRecord, PinRefusal, PinState, refusal_of

ENTER = 'AT+CPIN="1234"'
CARD = "8988303000001234567"


class CountingSim(ScriptedModem):
    """A SIM of a modem that tells how many tries it has left."""

    def __init__(self, pin: str, *, tries: int = 3, iccid: str | None = CARD) -> None:
        super().__init__(answers=dict(PLAIN))
        self.pin, self.tries, self.unlocked = pin, tries, False
        self.answers["AT+CPIN?"] = lambda _: f"+CPIN: {self.word}\nOK"
        self.answers["AT+CPINR"] = lambda _: f"+CPINR: SIM PIN,{self.tries},3\nOK"
        self.answers[ENTER] = lambda _: self.present("1234")
        self.answers["AT+CCID"] = f"+CCID: {iccid}\nOK" if iccid else "+CME ERROR: 11"

    @property
    def word(self) -> str:
        return "SIM PUK" if not self.tries else "READY" if self.unlocked else "SIM PIN"

    def present(self, pin: str) -> str:
        if pin != self.pin:
            self.tries -= 1
            return "+CME ERROR: 16"
        self.unlocked, self.tries = True, 3
        return "OK"

    @property
    def presented(self) -> int:
        return self.commands.count(ENTER)


async def _parked(driven: Driven) -> str:
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED, 10)
    return driven.supervisor.status().reason or ""


async def test_a_wrong_pin_is_given_once_whoever_asks_again(drive: Drive, tell) -> None:
    pins, sim = PinMemory(), CountingSim("4321")
    reason = await _parked(drive(sim, pin="1234", pins=pins))
    assert "refused" in reason
    assert "(2 tries left)" in reason
    assert "tocsin modems unlock m" in reason
    for _ in range(3):
        assert "refused" in await _parked(drive(sim, pin="1234", pins=pins))
    assert (sim.presented, sim.tries) == (1, 2)
    # In another modem it is the same SIM.
    sim.answers["AT+CGSN"] = "490154203237518\nOK"
    assert "refused" in await _parked(drive(sim, pin="1234", pins=pins))
    tell(f"S01: wrong PIN, a driver opened 5 times over one ledger, once in another modem: {sim.presented} attempt")
    assert sim.presented == 1


async def test_fewer_than_three_tries_or_an_unknown_number(drive: Drive, tell) -> None:
    counted = {tries: CountingSim("1234", tries=tries) for tries in (2, 1)}
    mute = CountingSim("1234")
    del mute.answers["AT+CPINR"]
    reasons = {tries: await _parked(drive(sim, pin="1234")) for tries, sim in counted.items()}
    assert "2 of its tries left" in reasons[2]
    assert "never taken" in reasons[1]
    assert "pin_without_counter" in await _parked(drive(mute, pin="1234"))
    attempts = [sim.presented for sim in (*counted.values(), mute)]
    tell(f"S02: 2 tries left, 1 left, unknown: {attempts} attempts, each modem parked with what to do")
    assert attempts == [0, 0, 0]
    allowed = drive(mute, pin="1234", pin_without_counter=True)
    await allowed.ready()
    assert mute.presented == 1


async def test_a_person_allows_one_more_try(drive: Drive) -> None:
    pins, sim = PinMemory(), CountingSim("4321")
    first = drive(sim, pin="1234", pins=pins)
    await _parked(first)
    await first.supervisor.confirm_pin()
    assert "never taken" in await _parked(drive(sim, pin="1234", pins=pins))
    assert (sim.presented, sim.tries) == (2, 1)
    # The last try is never taken, whoever says so.
    third = drive(sim, pin="1234", pins=pins)
    assert "never taken" in await _parked(third)
    await third.supervisor.confirm_pin()
    assert "never taken" in await _parked(drive(sim, pin="1234", pins=pins))
    assert (sim.presented, sim.tries) == (2, 1)


def _without_counter(pin: str) -> CountingSim:
    sim = CountingSim(pin)
    del sim.answers["AT+CPINR"]
    return sim


async def _unlocked(drive: Drive, sim: CountingSim, pins: PinMemory, pin: str) -> tuple[Driven, str]:
    """A person says so whenever it is parked for its PIN, and it is opened anew."""
    first = drive(sim, pin=pin, pins=pins, pin_without_counter=True)
    await _parked(first)
    await first.supervisor.confirm_pin()
    await first.stop()
    second = drive(sim, pin=pin, pins=pins, pin_without_counter=True)
    return second, await _parked(second)


async def test_without_a_counter_there_are_two_attempts_in_all(drive: Drive, tell) -> None:
    pins, sim = PinMemory(), _without_counter("4321")
    driven, reason = await _unlocked(drive, sim, pins, "1234")
    assert "wrong PINs twice" in reason
    assert "in a phone" in reason
    assert driven.supervisor.pin_refusal == PinRefusal(Forbidden.LAST_TRY)
    for _ in range(3):
        assert "wrong PINs twice" in (await _unlocked(drive, sim, pins, "1234"))[1]
    # Another PIN is given to the same SIM.
    sim.answers['AT+CPIN="5678"'] = lambda _: sim.present("5678")
    assert "wrong PINs twice" in (await _unlocked(drive, sim, pins, "5678"))[1]
    tell(f"S02: no counter, wrong PIN, unlocked 5 times by a person, then another PIN: {3 - sim.tries} attempts")
    assert (sim.presented, sim.tries) == (2, 1)


async def test_two_pins_without_a_counter(drive: Drive) -> None:
    """One attempt each is two on the SIM; when it takes one, it begins anew."""
    pins, sim = PinMemory(), _without_counter("4321")
    sim.answers['AT+CPIN="5678"'] = lambda _: sim.present("5678")
    await _parked(drive(sim, pin="1234", pins=pins, pin_without_counter=True))
    assert "wrong PINs twice" in await _parked(drive(sim, pin="5678", pins=pins, pin_without_counter=True))
    assert sim.tries == 1
    fresh, right = PinMemory(), _without_counter("5678")
    right.answers['AT+CPIN="5678"'] = lambda _: right.present("5678")
    await _parked(drive(right, pin="1234", pins=fresh, pin_without_counter=True))
    driven = drive(right, pin="5678", pins=fresh, pin_without_counter=True)
    await driven.ready()
    await driven.stop()
    right.unlocked = False
    assert "refused" in (await _unlocked(drive, right, fresh, "1234"))[1]
    assert "wrong PINs twice" in (await _unlocked(drive, right, fresh, "1234"))[1]
    assert right.tries == 1


async def test_a_sim_that_is_blocked_by_the_attempt_asks_for_its_puk(drive: Drive) -> None:
    """Others had used up the tries before it: no leave of a person helps then."""
    sim = _without_counter("4321")
    sim.tries = 1
    driven = drive(sim, pin="1234", pin_without_counter=True)
    assert "asks for its PUK" in await _parked(driven)
    assert driven.supervisor.pin_refusal is None


async def test_a_proven_pin_is_given_at_each_power_up(drive: Drive) -> None:
    pins, sim = PinMemory(), CountingSim("1234")
    for number in (1, 2, 3):
        sim.unlocked = False
        driven = drive(sim, pin="1234", pins=pins)
        await driven.ready()
        await driven.stop()
        assert sim.presented == number
    # Changed in a phone: refused once, and never again.
    sim.pin, sim.unlocked = "9999", False
    for _ in range(3):
        assert "refused" in await _parked(drive(sim, pin="1234", pins=pins))
    assert sim.presented == 4


@pytest.mark.parametrize(("left", "again"), [(3, 1), (2, 0)])
async def test_a_proven_pin_whose_answer_is_lost(drive: Drive, left: int, again: int) -> None:
    """It is given again where the SIM shows that nothing wrong was presented."""
    pins, sim = PinMemory(), CountingSim("1234")
    proving = drive(sim, pin="1234", pins=pins)
    await proving.ready()
    await proving.stop()
    sim.unlocked, sim.answers[ENTER] = False, None
    lost = drive(sim, pin="1234", pins=pins, deadlines=HASTY)
    await lost.start()
    await eventually(lambda: sim.presented == 2, 10)
    await lost.stop()
    before, sim.tries = sim.presented, left
    sim.answers[ENTER] = lambda _: sim.present("1234")
    driven = drive(sim, pin="1234", pins=pins)
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state in {ModemState.PARKED, ModemState.READY}, 10)
    assert sim.presented - before == again


async def test_a_stop_waits_for_what_the_sim_says(drive: Drive) -> None:
    """A good PIN whose answer nobody waits for would not be tried again."""
    pins, sim = PinMemory(), CountingSim("1234")
    sim.answers[ENTER] = None
    driven = drive(sim, pin="1234", pins=pins)
    await driven.start()
    await eventually(lambda: sim.presented == 1)
    stopping = asyncio.create_task(driven.stop())
    await asyncio.sleep(0)
    sim.say(sim.present("1234"))
    await stopping
    sim.unlocked = False
    sim.answers[ENTER] = lambda _: sim.present("1234")
    await drive(sim, pin="1234", pins=pins).ready()
    assert sim.presented == 2


async def test_another_sim_that_is_unlocked_proves_nothing(drive: Drive) -> None:
    """The port is lost before the answer, and comes back with another SIM."""
    pins, sim = PinMemory(), CountingSim("4321")
    sim.answers[ENTER] = None
    driven = drive(sim, pin="1234", pins=pins)
    await driven.start()
    await eventually(lambda: sim.presented == 1)
    sim.unlocked, sim.answers["AT+CCID"] = True, "+CCID: 8933150319090000000\nOK"
    await driven.line.unplug()
    await asyncio.wait_for(driven.supervisor.wait_ready(), 10)
    await driven.stop()
    sim.unlocked, sim.answers["AT+CCID"] = False, f"+CCID: {CARD}\nOK"
    assert "not known" in await _parked(drive(sim, pin="1234", pins=pins))
    assert sim.presented == 1


async def test_a_busy_sim_without_counter_is_not_asked_twice(drive: Drive) -> None:
    """Some modems say so of a wrong PIN."""
    sim = CountingSim("1234")
    del sim.answers["AT+CPINR"]
    sim.answers[ENTER] = "+CME ERROR: 13"
    driven = drive(sim, pin="1234", pin_without_counter=True)
    assert "not known" in await _parked(driven)
    assert sim.presented == 1


async def test_a_modem_that_says_ok_to_a_wrong_pin(drive: Drive) -> None:
    sim = CountingSim("4321")
    sim.answers[ENTER] = "OK"
    pins = PinMemory()
    assert "refused" in await _parked(drive(sim, pin="1234", pins=pins))
    assert "refused" in await _parked(drive(sim, pin="1234", pins=pins))
    assert sim.presented == 1


async def test_another_sim_than_the_configured_one(drive: Drive, tell) -> None:
    locked, ready = CountingSim("1234"), CountingSim("1234")
    ready.unlocked = True
    for sim in (locked, ready):
        reason = await _parked(drive(sim, pin="1234", iccid="8933150319090000000"))
        assert "not the one that iccid names" in reason
        assert CARD not in reason
    assert (locked.presented, ready.submitted) == (0, [])
    tell("S03: another SIM than iccid names: parked, its PIN not given (0 attempts), no message sent")
    # Modems tell 19 or 20 digits of one card.
    right = drive(CountingSim("1234"), pin="1234", iccid=CARD + "5")
    await right.ready()


async def test_a_missing_sim_is_said_and_waited_for(drive: Drive, tell) -> None:
    sim = CountingSim("1234")
    present, sim.answers["AT+CPIN?"] = sim.answers["AT+CPIN?"], "+CME ERROR: 10"
    driven = drive(sim, pin="1234")
    await driven.start()
    await eventually(lambda: driven.supervisor.status().reason == "no SIM is inserted")
    tell(
        f"S03: no SIM: {driven.supervisor.status().state}, said, {sim.presented} attempts, used as soon as there is one"
    )
    assert sim.presented == 0
    sim.answers["AT+CPIN?"] = present
    await asyncio.wait_for(driven.supervisor.wait_ready(), 15)
    assert sim.presented == 1


async def test_a_sim_that_is_meant_and_does_not_tell_its_number(drive: Drive) -> None:
    driven = drive(CountingSim("1234", iccid=None), pin="1234", iccid=CARD)
    await driven.start()
    await eventually(lambda: "does not tell its number" in (driven.supervisor.status().reason or ""))
    assert driven.supervisor.status().state is ModemState.REPAIRING


class Refusing(PinMemory):
    """A ledger that cannot be written."""

    async def begin(self, card: Card, pin: str, judge: Judge) -> PinRefusal | None:
        raise ModemNotReady("the record of its PIN cannot be written")


async def test_without_a_record_there_is_no_attempt(drive: Drive) -> None:
    sim = CountingSim("1234")
    driven = drive(sim, pin="1234", pins=Refusing())
    await driven.start()
    await eventually(lambda: len(driven.lines) >= 3, 10)
    assert driven.supervisor.status().state is ModemState.REPAIRING
    assert sim.presented == 0


# --- the rules


TRIED = {PinState.TRYING, PinState.RETRYING}
RECORDS = [
    PinRecord(state, proven=proven, confirmed=confirmed)
    for state, proven, confirmed in itertools.product((None, *PinState), (False, True), (False, True))
]


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("tries", [None, Tries(0), Tries(1), Tries(2), Tries(3), Tries(9, 10), Tries(10, 10)])
@pytest.mark.parametrize("without_counter", [False, True])
def test_the_whole_table(record: PinRecord, tries: Tries | None, without_counter: bool) -> None:
    """Said another way than the rules: what must hold of every case."""
    refusal = refusal_of([record], tries, without_counter=without_counter)
    allowed = refusal is None
    if tries is None and not without_counter:
        assert refusal == PinRefusal(Forbidden.NO_COUNTER)
    if tries is not None and tries.left < 2:
        assert refusal == PinRefusal(Forbidden.LAST_TRY, tries.left)
    if allowed and not record.confirmed:
        assert tries is None or tries.left >= 3
        assert record.state in {None, PinState.PROVEN} or (record.state in TRIED and record.proven)
        if record.state in TRIED:
            assert tries is not None
            assert tries.left == tries.most
    if not allowed and record.confirmed:
        assert refusal.why in {Forbidden.NO_COUNTER, Forbidden.LAST_TRY}
    if tries is None and record.state in {PinState.RETRYING, PinState.SPENT}:
        assert not allowed
    if record.state in {None, PinState.PROVEN} and (tries is None or tries.left >= 3):
        assert allowed is (tries is not None or without_counter)


def test_of_several_records_each_can_forbid() -> None:
    good, bad = PinRecord(PinState.PROVEN, proven=True), PinRecord(PinState.REFUSED)
    assert refusal_of([good, bad], Tries(3), without_counter=False) == PinRefusal(Forbidden.REFUSED, 3)
    assert refusal_of([good, good], Tries(3), without_counter=False) is None
    assert refusal_of([], Tries(3), without_counter=False) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Card("a", "1", CARD), Card("b", "2", CARD + "9"), True),
        (Card("a", "1", CARD), Card("a", "1", "8933150319090000000"), False),
        (Card("a", "1"), Card("b", "1", CARD), True),
        (Card("a", "1"), Card("a", "2"), False),
        (Card("a"), Card("a", "2", CARD), True),
        (Card("a"), Card("b"), False),
    ],
)
def test_which_sims_may_be_one(one: Card, other: Card, *, same: bool) -> None:
    assert (one.may_be(other), other.may_be(one)) == (same, same)

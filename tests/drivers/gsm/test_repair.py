"""What follows which trouble, when it is time for a rest, and that nothing spins; the clock is a number here."""

import inspect
from collections.abc import Callable

import pytest

from drivers import errors
from drivers.errors import (
    CommandFailed,
    CommandTimeout,
    DriverError,
    LineNoisy,
    ModemNotReady,
    ModemParked,
    ModemRestarted,
    NotRegistered,
    PduModeRefused,
    PortBusy,
    PortForbidden,
    PortMissing,
    SettingsLost,
    SimMissing,
    SimNotReady,
    SubmitsUnanswered,
    TransportError,
    TransportLost,
)
from drivers.events import ModemState
from drivers.gsm.ladder import ABSENCES, BY_THE_LINE, LADDER, Pace, RepairPolicy, Rung, Trouble, trouble_of
from drivers.gsm.lookout import Absence
from drivers.gsm.repair import Breaker, Repair, in_words

POLICY = RepairPolicy()
FIRST = 0.5
# Without any rest, to see the rungs alone.
PATIENT = RepairPolicy(strikes=10**9, restarts=10**9)

STRIKING = {Trouble.SILENT, Trouble.PORT_LOST, Trouble.UNANSWERED}

# The ladder read once more, as a person would tell it: what is done at the first, second and every later time.
TOLD: dict[Trouble, tuple[str, ...]] = {
    Trouble.SILENT: ("re-initialise", "reset", "reset"),
    Trouble.UNANSWERED: ("reset", "reset", "reset"),
    Trouble.PORT_LOST: ("reopen", "reopen", "reopen"),
    Trouble.PORT_MISSING: ("look again", "look again", "look again"),
    Trouble.PORT_FORBIDDEN: ("look again", "look again", "look again"),
    Trouble.PORT_BUSY: ("look again", "look again", "look again"),
    Trouble.PORT_UNUSABLE: ("look again", "look again", "look again"),
    Trouble.NOISE: ("reopen", "reopen", "reopen"),
    Trouble.RESTARTED: ("re-initialise", "reopen", "reopen"),
    Trouble.SETTINGS_LOST: ("re-initialise", "reset", "reset"),
    Trouble.PDU_MODE_REFUSED: ("re-initialise", "reset", "reset"),
    Trouble.SIM_NOT_READY: ("re-initialise", "cycle the radio", "reset"),
    Trouble.SIM_MISSING: ("re-initialise", "cycle the radio", "cycle the radio"),
    Trouble.NOT_REGISTERED: ("cycle the radio", "cycle the radio", "reset"),
    Trouble.NOT_READY: ("re-initialise", "reset", "reset"),
    Trouble.INTERNAL: ("reopen", "reopen", "reopen"),
    Trouble.HELPLESS: ("park", "park", "park"),
}


def test_the_table_has_a_row_for_each_trouble() -> None:
    assert set(LADDER) == set(Trouble) == set(TOLD)


@pytest.mark.parametrize("trouble", Trouble)
def test_each_row_is_climbed_to_its_end_and_no_further(trouble: Trouble) -> None:
    repair = Repair(PATIENT, FIRST)
    assert tuple(repair.after(trouble, float(now)).rung.value for now in range(3)) == TOLD[trouble]
    assert repair.after(trouble, 3.0).rung is LADDER[trouble].rungs[-1]


@pytest.mark.parametrize("trouble", Trouble)
def test_the_rungs_of_a_row_only_grow(trouble: Trouble) -> None:
    order = list(Rung)
    climbed = [order.index(rung) for rung in LADDER[trouble].rungs]
    assert climbed == sorted(climbed)
    assert LADDER[trouble].advice


def test_what_the_line_does_by_itself_is_not_done_again() -> None:
    assert LADDER[Trouble.SILENT].rungs[0] in BY_THE_LINE
    assert Repair(POLICY, FIRST).after(Trouble.SILENT, 0.0).rung not in BY_THE_LINE


def test_only_silence_and_loss_are_worth_anything_to_the_breaker() -> None:
    assert {trouble for trouble, row in LADDER.items() if row.strikes} == STRIKING


def test_states_that_are_shown() -> None:
    assert {trouble for trouble, row in LADDER.items() if row.shown is ModemState.ABSENT} == ABSENCES
    assert {trouble for trouble, row in LADDER.items() if row.shown is ModemState.PARKED} == {Trouble.HELPLESS}
    others = set(Trouble) - ABSENCES - {Trouble.HELPLESS}
    assert {LADDER[trouble].shown for trouble in others} == {ModemState.REPAIRING}


def test_each_trouble_climbs_its_own_ladder() -> None:
    repair = Repair(PATIENT, FIRST)
    told = (Trouble.SIM_NOT_READY, Trouble.SETTINGS_LOST, Trouble.SIM_NOT_READY, Trouble.SETTINGS_LOST)
    rungs = [repair.after(trouble, 0.0).rung for trouble in told]
    assert rungs == [Rung.REINITIALISE, Rung.REINITIALISE, Rung.CYCLE_RADIO, Rung.RESET]


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (CommandTimeout("AT"), Trouble.SILENT),
        (SubmitsUnanswered("3 submits"), Trouble.UNANSWERED),
        (TransportLost("gone"), Trouble.PORT_LOST),
        (PortMissing("none"), Trouble.PORT_MISSING),
        (PortForbidden("no"), Trouble.PORT_FORBIDDEN),
        (PortBusy("held"), Trouble.PORT_BUSY),
        (TransportError("no serial device"), Trouble.PORT_UNUSABLE),
        (LineNoisy("noise"), Trouble.NOISE),
        (ModemRestarted("RDY"), Trouble.RESTARTED),
        (SettingsLost("echo"), Trouble.SETTINGS_LOST),
        (PduModeRefused("text"), Trouble.PDU_MODE_REFUSED),
        (SimNotReady("busy"), Trouble.SIM_NOT_READY),
        (SimMissing("none"), Trouble.SIM_MISSING),
        (NotRegistered("searching"), Trouble.NOT_REGISTERED),
        (ModemNotReady("not usable"), Trouble.NOT_READY),
        (CommandFailed("AT+CNMI", "ERROR"), Trouble.NOT_READY),
        (ModemParked("PUK"), Trouble.HELPLESS),
        (ZeroDivisionError(), Trouble.INTERNAL),
        (OSError(5, "of the system's"), Trouble.INTERNAL),
    ],
)
def test_which_trouble_an_error_is(error: Exception, trouble: Trouble) -> None:
    assert trouble_of(error) is trouble


def test_no_error_on_purpose_is_taken_for_a_mistake_of_ours() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DriverError)]
    assert len(kinds) > 15
    for kind in kinds:
        # Whatever it is made of: only its class counts.
        assert trouble_of(kind.__new__(kind)) is not Trouble.INTERNAL


# --- pauses


@pytest.mark.parametrize(
    ("pace", "pauses"),
    [
        (Pace.LOOK, [1, 1, 1, 1, 1]),
        (Pace.HELD, [0.5, 1, 2, 3, 3]),
        (Pace.MEND, [0.5, 1, 2, 4, 8, 16, 30, 30]),
        (Pace.PERSON, [0.5, 5, 10, 20, 40, 60, 60]),
        (Pace.NETWORK, [300, 600, 1200, 2400, 3600, 3600]),
    ],
)
def test_pauses_grow_to_their_limit(pace: Pace, pauses: list[float]) -> None:
    assert [POLICY.pause(pace, FIRST, before) for before in range(len(pauses))] == pauses
    assert POLICY.pause(pace, FIRST, 10**6) == pauses[-1]


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.75), (0.5, 1.0), (1.0, 1.25)])
def test_chance_spreads_them(chance: float, factor: float) -> None:
    assert Repair(POLICY, FIRST).after(Trouble.NOISE, 0.0, chance).pause == FIRST * factor


def test_a_missing_device_is_looked_for_at_least_every_two_seconds() -> None:
    repair = Repair(POLICY, FIRST)
    assert max(repair.after(Trouble.PORT_MISSING, float(now), 1.0).pause for now in range(1000)) <= 2


def test_a_modem_that_was_reset_has_time_to_start() -> None:
    repair = Repair(POLICY, FIRST)
    repair.after(Trouble.SETTINGS_LOST, 0.0)
    step = repair.after(Trouble.SETTINGS_LOST, 1.0)
    assert (step.rung, step.pause) == (Rung.RESET, POLICY.after_reset)


# --- the breaker: three in a row


def strikes(repair: Repair, *troubles: Trouble) -> list[bool]:
    """Whether each of them, a second apart, was followed by a rest."""
    return [repair.after(trouble, float(now)).rung is Rung.REST for now, trouble in enumerate(troubles)]


@pytest.mark.parametrize("trouble", [Trouble.SILENT, Trouble.PORT_LOST])
def test_the_third_in_a_row_trips(trouble: Trouble) -> None:
    assert strikes(Repair(POLICY, FIRST), trouble, trouble, trouble) == [False, False, True]


def test_silence_and_loss_count_together() -> None:
    repair = Repair(POLICY, FIRST)
    assert strikes(repair, Trouble.SILENT, Trouble.PORT_LOST, Trouble.SILENT) == [False, False, True]
    assert repair.breaker == Breaker(silences=2, losses=1, rests=1)


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - STRIKING - {Trouble.PORT_MISSING}))
def test_no_other_trouble_counts_or_ends_the_row(trouble: Trouble) -> None:
    among = strikes(Repair(POLICY, FIRST), Trouble.SILENT, trouble, trouble, Trouble.SILENT, trouble, Trouble.SILENT)
    assert among == [False] * 5 + [True]
    assert strikes(Repair(POLICY, FIRST), *[trouble] * POLICY.restarts) == [False] * POLICY.restarts


def of_submit(repair: Repair) -> None:
    repair.answered()


def of_calm(repair: Repair) -> None:
    repair.calmed(100.0)


def of_operator(repair: Repair) -> None:
    repair.begin_anew()


@pytest.mark.parametrize("success", [of_submit, of_calm, of_operator])
def test_a_success_ends_the_row(success: Callable[[Repair], None]) -> None:
    repair = Repair(POLICY, FIRST)
    assert not any(strikes(repair, Trouble.SILENT, Trouble.SILENT))
    success(repair)
    assert strikes(repair, Trouble.SILENT, Trouble.SILENT, Trouble.SILENT) == [False, False, True]


def test_rests_double_to_their_limit_and_one_more_is_enough() -> None:
    repair, seconds = Repair(POLICY, FIRST), []
    for now in range(10):
        step = repair.after(Trouble.SILENT, now * 1000.0)
        if step.rung is Rung.REST:
            seconds.append(step.pause)
    assert seconds == [30, 60, 120, 240, 480, 600, 600, 600]
    repair.answered()
    assert [repair.after(Trouble.SILENT, 1e6 + now).pause for now in range(3)][-1] == 30


def test_a_rest_after_silence_is_preceded_by_a_reset_and_ends_when_somebody_acts() -> None:
    repair = Repair(POLICY, FIRST)
    step = [repair.after(Trouble.SILENT, float(now)) for now in range(3)][-1]
    assert (step.rung, step.also, step.watched, step.wobbly) == (Rung.REST, Rung.RESET, True, False)
    assert step.reason == "resting 30 s after 3 silences in a row; the port is open and nothing answers"


def test_a_rest_after_losses_is_cut_short_by_nothing_but_a_port_that_was_away() -> None:
    repair = Repair(POLICY, FIRST)
    step = [repair.after(Trouble.PORT_LOST, float(now)) for now in range(3)][-1]
    assert (step.rung, step.also, step.watched, step.wobbly) == (Rung.REST, None, True, True)
    assert step.reason == "resting 30 s after 3 losses of the port in a row"


MISSING = PortMissing("it is not there")


def test_a_wobbly_port_is_away_when_two_looks_in_a_row_do_not_find_it() -> None:
    absence = Absence(wobbly=True)
    assert not absence.ended()
    absence.began(0.0)
    assert not absence.ended()  # gone for less than a look: the plug is loose
    absence.began(5.0)
    absence.missed(6.0, MISSING, 1.0)
    assert absence.ended()


def test_a_port_that_is_missing_when_the_rest_begins_was_away_when_it_is_found_a_look_later() -> None:
    absence = Absence(wobbly=True)
    absence.missed(0.0, MISSING, 1.0)
    assert not absence._away
    absence.missed(1.0, MISSING, 1.0)
    assert absence.ended()
    busy = Absence(wobbly=True)
    for now in range(5):
        busy.missed(float(now), PortBusy("another program has it"), 1.0)
    assert not busy.ended()


def test_who_cuts_the_power_of_a_silent_modem_begins_anew() -> None:
    repair = Repair(POLICY, FIRST)
    assert strikes(repair, Trouble.SILENT, Trouble.PORT_MISSING) == [False, False]
    assert strikes(repair, Trouble.SILENT, Trouble.SILENT, Trouble.SILENT) == [False, False, True]


def test_a_port_that_vanishes_by_our_reset_is_nobodys_act() -> None:
    repair = Repair(POLICY, FIRST)
    assert [repair.after(Trouble.SILENT, float(now)).rung for now in range(2)] == [Rung.REINITIALISE, Rung.RESET]
    assert strikes(repair, Trouble.PORT_MISSING, Trouble.PORT_MISSING, Trouble.SILENT) == [False, False, True]


def test_losses_are_not_forgiven_because_the_port_is_back() -> None:
    repair = Repair(POLICY, FIRST)
    flapping = [Trouble.PORT_LOST, Trouble.PORT_MISSING] * 2
    assert strikes(repair, *flapping, Trouble.PORT_LOST) == [False] * 4 + [True]


# --- submits without answer


def test_three_unanswered_submits_within_ten_minutes_are_trouble() -> None:
    repair = Repair(POLICY, FIRST)
    assert [repair.unanswered(now) for now in (0.0, 120.0, 599.0)] == [0, 0, 3]
    step = repair.after(Trouble.UNANSWERED, 599.0)
    assert (step.rung, step.also, step.pause) == (Rung.REST, Rung.RESET, 30)


def test_those_of_more_than_ten_minutes_ago_are_forgotten() -> None:
    repair = Repair(POLICY, FIRST)
    assert [repair.unanswered(now) for now in (0.0, 120.0, 600.0)] == [0, 0, 0]


@pytest.mark.parametrize("answer", [Repair.answered, Repair.heard])
def test_any_final_result_ends_their_row(answer: Callable[[Repair], None]) -> None:
    repair = Repair(POLICY, FIRST)
    assert [repair.unanswered(now) for now in (0.0, 1.0)] == [0, 0]
    answer(repair)
    assert [repair.unanswered(now) for now in (2.0, 3.0, 4.0)] == [0, 0, 3]


def test_that_it_answers_at_is_no_success_while_its_submits_are_unanswered() -> None:
    repair = Repair(POLICY, FIRST)
    for now in (0.0, 1.0, 2.0):
        repair.unanswered(now)
    assert repair.after(Trouble.UNANSWERED, 2.0).pause == 30
    repair.calmed(50.0)
    # One is enough now, and the rest is the longer one.
    assert repair.unanswered(100.0) == 4
    assert repair.after(Trouble.UNANSWERED, 100.0).pause == 60
    repair.answered()
    assert repair.unanswered(101.0) == 0


# --- the limit on restarts


def test_more_than_ten_repairs_in_five_minutes_are_followed_by_a_rest() -> None:
    repair = Repair(POLICY, FIRST)
    steps = [repair.after(Trouble.RESTARTED, now * 29.0) for now in range(11)]
    assert [step.rung is Rung.REST for step in steps] == [False] * 10 + [True]
    assert steps[-1].reason == "resting 30 s after 11 repairs within 5 min"
    assert not steps[-1].watched


def test_ten_in_more_than_five_minutes_are_not() -> None:
    repair = Repair(POLICY, FIRST)
    assert not any(repair.after(Trouble.RESTARTED, now * 31.0).rung is Rung.REST for now in range(100))


@pytest.mark.parametrize("trouble", sorted(ABSENCES | {Trouble.NOT_REGISTERED, Trouble.HELPLESS}))
def test_what_costs_nothing_is_not_counted(trouble: Trouble) -> None:
    assert not any(strikes(Repair(POLICY, FIRST), *[trouble] * 1000))


@pytest.mark.parametrize("trouble", sorted(set(Trouble) - {Trouble.PORT_MISSING, Trouble.HELPLESS}))
def test_no_trouble_makes_it_spin(trouble: Trouble, tell: Callable[[str], None]) -> None:
    """Each repair fails at once, a day long; what is spent on it is bounded, and least in the long run."""
    repair, now, instants = Repair(POLICY, FIRST), 0.0, []
    while now < 86_400:
        if trouble is Trouble.NOT_REGISTERED:
            now += repair.patience()
        now += repair.after(trouble, now, 0.0).pause + 0.001
        instants.append(now)
    busiest = max(sum(start <= instant < start + 300 for instant in instants) for start in instants[:200])
    tell(f"L06: {trouble}: at most {busiest} repairs in 5 minutes, {len(instants)} in a day of failing at once")
    assert busiest <= (150 if trouble in ABSENCES else 15)
    assert len(instants) < (40_000 if trouble in ABSENCES else 2000)


@pytest.mark.parametrize(
    ("seconds", "told"), [(30, "30 s"), (60, "60 s"), (0.4, "0.4 s"), (120, "2 min"), (150, "150 s")]
)
def test_spans_as_people_say_them(seconds: float, told: str) -> None:
    assert in_words(seconds) == told

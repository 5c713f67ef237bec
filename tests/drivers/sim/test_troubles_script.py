"""Troubles by lot: the same seed gives the same ones, each ends by itself, and the ledger stays the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from support.terminal import TPDU, Terminal
from support.waiting import eventually

from drivers.sim import TROUBLES, Happening, TroubleScript, parse_trouble
from drivers.sim.troubles import make_trouble

SHORT = {"mean_seconds": 0.003, "longest": 0.005}


def told(script: TroubleScript) -> list[tuple[str, str, str, str]]:
    return [(one.modem, one.trouble, one.happening, one.note) for one in script.history]


@pytest.fixture
def script() -> Iterator[Callable[..., TroubleScript]]:
    made = []

    def make(*arguments: object, **options: object) -> TroubleScript:
        made.append(TroubleScript(*arguments, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        assert not one._started


async def drawn(script: TroubleScript, terminal: Terminal, count: int) -> list[str]:
    """The first troubles that a script draws for an idle modem."""
    script.start(terminal.modem)

    def begun() -> list[str]:
        return [one.trouble for one in script.history if one.happening is Happening.BEGAN][1:]

    await eventually(lambda: len(begun()) >= count, timeout=20)
    script.stop()
    assert terminal.modem.troubles.on == ()
    return begun()[:count]


async def test_the_same_seed_draws_the_same_troubles(
    terminal_for: Callable[..., Terminal], script: Callable[..., TroubleScript]
):
    first = await drawn(script(7, **SHORT), terminal_for(name="a"), 40)
    for modem in (terminal_for(name="a", number="+33639981002"), terminal_for(name="a", number="+33639981003")):
        assert await drawn(script(7, **SHORT), modem, 40) == first
    assert await drawn(script(8, **SHORT), terminal_for(name="a", number="+33639981004"), 40) != first
    assert await drawn(script(7, **SHORT), terminal_for(name="b", number="+33639981005"), 40) != first
    assert len({words.partition(":")[0] for words in first}) > 10


async def test_what_is_drawn_can_be_made_again(terminal: Terminal, script: Callable[..., TroubleScript]):
    for words in await drawn(script(3, **SHORT), terminal, 100):
        spec = parse_trouble(words)
        assert make_trouble(spec.name, spec.options).words() == words


async def test_each_ends_by_itself(terminal: Terminal, script: Callable[..., TroubleScript]):
    nemesis = script(11, **SHORT)
    await drawn(nemesis, terminal, 30)
    open_ones = set[str]()
    for event in nemesis.history[1:-1]:
        if event.happening is Happening.BEGAN:
            assert not open_ones
            open_ones.add(event.trouble)
        elif event.happening is Happening.ENDED:
            open_ones.remove(event.trouble)


async def test_the_same_dialogue_has_the_same_history(
    terminal_for: Callable[..., Terminal], script: Callable[..., TroubleScript]
):
    weights = {"bare-ok": 1.0, "lies": 2.0, "cms-error": 1.0, "error": 1.0, "silent-submit": 1.0}
    histories = []
    for number in ("+33639981001", "+33639981002"):
        terminal = terminal_for(name="same", number=number)
        nemesis = script(5, weights, mean_commands=3, longest=60)
        nemesis.start(terminal.modem)
        said = [terminal.submit(TPDU) for _ in range(60)]
        left = sum(one.note == "left" for one in nemesis.history)
        not_left = sum(one.note == "not left" for one in nemesis.history)
        assert left
        assert not_left
        assert len(terminal.modem.submissions) == len(said) - not_left
        nemesis.stop()
        histories.append((told(nemesis), said))
    assert histories[0] == histories[1]


async def test_weights_and_their_mistakes(terminal: Terminal, script: Callable[..., TroubleScript]):
    assert set(await drawn(script(1, {"cnmi-reset": 1.0}, **SHORT), terminal, 5)) == {"cnmi-reset"}
    for weights in ({"nothing": 1.0}, {"silence": 0.0}):
        with pytest.raises(ValueError, match="there is no trouble"):
            TroubleScript(1, weights).start(terminal.modem)
    with pytest.raises(ValueError, match="more than 0"):
        terminal.modem.trouble("random", every=0)


async def test_what_a_modem_cannot_have_is_not_drawn(terminal: Terminal, script: Callable[..., TroubleScript]):
    names = await drawn(script(1, {"cnmi-reset": 1.0, "pin-again": 1.0}, **SHORT), terminal, 5)
    assert set(names) == {"cnmi-reset"}
    with pytest.raises(ValueError, match="no trouble to draw"):
        terminal.modem.trouble("random", only=("pin-again",))


async def test_a_script_that_is_stopped_leaves_nothing_behind(terminal: Terminal, script: Callable[..., TroubleScript]):
    tasks, timers = len(asyncio.all_tasks()), _timers()
    nemesis = script(2, **SHORT)
    nemesis.start(terminal.modem)
    await eventually(lambda: len(nemesis.history) > 50)
    nemesis.stop()
    nemesis.stop()
    assert terminal.modem.troubles.on == ()
    assert terminal.modem.troubles._bounds == {}
    assert terminal.modem.troubles.listeners == []
    assert terminal.modem.station.arriving is None
    assert len(asyncio.all_tasks()) == tasks
    assert _timers() == timers
    length = len(nemesis.history)
    terminal.attach()
    terminal.say("\x1b", "ATE0\r", "AT+CMGF=0\r")
    assert terminal.submit(TPDU)[-1] == "OK"
    assert len(nemesis.history) == length


def _timers() -> int:
    """Those that have not been cancelled."""
    return sum(not timer.cancelled() for timer in asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]


async def test_every_trouble_can_be_drawn_and_ended(terminal_for: Callable[..., Terminal]):
    terminal = terminal_for(pin="1234")
    terminal.command('AT+CPIN="1234"')
    for name in TROUBLES:
        trouble = terminal.modem.trouble(name)
        terminal.modem.troubles.end(trouble)
        assert terminal.modem.troubles.on == ()
    assert terminal.modem.plugged

"""How long a part occupies a modem: a mean at first, then slowly what it has become."""

from __future__ import annotations

import pytest

from gateway.measures import Paces


def test_a_modem_that_has_sent_nothing_has_no_pace():
    assert Paces().of("sim1") is None


def test_single_parts_count_until_it_sends_without_a_break():
    paces = Paces()
    paces.add_submit("sim1", 2.9)
    assert paces.of("sim1") == pytest.approx(2.9)
    paces.add_cycle("sim1", 3.1)
    assert paces.of("sim1") == pytest.approx(3.1)
    assert paces.of("sim2") is None


def test_the_first_twenty_are_averaged_and_later_ones_move_it_slowly():
    paces = Paces()
    for at in range(20):
        paces.add_cycle("sim1", 2.0 if at % 2 else 4.0)
    assert paces.of("sim1") == pytest.approx(3.0)
    paces.add_cycle("sim1", 120.0)
    assert paces.of("sim1") == pytest.approx(3.0 + 0.05 * 9.0)
    for _ in range(200):
        paces.add_cycle("sim1", 1.0)
    assert paces.of("sim1") == pytest.approx(1.0, rel=0.01)

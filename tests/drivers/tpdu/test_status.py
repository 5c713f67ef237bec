from __future__ import annotations

import pytest

from drivers.tpdu import StatusOutcome, outcome_of, reason_of

DELIVERED, UNCONFIRMED = StatusOutcome.DELIVERED, StatusOutcome.UNCONFIRMED
TRYING, UNDELIVERED = StatusOutcome.STILL_TRYING, StatusOutcome.UNDELIVERED


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        (range(0x01), DELIVERED),
        (range(0x01, 0x03), UNCONFIRMED),  # not confirmable; replaced
        (range(0x03, 0x10), UNDELIVERED),  # reserved: as "service rejected"
        (range(0x10, 0x20), UNCONFIRMED),  # specific to the service centre
        (range(0x20, 0x26), TRYING),
        (range(0x26, 0x30), UNDELIVERED),
        (range(0x30, 0x40), TRYING),
        (range(0x40, 0x100), UNDELIVERED),
    ],
)
def test_outcomes(values: range, outcome: StatusOutcome):
    assert {outcome_of(value) for value in values} == {outcome}


def test_only_trying_goes_on():
    assert [outcome for outcome in StatusOutcome if not outcome.final] == [TRYING]


def test_reasons():
    assert reason_of(0x46) == "validity period expired"
    assert reason_of(0x10) is None
    assert all(reason_of(value) for value in (*range(3), *range(0x20, 0x26), *range(0x40, 0x4A), *range(0x60, 0x66)))

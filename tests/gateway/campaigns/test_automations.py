"""Events of an application become messages by a rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from support.bench import Bench
from support.campaigning import Campaigner
from support.crowd import Someone, fill

from gateway.campaigns.automation import AutomationRule
from gateway.clock import SECOND_US
from gateway.errors import Conflict, InvalidRequest, NotFound
from gateway.message import Message
from gateway.services.automations import Automations, Occurrence
from gateway.store.schema import message

HOUR_US, DAY_US = 3600 * SECOND_US, 24 * 3600 * SECOND_US
PERSON = "+33639980101"
BEFORE = AutomationRule({"": "See you at {{ hour }}"}, before_us=DAY_US)


@pytest.fixture
def rules(c: Campaigner) -> Automations:
    bench: Bench = c.bench
    return Automations(
        bench.settings,
        bench.store,
        bench.clock,
        intake=bench.intake,
        renderer=c.engine.renderer,
        nudge=lambda _earliest_us=None: None,
    )


async def _told(c: Campaigner, rules: Automations, name: str, **event: Any) -> Message:
    sent, _ = await rules.trigger(c.principal, name, Occurrence(PERSON, **event))
    assert sent is not None
    return sent


async def _statuses(c: Campaigner) -> list[str]:
    return [row.status for row in await c.rows(select(message.c.status).order_by(message.c.id))]


async def test_it_leaves_so_long_before_the_event_and_never_after_it(c: Campaigner, rules: Automations) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    event_us = c.clock.now_us() + 3 * DAY_US
    sent = await _told(c, rules, "reminder", at_us=event_us, variables={"hour": "9"}, reference="a1")
    assert (sent.text, sent.send_us, sent.expires_us) == ("See you at 9", event_us - DAY_US, event_us)
    assert sent.reference == "reminder:a1"


async def test_told_of_again_it_changes_nothing(c: Campaigner, rules: Automations) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    event = {"at_us": c.clock.now_us() + 3 * DAY_US, "variables": {"hour": "9"}, "reference": "a1"}
    first = await _told(c, rules, "reminder", **event)
    assert (await _told(c, rules, "reminder", **event)).id == first.id
    assert await _statuses(c) == ["held"]


async def test_another_time_takes_the_place_of_what_waits_and_back_again(c: Campaigner, rules: Automations) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    one = {"at_us": c.clock.now_us() + 3 * DAY_US, "variables": {"hour": "9"}, "reference": "a1"}
    other = {**one, "at_us": c.clock.now_us() + 4 * DAY_US}
    await _told(c, rules, "reminder", **one)
    await _told(c, rules, "reminder", **other)
    assert await _statuses(c) == ["canceled", "held"]
    back = await _told(c, rules, "reminder", **one)
    assert back.status == "held"
    assert await _statuses(c) == ["canceled", "canceled", "held"]


async def test_told_of_again_once_it_has_left_it_does_not_leave_again(c: Campaigner, rules: Automations) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    await rules.add(c.principal, "shipped", AutomationRule({"": "Parcel {{ hour }}"}, after_us=HOUR_US))
    event = {"variables": {"hour": "9"}, "reference": "a1"}
    soon = {**event, "at_us": c.clock.now_us() + DAY_US + HOUR_US}
    for name, said in (("reminder", soon), ("shipped", event), ("shipped", {**event, "at_us": c.clock.now_us()})):
        first = await _told(c, rules, name, **said)
        c.clock.advance(timedelta(minutes=30))
        assert (await _told(c, rules, name, **said)).id == first.id, "its moment is later by now"
        c.clock.advance(timedelta(hours=1))
        await c.bench.upkeep()
        await c.bench.send_all()
        again = await _told(c, rules, name, **said)
        assert (again.id, again.status) == (first.id, "sent"), "its moment is over"
    # Neither does another rule make another event of it.
    await rules.put(c.principal, "shipped", AutomationRule({"": "It left"}))
    assert (await _told(c, rules, "shipped", **event)).text == "Parcel 9"
    assert len(await _statuses(c)) == 3


async def test_back_at_the_time_that_was_told_already_nothing_waits_for_the_other(
    c: Campaigner, rules: Automations
) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    event = {"at_us": c.clock.now_us() + HOUR_US, "variables": {"hour": "9"}, "reference": "a1"}
    first = await _told(c, rules, "reminder", **event)
    await c.bench.send_all()
    await _told(c, rules, "reminder", **{**event, "at_us": c.clock.now_us() + 5 * DAY_US})
    assert await _statuses(c) == ["sent", "held"]
    assert (await _told(c, rules, "reminder", **event)).id == first.id
    assert await _statuses(c) == ["sent", "canceled"]


async def test_an_event_that_is_called_off_cancels_what_waits(c: Campaigner, rules: Automations) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    event = {"at_us": c.clock.now_us() + 3 * DAY_US, "variables": {"hour": "9"}, "reference": "a1"}
    await _told(c, rules, "reminder", **event)
    off = Occurrence(PERSON, reference="a1", canceled=True)
    assert await rules.trigger(c.principal, "reminder", off) == (None, 1)
    assert await rules.trigger(c.principal, "reminder", off) == (None, 0)
    assert await _statuses(c) == ["canceled"]
    assert (await _told(c, rules, "reminder", **event)).status == "held", "it takes place after all"


async def test_the_day_before_at_an_hour_where_the_person_is(c: Campaigner, rules: Automations) -> None:
    await fill(c.bench.store, [Someone(number=PERSON, timezone="Indian/Reunion")])
    await rules.add(c.principal, "evening", AutomationRule({"": "Tomorrow"}, days_before=1, at="18:00"))
    # The clock stands at 10:00 UTC; La Réunion is four hours ahead all year.
    event_us = c.clock.now_us() + 3 * DAY_US
    sent = await _told(c, rules, "evening", at_us=event_us)
    assert sent.send_us == event_us - DAY_US + 4 * HOUR_US


async def test_too_late_for_the_moment_it_leaves_at_once(c: Campaigner, rules: Automations) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    sent = await _told(c, rules, "reminder", at_us=c.clock.now_us() + HOUR_US, variables={"hour": "11"})
    assert (sent.status, sent.send_us) == ("queued", None)


async def test_what_is_wrong_is_told_and_nothing_is_sent(c: Campaigner, rules: Automations) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    future_us = c.clock.now_us() + 3 * DAY_US
    for event, code, pointer in (
        (Occurrence(PERSON, future_us), "template_variable_missing", "/variables"),
        (Occurrence(PERSON, variables={"hour": "9"}), "at_missing", "/at"),
        (Occurrence(PERSON, c.clock.now_us() - 1, {"hour": "9"}), "about_at_invalid", "/at"),
        (Occurrence("nobody", future_us, {"hour": "9"}), "number_invalid", "/to"),
        (Occurrence(PERSON, canceled=True), "reference_missing", "/reference"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            await rules.trigger(c.principal, "reminder", event)
        assert (refused.value.code, refused.value.errors[0].pointer) == (code, pointer)
    with pytest.raises(NotFound):
        await rules.trigger(c.principal, "none", Occurrence(PERSON))
    assert await _statuses(c) == []


@pytest.mark.parametrize(
    "rule",
    [
        AutomationRule(),
        AutomationRule({"": "x"}, template="y"),
        AutomationRule({"": "x"}, after_us=1, before_us=1),
        AutomationRule({"": "x"}, days_before=1),
        AutomationRule({"": "x"}, at="18:00"),
        AutomationRule({"": "x"}, days_before=1, at="25:00"),
        AutomationRule({"": "{{ x"}),
        AutomationRule({"": "x"}, category="none"),
    ],
)
async def test_a_rule_that_can_be_none_is_refused(c: Campaigner, rules: Automations, rule: AutomationRule) -> None:
    with pytest.raises(InvalidRequest):
        await rules.add(c.principal, "wrong", rule)
    assert await rules.list() == []


async def test_rules_are_made_changed_and_forgotten(c: Campaigner, rules: Automations) -> None:
    await rules.add(c.principal, "reminder", BEFORE)
    with pytest.raises(Conflict):
        await rules.add(c.principal, "reminder", BEFORE)
    other = AutomationRule({"": "x"}, after_us=SECOND_US)
    assert (await rules.put(c.principal, "reminder", other)).rule == other
    await rules.put(c.principal, "another", BEFORE)
    assert [each.name for each in await rules.list()] == ["another", "reminder"]
    await rules.remove(c.principal, "reminder")
    with pytest.raises(NotFound):
        await rules.get("reminder")

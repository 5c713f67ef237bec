"""D17: two hundred messages to one person at one moment where three may leave: on one host, and on two."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.fronts import Fronts, one_front, two_fronts
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339

PERSON = "+33639980142"
COUNT, CAP = 200, 3
MINUTE_US = 60 * SECOND_US
_CAPPED = 'consent = "none"\nstoppable = false\n'
#: Where the cap stands, and the categories that the messages are of in turn.
OWN = f'[categories.news]\ncaps = ["{CAP}/24h"]\n{_CAPPED}on_cap = "%s"\n'
TOGETHER = (
    f'[recipients]\ncaps = ["{CAP}/24h"]\nover = ["news", "offers"]\n'
    f'[categories.news]\n{_CAPPED}on_cap = "%s"\n[categories.offers]\n{_CAPPED}on_cap = "%s"\n'
)
CAPS = {"own": (OWN, ("news",)), "together": (TOGETHER, ("news", "offers"))}


@pytest.fixture(params=["one host", "two hosts"])
def making(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], AbstractAsyncContextManager[Fronts]]:
    if request.param == "one host":
        return partial(one_front, tmp_path)
    return partial(two_fronts, tmp_path, request.getfixturevalue("postgresql_database"))


async def _ask(fronts: Fronts, at: int, category: str) -> tuple[int, Any, str | None]:
    """One message at one of the hosts: the status of the answer, its document, and when to come again."""
    client = fronts.clients[at % len(fronts.clients)]
    body = {"to": PERSON, "text": f"number {at}", "category": category}
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.post(f"{client.url}/v1/messages", json=body, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers.get("Retry-After")


async def _all_at_once(fronts: Fronts, categories: tuple[str, ...]) -> list[tuple[int, Any, str | None]]:
    asked = [_ask(fronts, at, categories[at // 2 % len(categories)]) for at in range(COUNT)]
    return await asyncio.gather(*asked)


def _counted(fronts: Fronts) -> Counter[tuple[Any, ...]]:
    rows = fronts.rows(
        "SELECT CASE WHEN status IN ('sent', 'delivered') THEN 'left' ELSE status END, error_code, hold_rule "
        "FROM message"
    )
    return Counter(tuple(row) for row in rows)


@pytest.mark.parametrize("where", list(CAPS))
async def test_d17_refused_beyond_the_cap(
    making: Callable[[str], AbstractAsyncContextManager[Fronts]], where: str, tell: Callable[[str], None]
) -> None:
    config, categories = CAPS[where]
    async with making(config.replace("%s", "refuse")) as fronts:
        answers = await _all_at_once(fronts, categories)
        # Whoever comes once it is known to be full is told so.
        late = [await _ask(fronts, at, categories[0]) for at in range(2 * len(fronts.clients))]
        await fronts.drained()
        late += [await _ask(fronts, at, categories[-1]) for at in range(2 * len(fronts.clients))]
        counted, hosts = _counted(fronts), len(fronts.clients)
        texts = fronts.texts()
        answers += late
    refused = [answer for answer in answers if answer[0] == 429]
    assert {status for status, _, _ in answers} == {202, 429}
    assert {problem["code"] for _, problem, _ in refused} == {"cap"}
    assert all(86_000 < int(after or 0) <= 86_460 for _, _, after in refused)
    # The last of them came when all three had left.
    assert [status for status, _, _ in late[-2:]] == [429, 429]
    failed = counted["failed", "cap", None]
    tell(
        f"D17: {hosts} host(s), {where}, refuse: {len(answers)} messages, cap {CAP}: {len(texts)} left, "
        f"{len(refused)} refused at the door, {failed} failed at the gate"
    )
    assert len(texts) == len(set(texts)) == CAP
    assert counted == {("left", None, None): CAP, ("failed", "cap", None): failed}
    assert failed == len(answers) - len(refused) - CAP


@pytest.mark.parametrize("where", list(CAPS))
async def test_d17_held_beyond_the_cap(
    making: Callable[[str], AbstractAsyncContextManager[Fronts]], where: str, tell: Callable[[str], None]
) -> None:
    config, categories = CAPS[where]
    async with making(config.replace("%s", "defer")) as fronts:
        answers = await _all_at_once(fronts, categories)
        assert {status for status, _, _ in answers} == {202}
        await fronts.drained("'queued', 'sending'")
        held = COUNT - CAP
        await eventually(lambda: _counted(fronts)["held", None, "cap"] == held, 30, "everything else held")
        counted, texts, hosts = _counted(fronts), fronts.texts(), len(fronts.clients)
        (began,) = fronts.rows("SELECT min(begun_us) FROM message")
        whole_us = -(-(began[0] + 86_400 * SECOND_US) // MINUTE_US) * MINUTE_US
        untils = fronts.rows("SELECT DISTINCT hold_until_us, due_us FROM message WHERE status = 'held'")
        client = fronts.clients[-1]
        (shown,) = (await client.ok("GET", "/v1/messages", status="held", limit="1"))["items"]
    tell(
        f"D17: {hosts} host(s), {where}, defer: {COUNT} messages, cap {CAP}: {len(texts)} left, {held} held by the cap"
    )
    assert len(texts) == len(set(texts)) == CAP
    assert counted == {("left", None, None): CAP, ("held", None, "cap"): held}
    # Of three that left one after the other the first makes room; by then some were held that saw no more than it.
    assert {until for until, _ in untils} == {whole_us}
    assert untils == [(whole_us, whole_us)]
    assert (shown["hold"]["rule"], shown["hold"]["until"]) == ("cap", rfc3339(whole_us))

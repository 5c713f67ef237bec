"""Receivers are told what happened, in order, again and again, and none of them slows another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks import Webhook
from support.clock import ManualClock
from support.long_run import hours_asked_for
from support.place import Place
from support.receiving import ADMIN, Receiver, Telling, receiver, telling
from support.waiting import eventually

from gateway.clock import SECOND_US, SystemClock
from gateway.notify import schedule, signature
from gateway.notify.callbacks import Request
from gateway.notify.courier import Answer, Courier
from gateway.notify.reach import Reach, Resolver, anywhere_but
from gateway.store.database import Store

Tell = Callable[[str], None]
#: All that a clinic sends in such a time and more, where there is time for it.
MANY = 6_000 if hours_asked_for() is None else 100_000
#: So many looks without anything new, and nothing is on its way.
LOOKS = 20
ON_SQLITE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
async def told() -> AsyncIterator[Receiver]:
    async with receiver() as played:
        yield played


async def _settled(rig: Telling) -> bool:
    """Whether what was answered is written down."""
    return (await rig.left())["waiting"] == 0


@ON_SQLITE
async def test_an_endpoint_is_told_of_what_it_wants_from_its_creation_on(
    store: Store, clock: ManualClock, told: Receiver, tmp_path: Path
):
    async with telling(store, clock, tmp_path) as rig:
        await rig.happen("before")
        await rig.endpoint(told.url + "/hook", "queue.*")
        await rig.happen("one", kind="modem.up")
        await rig.happen("two", "three", "two")
        await rig.until(lambda: len(told.told) == 3)
        assert [each.document["data"]["detail"] for each in told.told if "two" in str(each.document)] == ["two", "two"]
        assert {each.document["type"] for each in told.told} == {"queue.paused"}
        assert {each.headers["Content-Type"] for each in told.told} == {"application/json"}
        assert len({each.headers["webhook-id"] for each in told.told}) == 3
        await rig.until(lambda: _settled(rig))
    assert await rig.left() == {"waiting": 0, "dead": 0}


@ON_SQLITE
async def test_w01_signatures_are_those_of_standard_webhooks(store: Store, told: Receiver, tmp_path: Path, tell: Tell):
    async with telling(store, SystemClock(), tmp_path) as rig:
        endpoint, old = await rig.endpoint(told.url)
        _, new = await rig.webhooks.rotate(ADMIN, endpoint.id)
        await rig.happen("one")
        await rig.until(lambda: told.told)
    request = told.told[0]
    verified = sum(bool(Webhook(secret).verify(request.body, request.headers)) for secret in (old, new))
    tell(f"W01: verified by the reference library with {verified} of 2 secrets while one is changed for the other")
    assert (verified, old != new, request.headers["webhook-signature"].count("v1,")) == (2, True, 2)
    day_us = 24 * 3600 * SECOND_US
    in_force = [
        signature.written(each) for each in signature.endpoint_secrets(store.fingerprint, endpoint.id, 2, 0, day_us)
    ]
    assert in_force == [new]


def test_w02_the_schedule_is_the_documented_one(tell: Tell):
    tries = range(1, 12)
    waits = [schedule.next_us(each, 0) for each in tries]
    shortest_h = sum(schedule.DELAYS_S) / 3600
    tell(f"W02: ten tries over {shortest_h:.1f} h at least, then the list of what was given up")
    assert waits[9:] == [None, None]
    for delay_s, wait_us in zip(schedule.DELAYS_S, waits, strict=False):
        assert wait_us is not None
        assert delay_s <= wait_us / SECOND_US <= delay_s * 1.1
    asked = schedule.next_us(1, 0, 120)
    assert (asked, shortest_h > 75) == (120 * SECOND_US, True)
    assert (schedule.next_us(1, 0, 10**9) or 0) <= 24 * 3600 * SECOND_US


async def test_w02_what_receivers_do_costs_little(told: Receiver, tell: Tell):
    clock = SystemClock()
    courier = Courier(Reach(anywhere_but(()), Resolver(clock)), clock, answer_s=0.5)

    async def reset(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    sent = 0

    async def huge(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 100 << 20:
            await response.write(bytes(1 << 16))
            sent += 1 << 16
        return response

    async def redirect(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async def come(answer: object) -> Answer:
        told.answer = answer  # type: ignore[assignment]
        return await courier.send(Request(told.url, body=b"{}"))

    found = [(await come(each)).word for each in (reset, silent, huge, redirect)]
    told.refuse(429, Retry_After="120")
    limited = await courier.send(Request(told.url))
    nobody = await courier.send(Request("http://127.0.0.1:1/"))
    await courier.close()
    tell(f"W02: reset, silence, 100 MB, redirect: {', '.join(found)}; {sent >> 20} MB of 100 were sent")
    assert found == ["broken", "timeout", "200", "302"]
    assert "/elsewhere" not in {each.path for each in told.asked}
    assert sent < 16 << 20
    assert (limited.word, limited.retry_after_s, nobody.word) == ("429", 120, "refused")


async def test_w02_an_answer_in_drops_is_cut_off(tell: Tell):
    async def forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(forever, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    clock = SystemClock()
    courier = Courier(Reach(anywhere_but(()), Resolver(clock)), clock, answer_s=0.3)
    began = time.monotonic()
    answer = await courier.send(Request(f"http://127.0.0.1:{port}/"))
    took_s = time.monotonic() - began
    await courier.close()
    await ended.wait()
    server.close()
    tell(f"W02: a header that does not end: {answer.word} after {took_s:.1f} s")
    assert answer.word == "timeout"


@ON_SQLITE
async def test_a_clock_that_is_set_back_loses_nothing(store: Store, clock: ManualClock, told: Receiver, tmp_path: Path):
    async with telling(store, clock, tmp_path) as rig:
        await rig.happen("before")
        endpoint, _ = await rig.endpoint(told.url)
        clock.set_wall(clock.now_us() - 600 * SECOND_US)
        await rig.happen("one")
        await rig.until(lambda: told.told)
        await rig.webhooks.change(ADMIN, endpoint.id, disabled=True)
        await rig.happen("unseen")
        await rig.webhooks.change(ADMIN, endpoint.id, disabled=False)
        clock.set_wall(clock.now_us() - 600 * SECOND_US)
        await rig.happen("two")
        await rig.until(lambda: len(told.told) == 2)
    assert [each.document["data"]["detail"] for each in told.told] == ["one", "two"]


async def test_one_that_is_refused_delays_no_other(store: Store, clock: ManualClock, told: Receiver, tmp_path: Path):
    async def choosy(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500 if "poison" in await request.text() else 200)

    told.answer = choosy
    async with telling(store, clock, tmp_path) as rig:
        await rig.endpoint(told.url)
        await rig.happen("poison", *(f"m{at}" for at in range(20)))
        begun_us = clock.now_us()
        await rig.until(lambda: len(told.told) == 20)
        assert clock.now_us() - begun_us < 60 * SECOND_US


async def test_an_earlier_event_of_a_message_is_told_before_a_later_one(
    store: Store, clock: ManualClock, told: Receiver, tmp_path: Path
):
    async with telling(store, clock, tmp_path) as rig:
        await rig.endpoint(told.url)
        told.refuse(500)
        await rig.happen("a", detail="a1")
        await rig.until(lambda: told.asked)
        await rig.happen("a", "b", detail="a2")
        await rig.happen("a", detail="a3")
        await rig.until(lambda: len(told.asked) >= 2)
        assert "a2" not in {each.document["data"]["detail"] for each in told.asked[:1]}

        async def well(_: web.Request) -> web.StreamResponse:
            return web.Response()

        told.answer = well
        await rig.until(lambda: len(told.told) == 4, step=timedelta(seconds=2))
    order = [each.document["data"]["detail"] for each in told.told]
    assert order.index("a1") < order.index("a3")
    assert order[-1] == "a3" or order.index("a2") < order.index("a3")


@ON_SQLITE
async def test_a_receiver_that_is_gone_is_disabled_and_owed_until_it_is_enabled(
    store: Store, clock: ManualClock, told: Receiver, tmp_path: Path
):
    async with telling(store, clock, tmp_path) as rig:
        endpoint, _ = await rig.endpoint(told.url)
        told.refuse(410)
        await rig.happen("one")
        await rig.until(lambda: told.asked)

        async def disabled() -> bool:
            return (await rig.webhooks.get(ADMIN, endpoint.id)).disabled_us is not None

        await rig.until(disabled)
        gone = await rig.webhooks.get(ADMIN, endpoint.id)
        assert gone.disabled_reason == "it answered 410 Gone"
        assert await rig.left() == {"waiting": 1, "dead": 0}
        told.answer = Receiver("").answer
        await rig.webhooks.change(ADMIN, endpoint.id, disabled=False)
        await rig.until(lambda: told.told, step=timedelta(seconds=5))


async def test_what_was_given_up_is_listed_and_told_again(
    store: Store, clock: ManualClock, told: Receiver, tmp_path: Path
):
    async with telling(store, clock, tmp_path) as rig:
        endpoint, _ = await rig.endpoint(told.url)
        told.refuse(503)
        await rig.happen("one", "two")
        await rig.until(lambda: len(told.asked) == 20, step=timedelta(minutes=20))

        async def given_up() -> bool:
            return (await rig.left())["dead"] == 2

        await rig.until(given_up)
        page = await rig.webhooks.deliveries(ADMIN, endpoint.id, dead=True, limit=1, cursor=None)
        assert (page.items[0].outcome, page.next is None) == ("503", False)
        told.answer = Receiver("").answer
        assert await rig.webhooks.replay(ADMIN, endpoint.id, ids=None, since_us=None) == 2
        await rig.until(lambda: len(told.told) == 2, step=timedelta(minutes=6))


async def test_nothing_is_owed_to_an_endpoint_that_is_no_more(
    store: Store, clock: ManualClock, told: Receiver, tmp_path: Path
):
    async with telling(store, clock, tmp_path) as rig:
        endpoint, _ = await rig.endpoint(told.url)
        told.refuse(500)
        await rig.happen("one", "two")
        await rig.until(lambda: told.asked)
        await rig.webhooks.remove(ADMIN, endpoint.id)

        async def nothing() -> bool:
            return (await rig.left())["waiting"] == 0

        await rig.until(nothing, step=timedelta(seconds=6))


@ON_SQLITE
async def test_w07_one_dead_endpoint_among_ten_slows_nobody(store: Store, tmp_path: Path, tell: Tell):
    clock = SystemClock()
    late_ms: list[float] = []
    async with AsyncExitStack() as stack:
        alive = [await stack.enter_async_context(receiver()) for _ in range(9)]
        dead = await stack.enter_async_context(receiver())

        async def silent(_: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            return web.Response()

        dead.answer = silent
        rig = await stack.enter_async_context(telling(store, clock, tmp_path))
        for each in (*alive, dead):
            await rig.endpoint(each.url)
        for number in range(10):
            began = time.monotonic()
            await rig.happen(*(f"{number}-{at}" for at in range(5)))
            await rig.until(lambda wanted=(number + 1) * 5: all(len(each.told) == wanted for each in alive))
            late_ms.append((time.monotonic() - began) * 1000)
        assert 1 <= len(dead.asked) <= 4
    tell(f"W07: nine endpoints beside a dead one: 45 told in {sorted(late_ms)[5]:.0f} ms, {max(late_ms):.0f} at most")


async def _down(rig: Telling, clock: ManualClock, told: Receiver, count: int, hours: int) -> tuple[int, float]:
    """So many events while nobody answers for so many hours, then until all are told; how many, and in what time."""
    await rig.endpoint(told.url)
    told.refuse(503)
    for hour in range(hours):
        first, last = count * hour // hours, count * (hour + 1) // hours
        await rig.happen(*(f"m{at // 3}#{at}" for at in range(first, last)))
        for _ in range(12):
            await rig.until(lambda: True, step=timedelta(minutes=5))
    assert told.told == []
    told.answer = Receiver("").answer
    began = time.monotonic()
    await eventually(_when_all_told(clock, told, count), 3000, "all that is owed")
    return len(told.told), time.monotonic() - began


def _when_all_told(clock: ManualClock, told: Receiver, count: int) -> Callable[[], bool]:
    """Time passes only where nobody is told anything: real requests take real time, and telling of very much would else
    last for weeks, after which what is still owed is rightly given up."""
    seen = looks = 0

    def all_told() -> bool:
        nonlocal seen, looks
        looks = looks + 1 if len(told.told) == seen else 0
        seen = len(told.told)
        if looks >= LOOKS:
            looks = 0
            clock.advance(timedelta(seconds=30))
        return seen >= count

    return all_told


@ON_SQLITE
@pytest.mark.parametrize("count", [150, pytest.param(MANY, marks=pytest.mark.long)])
async def test_w03_a_receiver_that_was_down_for_75_hours_loses_nothing(
    place: Place, told: Receiver, tmp_path: Path, tell: Tell, count: int
):
    store, clock = place.open(), ManualClock()
    async with telling(store, clock, tmp_path) as rig:
        found, took_s = await _down(rig, clock, told, count, 75)
        asked = len(told.asked) - found
    await store.close()
    seen: dict[str, list[int]] = {}
    for each in told.told:
        subject, _, number = each.document["data"]["detail"].partition("#")
        seen.setdefault(subject, []).append(int(number))
    lost = count - len({each.headers["webhook-id"] for each in told.told})
    tell(f"W03: down for 75 h, {count} events: {lost} lost, {asked} tries in vain, told in {took_s:.1f} s after that")
    assert lost == 0
    assert all(numbers == sorted(numbers) for numbers in seen.values())

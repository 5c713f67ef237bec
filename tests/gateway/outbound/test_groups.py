"""Many messages at once: all or none, each for itself; and what one message does to another with the same reference."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from support.bench import NUMBER, Bench

from gateway.errors import Conflict, Forbidden, GatewayError, InvalidRequest, StorageFull
from gateway.message import Status
from gateway.requests import Accepted, NewMessage, Submission
from gateway.store import optouts, recipients

OTHER = "+33698765432"


def submission(to: str = NUMBER, text: str = "hello", key: str | None = None, **fields: object) -> Submission:
    return Submission(NewMessage(to, text, **fields), key)  # type: ignore[arg-type]


async def count(bench: Bench, table: str = "message") -> int:
    return await bench.store.read(
        lambda connection: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # type: ignore[return-value]
    )


async def each(bench: Bench, *groups: Sequence[Submission]) -> list[Accepted | GatewayError]:
    async def given() -> AsyncIterator[Sequence[Submission]]:
        for group in groups:
            yield group

    return [one async for result in bench.intake.accept_each(bench.principal, given()) for one in result]


async def test_a_batch_is_accepted_in_its_order(bench: Bench) -> None:
    batch = [submission(f"+336000{number:05d}", f"no {number}") for number in range(600)]
    groups = bench.store.groups
    accepted = await bench.intake.accept_all(bench.principal, batch)
    assert bench.store.groups - groups == 1
    assert [one.status for one in accepted] == [Status.QUEUED] * 600
    assert [one.id for one in accepted] == sorted(one.id for one in accepted)
    for at in (0, 299, 599):
        message = await bench.get(accepted[at].id)
        assert (message.to, message.text) == (batch[at].new.to, batch[at].new.text)
    assert (await count(bench), await count(bench, "recipient"), await count(bench, "event")) == (600, 600, 600)


async def test_people_are_one_row_each(bench: Bench) -> None:
    await bench.intake.accept_all(bench.principal, [submission(to) for to in (NUMBER, OTHER, NUMBER, "06 12 34 56 78")])
    assert (await count(bench), await count(bench, "recipient")) == (4, 2)


async def test_one_bad_message_leaves_nothing_of_a_batch(bench: Bench) -> None:
    batch = [submission(), submission("12ab", "", modem="nope"), submission(), submission(category="nope")]
    with pytest.raises(InvalidRequest) as refused:
        await bench.intake.accept_all(bench.principal, batch)
    pointers = [error.pointer for error in refused.value.errors]
    assert pointers == ["/messages/1/to", "/messages/1/text", "/messages/1/modem", "/messages/3/category"]
    assert refused.value.code == "number_invalid"
    assert (await count(bench), await count(bench, "recipient")) == (0, 0)


async def test_a_category_that_the_token_may_not_use_refuses_the_batch(bench: Bench) -> None:
    object.__setattr__(bench.principal, "categories", ("transactional",))
    with pytest.raises(Forbidden) as refused:
        await bench.intake.accept_all(bench.principal, [submission(), submission(category="emergency")])
    assert [error.pointer for error in refused.value.errors] == ["/messages/1"]
    assert await count(bench) == 0


async def test_lines_are_accepted_each_for_itself(bench: Bench) -> None:
    results = await each(
        bench,
        [submission(), submission("12ab"), submission(key="k")],
        [],
        [submission("12ab")],
        [submission(key="k"), submission(text="other", key="k"), submission(OTHER, key="")],
    )
    assert [type(one) for one in results] == [
        Accepted, InvalidRequest, Accepted, InvalidRequest, Accepted, Conflict, InvalidRequest,
    ]  # fmt: skip
    assert results[2] == results[4]
    assert await count(bench) == 2


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_store_that_refuses_answers_each_line_and_the_next_group_is_tried(bench: Bench) -> None:
    def pages(most: int) -> None:
        return bench.store.write(
            lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {most}").scalar()
        )  # type: ignore[return-value]

    async def groups() -> AsyncIterator[Sequence[Submission]]:
        await pages(1)  # type: ignore[func-returns-value]
        yield [submission(f"+336000{number:05d}", "x" * 1000) for number in range(100)]
        yield []
        await pages(1_000_000)  # type: ignore[func-returns-value]
        yield [submission()]

    results = [one async for result in bench.intake.accept_each(bench.principal, groups()) for one in result]
    assert [type(one) for one in results] == [StorageFull] * 100 + [Accepted]
    assert await count(bench) == 1


async def test_what_was_committed_before_a_break_stays(bench: Bench) -> None:
    async def groups() -> AsyncIterator[Sequence[Submission]]:
        yield [submission(text="one")]
        yield [submission(text="two")]
        raise ConnectionResetError

    async def read_all() -> None:
        async for _ in bench.intake.accept_each(bench.principal, groups()):
            pass

    with pytest.raises(ConnectionResetError):
        await read_all()
    assert await count(bench) == 2


async def test_opt_outs_count_in_a_batch(bench: Bench) -> None:
    lookup, now_us = bench.store.fingerprint(NUMBER), bench.clock.now_us()

    def opt_out(connection: object) -> None:
        person = recipients.ensure(connection, NUMBER, "e164", lookup, now_us)  # type: ignore[arg-type]
        optouts.add(connection, person, "promotional", now_us, source="test")  # type: ignore[arg-type]

    await bench.store.write(opt_out)
    batch = [submission(category="promotional"), submission(), submission(OTHER, category="promotional")]
    accepted = await bench.intake.accept_all(bench.principal, batch)
    assert [one.status for one in accepted] == [Status.SUPPRESSED, Status.QUEUED, Status.QUEUED]


async def test_replaces_cancels_what_waits_under_the_reference(bench: Bench) -> None:
    now_us = bench.clock.now_us()
    held = await bench.accept(reference="r", send_us=now_us + 3_600_000_000)
    queued = await bench.accept(reference="r")
    beside = await bench.accept(reference="s")
    fresh = await bench.accept(reference="r", replaces=True, text="newer")
    words = [(await bench.get(one.id)).status for one in (held, queued, beside, fresh)]
    assert words == [Status.CANCELED, Status.CANCELED, Status.QUEUED, Status.QUEUED]
    assert (await bench.get(held.id)).hold is None


async def test_replaces_leaves_alone_what_has_begun_and_what_others_sent(bench: Bench) -> None:
    begun = await bench.accept(reference="r")
    assert await bench.next() is not None
    theirs = await bench.accept(reference="r", to=OTHER)
    await bench.store.write(
        lambda connection: connection.exec_driver_sql(f"UPDATE message SET token_id = NULL WHERE id = '{theirs.id}'")
    )
    await bench.accept(reference="r", replaces=True)
    assert (await bench.get(begun.id)).status is Status.SENDING
    assert (await bench.get(theirs.id)).status is Status.QUEUED


async def test_replaces_within_one_batch(bench: Bench) -> None:
    batch = [submission(text=f"{number}", reference="r", replaces=True) for number in range(5)]
    accepted = await bench.intake.accept_all(bench.principal, [*batch, submission(text="beside")])
    words = [(await bench.get(one.id)).status for one in accepted]
    assert words == [Status.CANCELED] * 4 + [Status.QUEUED] * 2
    assert [one.status for one in accepted] == words


async def test_replaces_without_a_reference_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await bench.accept(replaces=True)
    assert [error.pointer for error in refused.value.errors] == ["/replaces"]


async def test_replacing_races_with_itself_and_with_sending_and_one_is_left(bench: Bench) -> None:
    await bench.accept(reference="r")

    async def replace(number: int) -> str:
        return (await bench.accept(reference="r", replaces=True, text=f"no {number}")).id

    early, late = [replace(number) for number in range(50)], [replace(number) for number in range(50, 100)]
    marked = (await asyncio.gather(*early, bench.next(), *late))[50]
    assert marked is not None
    words = await bench.store.read(
        lambda connection: connection.exec_driver_sql("SELECT status, count(*) FROM message GROUP BY status").all()
    )
    found = {row[0]: row[1] for row in words}
    assert found == {"sending": 1, "queued": 1, "canceled": 99}

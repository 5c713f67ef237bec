"""Personal codes: read from files, one each, and never too few without a word."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select
from support.bench import Bench
from support.campaigning import Campaigner, campaigner_on

from gateway.campaigns.code_files import codes_of_csv
from gateway.campaigns.link_tracking import LinkTracking
from gateway.errors import InvalidRequest, NotFound
from gateway.services.codes import Codes
from gateway.store.schema import code, recipient

NUMBERS = [f"+3363998{at:04d}" for at in range(300, 307)]
WORDS = "Votre code : {{ code }}"


@pytest.fixture
async def c(bench: Bench) -> AsyncIterator[Campaigner]:
    async with campaigner_on(bench, tracking=LinkTracking(None, bench.clock)) as campaigner:
        yield campaigner


@pytest.fixture
def pools(c: Campaigner) -> Codes:
    return Codes(c.bench.store, c.clock)


@pytest.mark.parametrize(
    ("octets", "words", "twice", "rejected"),
    [
        (b"A1\nB2\n", ["A1", "B2"], 0, []),
        (b"\xef\xbb\xbfcode\r\nA1\r\n\r\nA1\r\n", ["A1"], 1, []),
        (b"name;code\nx;A1\ny;B2\nz\n", ["A1", "B2"], 0, [(4, "code_empty")]),
        (b'"A,1"\n', ["A,1"], 0, []),
        (b"CODE\n" + b"x" * 65 + b"\nok\n", ["ok"], 0, [(2, "code_too_long")]),
        (b"a\x07b\nok\n", ["ok"], 0, [(1, "code_unprintable")]),
        ("é1\n".encode("latin-1"), ["é1"], 0, []),
        (b"", [], 0, []),
    ],
)
def test_files_of_codes(octets: bytes, words: list[str], twice: int, rejected: list[tuple[int, str]]) -> None:
    read = codes_of_csv(octets)
    assert (list(read.words), read.twice) == (words, twice)
    assert [(each.line, each.code) for each in read.rejected] == rejected


async def test_a_pool_is_filled_and_counted(c: Campaigner, pools: Codes) -> None:
    added = await pools.add_csv(c.principal, "spring", b"code\n" + b"\n".join(b"S%d" % at for at in range(2500)))
    assert (added.added, added.known, added.pool.total, added.pool.left) == (2500, 0, 2500, 2500)
    again = await pools.add_list(c.principal, "spring", ["S1", "S9999", "S9999"])
    assert (again.added, again.known, again.pool.total) == (1, 2, 2501)
    await pools.add_list(c.principal, "autumn", ["S1"])
    page = await pools.list(limit=1, cursor=None)
    assert [each.name for each in page.items] == ["autumn"]
    assert [each.name for each in (await pools.list(limit=1, cursor=page.next)).items] == ["spring"]
    with pytest.raises(NotFound):
        await pools.get("winter")


@pytest.mark.parametrize(("name", "words"), [("Spring!", ["a"]), ("spring", []), ("spring", ["", " "])])
async def test_what_is_no_pool_is_refused(c: Campaigner, pools: Codes, name: str, words: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        await pools.add_list(c.principal, name, words)
    assert (await pools.list(limit=10, cursor=None)).items == []


async def test_each_person_has_one_of_their_own(c: Campaigner, pools: Codes) -> None:
    await pools.add_list(c.principal, "spring", [f"S{at}" for at in range(10)])
    campaign = await c.started(*NUMBERS, words=WORDS, codes="spring")
    await c.engine.once()
    messages = await c.messages(campaign)
    texts = {row.recipient_id: row.text for row in messages}
    rows = await c.rows(select(code.c.recipient_id, code.c.code).where(code.c.taken_us.is_not(None)))
    assert len({row.code for row in rows}) == len(rows) == 7
    assert texts == {row.recipient_id: f"Votre code : {row.code}" for row in rows}
    pool = await pools.get("spring")
    assert (pool.taken, pool.left) == (7, 3)


async def test_who_asks_again_has_the_same_code(c: Campaigner, pools: Codes) -> None:
    await pools.add_list(c.principal, "spring", ["S1", "S2", "S3"])
    campaign = await c.create(*NUMBERS[:2], words=WORDS, codes="spring")
    await c.start(campaign)
    people = [row.id for row in await c.rows(select(recipient.c.id).order_by(recipient.c.id))]
    tracking = LinkTracking(None, c.clock)
    asked = [
        await c.bench.store.write(lambda connection: tracking.personal(connection, campaign.id, people))
        for _ in range(2)
    ]
    assert asked[0] == asked[1]
    assert len({each["code"] for each in asked[0]}) == 2


async def test_too_few_codes_are_told_before_anything_is_queued(c: Campaigner, pools: Codes) -> None:
    await pools.add_list(c.principal, "spring", ["S1", "S2"])
    campaign = await c.create(*NUMBERS, words=WORDS, codes="spring")
    with pytest.raises(InvalidRequest, match="5 codes are missing: there are 2 for 7 people") as caught:
        await c.start(campaign)
    assert caught.value.code == "codes_missing"
    assert await c.messages(campaign) == []
    assert (await pools.get("spring")).taken == 0


async def test_a_code_without_a_pool_and_a_pool_that_is_not_there_are_refused(c: Campaigner) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await c.create(NUMBERS[0], words=WORDS)
    assert caught.value.code == "template_variable_missing"
    with pytest.raises(InvalidRequest) as caught:
        await c.create(NUMBERS[0], words=WORDS, codes="spring")
    assert caught.value.code == "codes_not_found"
    own = await c.started(NUMBERS[0], words=WORDS, variables={"code": "SAME"})
    await c.engine.once()
    assert [row.text for row in await c.messages(own)] == ["Votre code : SAME"]


async def test_whoever_gets_none_of_a_live_one_is_left_out(c: Campaigner, pools: Codes) -> None:
    await pools.add_list(c.principal, "spring", ["S1", "S2"])
    campaign = await c.started(*NUMBERS[:3], words=WORDS, codes="spring", audience="live")
    await c.engine.once()
    assert len(await c.messages(campaign)) == 2
    assert sorted(await c.members(campaign), key=str) == [
        ("left_out", "template_variable_missing", 0),
        ("queued", None, 0),
    ]

"""A look finds every endpoint and some servers of each token's callbacks, and in turn all of them."""

from __future__ import annotations

import hashlib

from gateway.notify.lookout import SERVERS, Found, Lookout
from gateway.notify.shares import holder, target_of_callbacks
from gateway.store import deliveries
from gateway.store.database import Store
from gateway.store.deliveries import NewDelivery

ENDPOINTS = ["01" * 16, "02" * 16]


def _servers(token: int, count: int) -> list[str]:
    return [target_of_callbacks(token, hashlib.sha256(f"{at}".encode()).hexdigest()) for at in range(count)]


def _of(found: Found, targets: list[str]) -> list[str]:
    return [each for each in targets if each in found.due_us]


async def _owe(store: Store, targets: list[str]) -> None:
    new = [NewDelivery(each, at, f"m{at}") for at, each in enumerate(targets)]
    await store.write(lambda connection: deliveries.add(connection, new, 7))


async def test_many_servers_of_one_token_keep_nobody_from_being_found(store: Store):
    many, few, last = _servers(1, 3 * SERVERS + 5), _servers(2, 3), _servers(0xFFFFFFFF, SERVERS)
    await _owe(store, [*many, *few, *last, *ENDPOINTS])
    lookout, seen = Lookout(), list[str]()
    for _ in range(4):
        found = await store.read(lookout.look)
        assert (_of(found, few), _of(found, ENDPOINTS), found.more) == (few, ENDPOINTS, True)
        assert len(_of(found, many)) <= SERVERS
        assert set(found.due_us.values()) == {7}
        seen += _of(found, many)
    assert sorted(seen) == sorted(many)
    begun_anew = await store.read(lookout.look)
    assert sorted(_of(begun_anew, many)) == sorted(many)[:SERVERS]


async def test_where_there_are_few_nothing_is_left_out(store: Store):
    lookout, targets = Lookout(), [*ENDPOINTS, *_servers(1, SERVERS - 1), *_servers(2, 1)]
    assert await store.read(lookout.look) == Found({}, {}, more=False)
    await _owe(store, targets)
    assert {holder(each) for each in targets} == {"", "c00000001", "c00000002"}
    for _ in range(2):
        found = await store.read(lookout.look)
        assert (sorted(found.due_us), found.more) == (sorted(targets), False)

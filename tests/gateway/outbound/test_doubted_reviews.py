"""What waits for somebody's word while the clock is doubted, beyond its own end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection
from support.bench import NUMBER
from support.clock import ManualClock
from support.guarded import HOUR_US, guarded
from support.place import Place
from support.settings import category

from gateway.address import AddressKind
from gateway.message import ConsentState, Status
from gateway.store import consents, recipients, reviews
from gateway.store.consents import NewConsent

#: Does not need the hour, so nothing else holds it while the clock is doubted.
CLUB = category("club", consent="opt_in", expires_after_us=HOUR_US)


async def test_it_is_not_asked_about_again_and_again(tmp_path: Path, clock: ManualClock) -> None:
    host = await guarded(Place(tmp_path, None), tmp_path, clock, categories=(CLUB,))
    bench, now_us = host.bench, host.bench.clock.now_us()

    def known(connection: Connection) -> None:
        person = recipients.ensure(connection, NUMBER, AddressKind.E164, host.store.fingerprint(NUMBER), now_us)
        given = NewConsent(
            recipient_id=person, category=CLUB.name, state=ConsentState.GIVEN, at_us=now_us, recorded_us=now_us
        )
        consents.record(connection, given)
        reviews.add(connection, "0" * 32, person, "stop", now_us)

    def told(connection: Connection) -> int:
        return connection.exec_driver_sql("SELECT count(*) FROM event").scalar() or 0

    await host.store.write(known)
    message = await bench.accept(category=CLUB.name)
    clock.set_wall(clock.now_us() - 24 * HOUR_US)
    await host.look()
    clock.advance(timedelta(hours=2))
    before = await host.store.read(told)
    for _ in range(20):
        await bench.upkeep()
        assert await bench.next() is None
        clock.advance(timedelta(seconds=1))
    assert await host.store.read(told) - before == 2  # let go once, and held once more
    assert (await bench.get(message.id)).status is Status.HELD
    await host.store.close()

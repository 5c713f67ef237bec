"""I01: a modem whose memory is full of what no reading fits is read on, and the words behind it arrive."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from support.caring import make_caring
from support.clock import ManualClock
from support.place import Place
from support.waiting import eventually

from drivers.sim.incoming import Incoming, Kind
from drivers.tpdu import Address, SmsDeliver, TimeStamp, UserData, join_smsc
from drivers.tpdu.user_data_header import InformationElement
from gateway.clock import to_datetime
from gateway.store.database import Store

NOISE = 300


def _noise(random: Random, clock: ManualClock) -> bytes:
    """A PDU that was cut, turned over or made up; the service centre field before it is right."""
    stamp = TimeStamp.from_datetime(to_datetime(clock.now_us()))
    text = UserData(text="hello", udh=(InformationElement(0x00, bytes((7, 2, 1))),))
    good = SmsDeliver(Address.from_text("+33639980101"), stamp, text).to_bytes()
    match random.randrange(4):
        case 0:
            octets = good[: random.randrange(len(good))]
        case 1:
            turned = bytearray(good)
            turned[random.randrange(len(good))] ^= 1 << random.randrange(8)
            octets = bytes(turned)
        case 2:
            at = random.randrange(len(good))
            octets = good[:at] + bytes((random.choice((0, 1, 254, 255)),)) + good[at + 1 :]
        case _:
            octets = random.randbytes(random.randrange(1, 160))
    return join_smsc(Address.from_text("+33639980000"), octets)


async def test_i01_a_modem_full_of_noise_is_read_on(
    place: Place, store: Store, clock: ManualClock, seeded: Random, tell: Callable[[str], None]
) -> None:
    caring = make_caring(place, store, clock, untested=[0])
    simulated = caring.simulated["m0"]
    pdus = {_noise(seeded, clock) for _ in range(NOISE)}
    # More than the modem has room for; the network keeps the rest until there is some.
    for pdu in sorted(pdus):
        simulated.station.card.offer(Incoming(Kind.DELIVER, pdu))
    assert simulated.waiting > 0
    simulated.inject_sms("+33639980102", "words behind the noise")
    async with caring.running():

        async def read() -> bool:
            found = await caring.rows("SELECT count(*) FROM inbox WHERE text = 'words behind the noise'")
            return found == [(1,)]

        await eventually(read, 60, "the words behind the noise")
        await eventually(lambda: simulated.waiting == 0, 10, "the network to be rid of everything")
        assert caring.modems["m0"].status().reason is None
        ((kept, unread),) = await caring.rows("SELECT count(*), count(problem) FROM inbound_part")
        ((reports,),) = await caring.rows("SELECT count(*) FROM report")
    assert unread > NOISE // 4
    assert kept + reports == len(pdus) + 1
    tell(f"I01: {len(pdus)} PDUs of noise in a modem's memory: {unread} kept raw, all else read")

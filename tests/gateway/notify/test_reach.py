"""No URL leads a webhook to where nobody may be told, whatever a name means and however an address is written."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from support.clock import ManualClock
from support.receiving import Receiver, receiver

from gateway.config.settings import ListenAddress
from gateway.errors import Unavailable
from gateway.notify.callback_check import CallbackCheck
from gateway.notify.callbacks import Request
from gateway.notify.courier import Courier
from gateway.notify.reach import AddressRule, OutOfReach, Reach, Resolver, anywhere_but, networks, only
from gateway.requests import callback_of

OWN = (ListenAddress("127.0.0.1", 7672), ListenAddress("0.0.0.0", 7673), ListenAddress("localhost", 7674))
#: What neither an admin nor a caller may name, wherever it is allowed to go.
NEVER = (
    "169.254.169.254", "169.254.0.1", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]",
    "[fe80::1]", "[fe80::a9fe:a9fe]", "[fd00:ec2::254]", "0.0.0.0", "[::]", "0.1.2.3", "[::ffff:0.0.0.0]",
    "224.0.0.1", "239.255.255.250", "[ff02::1]", "[ff05::2]", "255.255.255.255", "240.0.0.1", "[::ffff:224.0.0.1]",
    "[64:ff9b::e000:1]", "[2002:e000:1::]", "[2002::]", "[64:ff9b::]", "[::a9fe:a9fe]", "[::2]",
)  # fmt: skip
#: Addresses that only some take for one.
ODD = (
    "0", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "0x7f.0.0.1",
    "127.0.0.1.", "①②⑦.0.0.1", "127。0。0。1", "127．0．0．1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "[::1%25lo]", "[fe80::1%25eth0]", "[::1%lo]", "127.0.0.1%00.example", "1.1.1.1%20", "[127.0.0.1]", "[::ffff:1]x",
    "999.1.1.1", "1.2.3", "..", ".example", "a..example",
)  # fmt: skip
#: What is not of the web, or carries what nobody should be told.
FORMS = (
    "file:///etc/passwd", "ftp://192.0.2.7/", "gopher://192.0.2.7/", "unix:///run/x", "javascript:alert(1)", "data:,x",
    "ws://192.0.2.7/", "//192.0.2.7/", "/v1/messages", "", "http:", "http://", "http:///x", "http://:80/",
    "http://user@192.0.2.7/", "http://user:secret@192.0.2.7/", "http://192.0.2.7@127.0.0.1/", "http://@192.0.2.7/",
    "http://192.0.2.7:0/", "http://192.0.2.7:99999/", "http://192.0.2.7:x/", "http://192.0.2.7/a b",
    "http://192.0.2.7/\r\nX: y", "http://192.0.2.7/\t", "http://192.0.2.7\\@127.0.0.1/", "http://192.0.2.7/é",
    "http://exämple/", "http://192.0.2.7/" + "a" * 3000, "http://192.0.2.7/\x00", "HTTP://[::1", "http://[]/",
)  # fmt: skip
#: Private ones, which a caller may reach only where they are allowed.
PRIVATE = (
    "127.0.0.1", "127.255.255.254", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "10.0.0.1",
    "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "[fc00::1]", "[fd12::1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "[64:ff9b::a00:1]", "[2001:0:7f00:1::]", "8.8.8.8", "[2a00:1450:4007:80c::200e]",
)  # fmt: skip


@pytest.fixture
async def inside() -> AsyncIterator[Receiver]:
    async with receiver() as played:
        yield played


async def _reached(rule: AddressRule, url: str, clock: ManualClock) -> tuple[bool, str]:
    """Whether it is found fit to be kept, and what comes of sending it all the same."""
    reach = Reach(rule, Resolver(clock))
    try:
        await reach.check(url)
        fit = True
    except OutOfReach:
        fit = False
    courier = Courier(reach, clock, answer_s=2)
    try:
        return fit, (await courier.send(Request(url))).word
    finally:
        await courier.close()


async def test_w04_no_hostile_url_connects_anywhere(inside: Receiver, clock: ManualClock, tell: Callable[[str], None]):
    port = inside.url.rpartition(":")[2]
    callers, admins = only(networks(["192.0.2.0/24"]), OWN), anywhere_but(OWN)
    hosts = {rule: [f"http://{host}:{port}/x" for host in (*NEVER, *ODD, *more)] for rule, more in
             ((callers, PRIVATE), (admins, ()))}  # fmt: skip
    tried = connected = 0
    for rule, urls in hosts.items():
        for url in (*urls, *FORMS):
            fit, word = await _reached(rule, url, clock)
            assert (fit, word) in {(False, "not_allowed"), (False, "dns")}, url
            tried, connected = tried + 1, connected + len(inside.asked)
    tell(f"W04: {tried} hostile URLs of callers and admins: {connected} connected")
    assert (tried >= 160, connected) == (True, 0)


def test_a_wildcard_or_a_name_listens_at_every_address_of_this_machine():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect(("192.0.2.77", 9))
        mine = ipaddress.ip_address(asked.getsockname()[0])
    for host in ("0.0.0.0", "gateway.lan"):
        rule = anywhere_but([ListenAddress(host, 7672)])
        assert rule(mine, 7672) == "leads to this gateway itself"
        assert (rule(mine, 80), rule(ipaddress.ip_address("192.0.2.77"), 7672)) == (None, None)


async def test_an_admin_may_name_this_machine_but_not_this_gateway(clock: ManualClock, inside: Receiver):
    rule = anywhere_but(OWN)
    assert await _reached(rule, inside.url, clock) == (True, "200")
    for url in (
        "http://127.0.0.1:7672/",
        "http://[::ffff:127.0.0.1]:7672/",
        "http://127.0.0.1:7673",
        "http://[::1]:7674/",
    ):
        assert await _reached(rule, url, clock) == (False, "not_allowed")


class Names:
    """A resolver whose answers change from one question to the next."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    def __call__(self, _host: str, _port: object, **_: object) -> list[Any]:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not found:
            raise socket.gaierror
        kinds = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in found]
        return [(kind, socket.SOCK_STREAM, 6, "", (each, 0)) for kind, each in zip(kinds, found, strict=True)]


async def test_w05_a_name_is_what_it_means_when_it_is_connected_to(
    inside: Receiver, clock: ManualClock, tell: Callable[[str], None]
):
    url = f"http://shop.example:{inside.url.rpartition(':')[2]}/"
    rule = only(networks(["192.0.2.0/24"]), ())
    mixed = (
        ["192.0.2.7", "127.0.0.1"],
        ["127.0.0.1", "192.0.2.7"],
        ["192.0.2.7", "::1"],
        ["192.0.2.7", "169.254.169.254"],
    )
    found: list[str] = []
    for answers in mixed:
        reach = Reach(rule, Resolver(clock, Names(answers)))
        with pytest.raises(OutOfReach):
            await reach.check(url)
    for then in (["127.0.0.1"], *mixed):
        reach = Reach(rule, Resolver(clock, Names(["192.0.2.7"], then)))
        assert await reach.check(url) == url
        clock.advance(timedelta(seconds=11))
        courier = Courier(reach, clock, answer_s=2)
        found.append((await courier.send(Request(url))).word)
        await courier.close()
    tell(f"W05: {len(mixed)} mixed answers refused; {len(found)} names that changed: {len(inside.asked)} connected")
    assert (set(found), inside.asked) == ({"not_allowed"}, [])


async def test_a_callback_that_is_not_allowed_is_told_the_line_that_would_allow_it(clock: ManualClock):
    resolver = Resolver(clock, Names(["192.0.2.7"]))
    check = CallbackCheck(Reach(only((), ()), resolver))
    wrong = await check(callback_of("https://shop.example/news"), 1)
    assert wrong is not None
    assert wrong.errors[0].pointer == "/callback_url"
    assert '`allow = ["192.0.2.7/32"]` in the table [webhooks]' in wrong.message
    never = await CallbackCheck(Reach(only(networks(["169.254.0.0/16"]), ()), resolver))(
        callback_of("http://169.254.169.254/latest"), 1
    )
    assert never is not None
    assert "allow =" not in never.message
    assert (
        await CallbackCheck(Reach(only(networks(["192.0.2.0/24"]), ()), resolver))(callback_of("http://a.example/"), 1)
        is None
    )
    gone = await CallbackCheck(Reach(only((), ()), Resolver(clock, Names([]))))(
        callback_of("http://nobody.example/"), 1
    )
    assert gone is not None
    assert gone.message == "names a host that does not exist"


async def test_names_that_never_answer_keep_nobody_else_from_being_found(clock: ManualClock):
    """Four of a token at once, and none where callbacks go nowhere; whoever has no turn may come again."""
    held, asked = threading.Event(), list[str]()

    def slow(host: str, _port: object, **_: object) -> list[Any]:
        asked.append(host)
        held.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]

    reach = Reach(only(networks(["192.0.2.0/24"]), ()), Resolver(clock, slow))
    try:
        waiting = [asyncio.create_task(reach.check(f"http://h{at}.example/", 1)) for at in range(4)]
        await asyncio.sleep(0)
        late = await CallbackCheck(reach)(callback_of("http://h4.example/"), 1)
        assert isinstance(late, Unavailable)
        assert (late.code, late.retry_after_s) == ("callback_unresolved", 30)
        other = asyncio.create_task(reach.check("http://other.example/", 2))
        await asyncio.sleep(0)
        nowhere = await CallbackCheck(reach, nowhere=True)(callback_of("http://h5.example/"), 3)
        assert nowhere is not None
        assert nowhere.code == "callback_not_allowed"
    finally:
        held.set()
    assert await other == "http://other.example/"
    assert len(await asyncio.gather(*waiting)) == 4
    assert not {"h4.example", "h5.example"} & {*asked}


async def test_a_courier_looks_names_up_in_the_turns_of_who_named_them(clock: ManualClock):
    held, asked, changed = threading.Event(), list[str](), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(host: str, _port: object, **_: object) -> list[Any]:
        asked.append(host)
        loop.call_soon_threadsafe(changed.set)
        held.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    reach = Reach(only(networks(["127.0.0.0/8"]), ()), Resolver(clock, slow, most=1, of_one=1))
    courier = Courier(reach, clock)
    try:
        first = asyncio.create_task(courier.send(Request("http://one.example:1/"), 1))
        await asyncio.wait_for(changed.wait(), 10)
        changed.clear()
        assert (await courier.send(Request("http://two.example:1/"), 1)).word == "dns"
        other = asyncio.create_task(courier.send(Request("http://three.example:1/"), 2))
        await asyncio.wait_for(changed.wait(), 10)
    finally:
        held.set()
    assert {(await first).word, (await other).word} == {"refused"}
    assert asked == ["one.example", "three.example"]
    await courier.close()

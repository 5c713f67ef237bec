"""A world of chance for forecasts: categories with all rules, people in several countries, and a clock that jumps.

A message is previewed for a moment; the clock jumps there, and it is handed in. What then happens is what the preview
said, up to its end: it leaves at the moment that was named and not before, or is held by what a preview of that moment
says. `check` fails with the case where it does not.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection
from support.bench import Bench, make_bench
from support.clock import ManualClock
from support.settings import settings_in

from gateway.address import AddressKind
from gateway.config.country import ProfileSettings
from gateway.config.settings import Category, RecipientSettings, Settings, StormSettings
from gateway.errors import GatewayError
from gateway.message import ConsentState, Message, Rule, Status
from gateway.requests import NewMessage, Preview
from gateway.store import consents, messages, optouts, recipients, reviews
from gateway.store.opening import open_configured

MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
START_US = 1_790_000_000_000_000  # September 2026: a change of time lies ahead

PEOPLE = (
    "+33639980101", "+4915112345678", "+447912345678", "+12125550123", "+13055550123", "+14165550123",
    "+32470123456", "+41791234567", "+18005550123", "+79161234567", "+5511912345678", "+262692123456",
)  # fmt: skip
_QUIET = (
    (), (), (), (), (), ("21:00-08:00",), ("20:00-10:00", "sun", "holidays"), ("mon-fri 09:00-17:30",), ("sat-sun",),
    ("00:00-23:59",), ("holidays 08:00-12:00", "12:00-13:00"),
)  # fmt: skip
_WINDOWS = ((), (), (), (), (), (), ("08:00-20:00",), ("mon-fri 10:00-12:00", "sat 14:00-16:00"), ("22:00-02:00",))
_PREFERRED = ((), ("mon-fri 17:00-20:00",), ("sun 09:00-10:00", "wed"), ("12:00-14:00", "23:00-01:00"))
_CAPS = ((), ("1/1h",), ("2/24h",), ("1/24h", "3/7d"), ("1/5m", "4/7d"), ("3/30d",))
_ROUNDS = 12


@dataclass
class Count:
    """What became of the cases, for a line at the end."""

    words: Counter[str] = field(default_factory=Counter[str])

    def __str__(self) -> str:
        return ", ".join(f"{count} {word}" for word, count in sorted(self.words.items()))


class World:
    """One configuration, its store, and everything that happens in it. Open it with `async with`."""

    def __init__(self, folder: Path, chance: random.Random, count: Count) -> None:
        self._chance = chance
        self._count = count
        self.clock = ManualClock(START_US + chance.randrange(365) * DAY_US)
        self._settings = _settings(folder, chance)
        self._categories = [name for name in self._settings.categories if name.startswith("own")]
        self._people = chance.sample(PEOPLE, 3)
        #: Often written to again, so that caps and storms have something to say.
        self._last = (self._people[0], self._categories[0])
        self.bench: Bench

    async def __aenter__(self) -> World:
        self.bench = await make_bench(self._settings, open_configured(self._settings), self.clock)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.bench.store.close()

    async def check(self) -> None:
        """One message, from its preview to its end."""
        await self._something_happens()
        at_us = self._now_us + self._chance.choice(
            (0, 0, 0, MINUTE_US, 7 * HOUR_US, self._chance.randrange(4 * DAY_US))
        )
        new = self._drawn(at_us)
        told = await self._preview(new, at_us)
        self._jump(at_us)
        assert _said(await self._preview(new, None)) == _said(told), new
        await self._nothing_leaves()
        accepted = await self._accepted(new)
        assert _of(accepted) == _said(told), (new, told, accepted)
        if not isinstance(accepted, Message):
            self._count.words[f"refused at once: {accepted.code}"] += 1
            return
        if accepted.status is Status.CANCELED:
            return
        await self._follow(replace(new, expires_us=accepted.expires_us), accepted)

    async def _follow(self, new: NewMessage, message: Message) -> None:
        """Until it leaves, ends, or nobody knows when it may."""
        for _ in range(_ROUNDS):
            if message.status is Status.QUEUED:
                (marked,) = await self.bench.send_all()
                assert marked.message_id == message.id
                self._count.words["sent at once"] += 1
                return
            if message.status is not Status.HELD:
                why = f", {message.error_code}" if message.error_code else " later"
                self._count.words[f"{message.status}{why}"] += 1
                return
            await self._nothing_leaves()
            message = await self._after_hold(new, message)
        await self.bench.store.write(
            lambda connection: messages.end_waiting(
                connection, message.id, Status.CANCELED, self._now_us, code=None, sentence="of the test"
            )
        )

    async def _judged(self, new: NewMessage, message: Message) -> Message:
        """Somebody says that what nobody understood was no STOP."""

        def work(connection: Connection) -> None:
            person = recipients.find(connection, self.bench.store.fingerprint(new.to))
            assert person is not None
            reviews.settle_all(connection, person, "nothing", self._now_us, by="test")
            reviews.release_reviewed(connection, person, self._now_us)

        self._jump(self._chance.randrange(self._now_us, message.expires_us))
        await self._nothing_leaves()
        await self.bench.store.write(work)
        return await self._now_due(new, message)

    async def _after_hold(self, new: NewMessage, message: Message) -> Message:
        """Jump to the end of a hold, looking on the way; the message is then what a preview of that moment said."""
        hold = message.hold
        assert hold is not None
        self._count.words[f"held by {hold.rule}"] += 1
        if hold.until_us is None and hold.rule is Rule.OPT_OUT and self._chance.random() < 0.7:
            return await self._judged(new, message)
        until_us = message.expires_us if hold.until_us is None else min(hold.until_us, message.expires_us)
        for moment_us in (self._chance.randrange(self._now_us, until_us), until_us - 1):
            self._jump(moment_us)
            await self._nothing_leaves()
            assert (await self.bench.get(message.id)).status is Status.HELD, new
        self._jump(until_us)
        if until_us >= message.expires_us:
            await self.bench.upkeep()
            await self._nothing_leaves()
            ended = await self.bench.get(message.id)
            assert ended.status is Status.EXPIRED, new
            return ended
        return await self._now_due(new, message)

    async def _now_due(self, new: NewMessage, message: Message) -> Message:
        """It is asked about anew, and a preview says what comes of it."""
        told = await self._preview(replace(new, text=new.text + "."), None)
        await self.bench.upkeep()
        marked = await self.bench.send_all()
        now = await self.bench.get(message.id)
        if told.decision == "send":
            assert [each.message_id for each in marked] == [message.id], (new, told, now)
            return now
        assert marked == [], (new, told)
        assert _of(now) == _said(told), (new, told, now)
        return now

    async def _accepted(self, new: NewMessage) -> Message | GatewayError:
        try:
            return await self.bench.intake.accept(self.bench.principal, new)
        except GatewayError as error:
            return error

    async def _preview(self, new: NewMessage, at_us: int | None) -> Preview | GatewayError:
        try:
            return await self.bench.intake.preview(self.bench.principal, new, at_us)
        except GatewayError as error:
            return error

    async def _nothing_leaves(self) -> None:
        await self.bench.upkeep()
        assert await self.bench.next() is None

    @property
    def _now_us(self) -> int:
        return self.clock.now_us()

    def _jump(self, at_us: int) -> None:
        self.clock.advance(timedelta(microseconds=at_us - self._now_us))

    def _drawn(self, at_us: int) -> NewMessage:
        """A message that is handed in at that moment."""
        chance = self._chance
        send_us = chance.choice((*[None] * 6, at_us + chance.randrange(1, 3 * DAY_US), at_us - HOUR_US))
        start_us = max(send_us or at_us, at_us)
        about_us = chance.choice((*[None] * 6, start_us + chance.randrange(1, 4 * DAY_US)))
        timing = "best" if send_us is None and about_us is None and chance.random() < 0.3 else None
        if chance.random() < 0.4:
            self._last = (chance.choice(self._people), chance.choice(self._categories))
        to, category = self._last
        return NewMessage(
            to,
            chance.choice(("the same", "the same", f"number {chance.random()}")),
            category,
            send_us=send_us,
            timing=timing,
            about_us=about_us,
            shift=chance.choice((None, None, "earlier", "later")),
            expires_us=chance.choice((None, None, start_us + chance.randrange(1, 10 * DAY_US))),
        )

    async def _something_happens(self) -> None:
        """Time passes; somebody agrees, takes it back, says STOP, or says something that nobody understands."""
        self._jump(self._now_us + self._chance.randrange(self._chance.choice((1, 1, 1, HOUR_US, DAY_US)) + 1))
        what, number = self._chance.random(), self._chance.choice(self._people)
        if what < 0.4:
            await self.bench.store.write(lambda connection: self._says(connection, number, what))

    def _says(self, connection: Connection, number: str, what: float) -> None:
        now_us = self._now_us
        lookup = self.bench.store.fingerprint(number)
        found = recipients.ensure_all(connection, {lookup: (number, AddressKind.E164)}, now_us)
        person, category = found[lookup], self._chance.choice(self._categories)
        if what < 0.015:
            optouts.add(connection, person, self._chance.choice(("", category)), now_us, source="test")
        elif what < 0.15:
            optouts.lift(connection, person, category, now_us, by="test")
        elif what < 0.33:
            state = ConsentState.WITHDRAWN if what < 0.2 else ConsentState.GIVEN
            consents.say_now(connection, consents.NewConsent(
                recipient_id=person, category=category, state=state, at_us=now_us, recorded_us=now_us,
            ))  # fmt: skip
        elif what < 0.35:
            reviews.add(connection, self.bench.ids.new(), person, "stop", now_us)


def _settings(folder: Path, chance: random.Random) -> Settings:
    categories = tuple(_category(f"own{number}", chance) for number in range(8))
    over = tuple(chance.sample([each.name for each in categories], 2))
    profiles = {key: ProfileSettings(promotional_over_sim=chance.choice((None, True))) for key in ("FR", "BE", "US")}
    return replace(
        settings_in(folder, categories=categories),
        profiles=profiles,
        recipients=RecipientSettings(caps=chance.choice(((), ("2/24h",), ("4/7d",))), over=over),
        storms=StormSettings(identical_us=chance.choice((None, 10 * MINUTE_US, 3 * HOUR_US))),
    )


def _category(name: str, chance: random.Random) -> Category:
    return Category(
        name,
        profile=chance.choice((None, None, None, "{country}", "GB")),
        quiet_hours=chance.choice(_QUIET),
        windows=chance.choice(_WINDOWS),
        preferred=chance.choice(_PREFERRED),
        caps=chance.choice(_CAPS),
        on_cap=chance.choice(("refuse", "defer")),
        consent=chance.choice(("none", "none", "none", "implied", "opt_in")),
        sim_limits=chance.choice(("hold", "hold", "hold", "ignore")),
        expires_after_us=chance.choice((HOUR_US, DAY_US, 14 * DAY_US)),
    )


def _said(told: Preview | GatewayError) -> Sequence[object]:
    """Decision, rule and until."""
    if isinstance(told, GatewayError):
        return ("refuse", told.code, None)
    return (told.decision, told.rule, told.until_us)


def _of(became: Message | GatewayError) -> Sequence[object]:
    """The same of what became of a message."""
    if isinstance(became, GatewayError):
        return ("refuse", became.code, None)
    if became.hold is not None:
        return ("hold", became.hold.rule, became.hold.until_us)
    if became.error_code is not None:
        return ("refuse", became.error_code, None)
    return ("send", None, None)

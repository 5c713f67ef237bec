"""Carries what is due through the channels, and writes down what came of it.

What goes to one address goes one after the other, and what waits for it shares a message where it can; addresses do not
wait for each other. What goes by SMS is accepted into our queue in the transaction that writes it off, so it goes once.
A mail or push that was sent when the process died is sent again: nobody can know.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import GatewayError, TooMany, Unavailable
from gateway.failpoints import reach
from gateway.notify.channel_words import ChannelWords
from gateway.notify.channels import Channels
from gateway.notify.forwards import Forwards
from gateway.outbound.intake import Intake
from gateway.requests import NewMessage, Principal, Submission
from gateway.store import notices
from gateway.store.database import Store
from gateway.store.notices import ALARM, CARRIERS, FORWARD, MAIL, SMS, Notice

log = logging.getLogger(__name__)

_MINUTE_S: Final = 60
#: Seconds between one try and the next; behind the last there is none.
DELAYS_S: Final = (
    15,
    _MINUTE_S,
    5 * _MINUTE_S,
    15 * _MINUTE_S,
    *(60 * _MINUTE_S * hours for hours in (1, 2, 4, 8)),
)
#: What could not be carried in this time is given up, tried or not.
_OLDEST_US: Final = 24 * 3600 * SECOND_US
_LEASE_US: Final = 300 * SECOND_US
_LOOK_US: Final = 10 * SECOND_US
_REFUSED_US: Final = 5 * SECOND_US
#: The gateway itself, as who hands in what it sends.
_ITSELF: Final = Principal(token_id=0, name="tocsin", scopes=frozenset({"send"}))
_EMERGENCY: Final = "emergency"
#: A reply that is forwarded by SMS is cut: three parts of GSM-7 say what it is about.
_LONGEST_SMS: Final = 440


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of a kind goes to one address: so many in an hour, and one in `apart_us`."""

    in_an_hour: int
    apart_us: int = 0

    def waits_until(self, sent_us: Sequence[int], now_us: int) -> int:
        """When the next may go; `sent_us` are those of the last hour, the latest first."""
        soonest = now_us
        if sent_us and self.apart_us:
            soonest = max(soonest, sent_us[0] + self.apart_us)
        if len(sent_us) >= self.in_an_hour:
            soonest = max(soonest, sent_us[self.in_an_hour - 1] + notices.COUNTED_US)
        return soonest


RATES: Final = {ALARM: Rate(10, 60 * SECOND_US), FORWARD: Rate(30)}


class Messenger:
    """Sends what waits. `nudge_queue` is called when an SMS was accepted."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        *,
        intake: Intake,
        channels: Channels,
        words: ChannelWords,
        forwards: Forwards,
        nudge_queue: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._intake = intake
        self._channels = channels
        self._words = words
        self._forwards = forwards
        self._category = settings.inbound.category
        self._nudge_queue = nudge_queue
        self._wake = asyncio.Event()
        self._carrying: dict[tuple[str, str], asyncio.Task[None]] = {}

    def nudge(self) -> None:
        """There may be something to carry."""
        self._wake.set()

    async def run(self) -> None:
        """Carry until cancelled."""
        try:
            while True:
                self._wake.clear()
                until_us = await self._round()
                await self._clock.wait(self._wake, until_us)
        finally:
            for task in self._carrying.values():
                task.cancel()
            await asyncio.gather(*self._carrying.values(), return_exceptions=True)

    async def _round(self) -> int | None:
        """Begin what is due; when to look again."""
        now_us, busy = self._clock.now_us(), set(self._carrying)
        try:
            found = [
                each
                for channel in CARRIERS
                for each in await self._store.read(lambda c, which=channel: notices.due(c, which, now_us, busy))
            ]
            next_us = await self._store.read(notices.next_due)
        except Unavailable as error:
            log.error("the store refused", extra={"action": "messenger_refused", "code": error.code})
            return now_us + _REFUSED_US
        groups: dict[tuple[str, str], list[Notice]] = {}
        for each in found:
            groups.setdefault(each.lane, []).append(each)
        for lane, waiting in groups.items():
            self._carrying[lane] = asyncio.create_task(self._carry(lane, waiting))
        # Who carries wakes us when it is done.
        instants = [now_us + _LOOK_US] if self._store.engine.shared else []
        if next_us is not None and next_us > now_us:
            instants.append(next_us)
        return min(instants, default=None)

    async def _carry(self, lane: tuple[str, str], waiting: Sequence[Notice]) -> None:
        try:
            await self._carry_some(lane, waiting)
        except Unavailable as error:
            log.error("the store refused", extra={"action": "messenger_refused", "code": error.code})
            await self._clock.wait(asyncio.Event(), self._clock.now_us() + _REFUSED_US)
        except Exception:
            # A defect of ours costs this address a while, and the others nothing.
            log.exception("a defect", extra={"action": "messenger_defect", "kind": lane[0]})
            await self._failed(waiting, None)
        finally:
            del self._carrying[lane]
            self._wake.set()

    async def _carry_some(self, lane: tuple[str, str], waiting: Sequence[Notice]) -> None:
        """What goes to one address now: as much as shares a message, if its rate allows one."""
        now_us = self._clock.now_us()
        kind, goal = lane
        old = [each for each in waiting if each.made_us < now_us - _OLDEST_US]
        if old:
            await self._give_up(old)
            return
        if (rate := RATES.get(kind)) is not None:
            since_us = now_us - notices.COUNTED_US
            sent_us = await self._store.read(lambda c: notices.sent_lately(c, kind, goal, since_us))
            allowed_us = rate.waits_until(sent_us, now_us)
            if allowed_us > now_us:
                await self._store.write(lambda c: notices.again(c, waiting, allowed_us, tried=False))
                return
        group = list(waiting) if _shares(kind, goal) else list(waiting[:1])
        if self._store.engine.shared and not await self._store.write(
            lambda c: notices.claim(c, [each.id for each in group], now_us, now_us + _LEASE_US)
        ):
            return
        await self._send(group)

    async def _send(self, group: Sequence[Notice]) -> None:
        said = await self._said(group)
        if not said:
            # It has arrived after all, or is of somebody who was erased.
            await self._store.write(lambda c: notices.forget(c, group))
            return
        if group[0].channel == SMS:
            await self._by_sms(group, said)
            return
        reach("carrying")
        if await self._by_channel(group[0], said):
            await self._store.write(lambda c: notices.sent(c, group, self._clock.now_us()))
        else:
            await self._failed(group, None)

    async def _said(self, group: Sequence[Notice]) -> list[str]:
        """The words of a group, none where there is nothing to say any more."""
        match group[0].kind:
            case "alarm":
                return list(dict.fromkeys(each.words for each in group if each.words is not None))
            case "forward":
                ids = [each.event_id for each in group if each.event_id is not None]
                return await self._store.read(lambda c: self._forwards.worded(c, ids))
            case _:
                message_id = group[0].message_id or ""
                text = await self._store.read(lambda c: notices.still_ended(c, message_id))
                return [] if text is None else [text]

    async def _by_channel(self, first: Notice, said: Sequence[str]) -> bool:
        text = self._words.alarm_mail(said) if first.kind == ALARM else "\n\n".join(said)
        subject = self._words.subject(first.kind)
        address = first.goal.partition(":")[2]
        if first.channel == MAIL:
            return await self._channels.mail(address, subject, text)
        return await self._channels.push(subject, text, address or None)

    async def _by_sms(self, group: Sequence[Notice], said: Sequence[str]) -> None:
        number = group[0].goal.partition(":")[2]
        if group[0].kind == ALARM:
            new = NewMessage(number, self._words.alarm_sms(said), _EMERGENCY)
        else:
            new = NewMessage(number, said[0][:_LONGEST_SMS], self._category)
        try:
            await self._intake.accept_all(
                _ITSELF, [Submission(new)], beside=lambda c: notices.sent(c, group, self._clock.now_us())
            )
        except Unavailable:
            raise
        except GatewayError as error:
            log.warning("not accepted", extra={"action": "channel_refused", "code": error.code, "kind": group[0].kind})
            await self._failed(group, error.retry_after_s if isinstance(error, TooMany) else None)
        else:
            self._nudge_queue()

    async def _failed(self, group: Sequence[Notice], after_s: int | None) -> None:
        """Later, or never again."""
        tries = max(each.tries for each in group)
        if tries >= len(DELAYS_S):
            await self._give_up(group)
            return
        due_us = self._clock.now_us() + max(DELAYS_S[tries], after_s or 0) * SECOND_US
        await self._store.write(lambda c: notices.again(c, group, due_us))

    async def _give_up(self, group: Sequence[Notice]) -> None:
        details = {"action": "channel_gave_up", "kind": group[0].kind, "channel": group[0].channel, "count": len(group)}
        log.error("could not be sent, and is given up", extra=details)
        await self._store.write(lambda c: notices.give_up(c, group, self._clock.now_us()))


def _shares(kind: str, goal: str) -> bool:
    """Whether several go in one message: troubles always, replies in a mail; a fallback is a message by itself."""
    return kind == ALARM or (kind == FORWARD and notices.carrier_of(goal) != SMS)

"""The beginning of a ring: checked as a whole, its people written down, and its first messages accepted.

Nothing of a ring that can never become right is kept: a number that is none, a text that is too long. One of a segment
who cannot be written to keeps nothing from the others, and is counted in a warning. Once its people stand in the store
the ring is promised, and goes on whatever breaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from drivers.tpdu import TpduError, segment
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, FieldError, Forbidden, GatewayError, InvalidRequest
from gateway.failpoints import reach
from gateway.ids import IdSource, first_id
from gateway.message import Caution
from gateway.outbound.door import warnings_of
from gateway.outbound.draft import Draft
from gateway.outbound.forecast import Leaves
from gateway.outbound.intake import Intake
from gateway.outbound.quotas import Quotas
from gateway.people.rendering import RenderFault
from gateway.requests import NewMessage, Principal
from gateway.ring import MOST_PEOPLE, NewRing, RingStatus
from gateway.rings.asked import kept, kept_cautions
from gateway.rings.checks import about_text, checked, moved
from gateway.rings.keeper import ABANDONED_US, CLAIM_US
from gateway.rings.listed import People, numbers_named
from gateway.rings.ringer import Ringer
from gateway.rings.telling import Teller, lacking
from gateway.rules.typography import gsm7_version
from gateway.store import idempotency, rings
from gateway.store.database import Store
from gateway.store.idempotency import Key

#: People who are written down in one transaction.
_AT_ONE_GO: Final = 500
#: A token that rang the same text so lately is told so.
_LATELY_US: Final = 600 * SECOND_US
_MOST_LATELY: Final = 20


@dataclass(frozen=True, slots=True)
class Begun:
    """A ring that was begun just now: what there is to leave, and what its text would be in GSM-7 where that takes
    fewer parts. `known` is set where the same was asked for before under the same key: nothing was begun."""

    id: str
    drafts: Sequence[Draft] = ()
    warnings: Sequence[Caution] = ()
    gsm7_text: str | None = None
    known: bool = False

    @property
    def parts(self) -> int:
        """How many short messages it is."""
        return sum(draft.parts for draft in self.drafts)

    @property
    def leaves(self) -> list[Leaves]:
        """What there is to leave, by lane."""
        counts = Counter((draft.lane, draft.parts) for draft in self.drafts)
        return [Leaves(lane, count, parts) for (lane, parts), count in counts.items()]


class Beginning:
    """Begins rings."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        ids: IdSource,
        *,
        intake: Intake,
        people: People,
        ringer: Ringer,
        teller: Teller,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._ids = ids
        self._intake = intake
        self._people = people
        self._ringer = ringer
        self._teller = teller

    async def begin(self, principal: Principal, new: NewRing, key: str | None) -> Begun:
        """Check it and write down its people; they are rung by `Ringer.ring`.

        Raises `InvalidRequest` with every wrong field, `Forbidden`, `TooMany`, `Conflict` for a key that was used for
        another ring, and what the store raises; then nothing is kept.
        """
        named = None if key is None else self._key(principal, key, new)
        if named is not None and (known := await self._store.write(lambda c: self._known(c, named))) is not None:
            return Begun(known, known=True)
        new = await self._teller.worded(checked(principal, new))
        await self._check_people(new)
        drafts, left_out = await self._drafts(principal, new)
        ring_id = self._ids.new()
        lately = await self._store.read(lambda connection: self._rang_lately(connection, principal, new))
        gsm7_text, cautions = _of_text(new, max(drafts, key=lambda draft: draft.parts))
        warnings = [*cautions, *_of_people(left_out), *lately]
        self._intake.spend(principal, len(drafts))
        sheet = _Sheet(principal, self._row(principal, new, ring_id, warnings), new, drafts, named)
        try:
            await self._keep(sheet)
        except _BegunMeanwhile as other:
            return Begun(other.ring_id, known=True)
        return Begun(ring_id, drafts, warnings, gsm7_text)

    async def _check_people(self, new: NewRing) -> None:
        await self._people.check(new.to)
        for at, step in enumerate(new.escalate):
            try:
                await self._people.check(step.to)
            except InvalidRequest as error:
                raise moved(error, f"/escalate/{at}/to") from None

    async def _drafts(self, principal: Principal, new: NewRing) -> tuple[list[Draft], Counter[str]]:
        """What would be accepted for each of its people, and how many cannot be written to, by the reason's code."""
        drafts: dict[str, Draft] = {}
        refused: dict[str, GatewayError] = {}
        faults = Counter[RenderFault]()
        async for numbers in self._people.numbers(new.to, test=principal.test, most=_AT_ONE_GO):
            told = await self._teller.messages(principal, numbers, new, None)
            faults.update(each for each in told if isinstance(each, RenderFault))
            news = [each for each in told if isinstance(each, NewMessage)]
            for each, asked in zip(await self._intake.drafts(principal, news), news, strict=True):
                if isinstance(each, Draft):
                    drafts[each.number] = each
                elif about_text(each):
                    raise each
                else:
                    refused[asked.to] = each
            if len(drafts) > MOST_PEOPLE:
                raise InvalidRequest.field("alert_invalid", "/to", f"names more than {MOST_PEOPLE} people")
        if faults:
            raise lacking(faults)
        named = numbers_named(new.to, self._settings.gateway.country)
        if wrong := _refusal_of(named, refused):
            raise wrong
        if not drafts:
            raise InvalidRequest.field("alert_invalid", "/to", "names nobody who can be written to")
        left_out = Counter(each.code for each in refused.values())
        if dead := len(named.keys() - drafts.keys()):
            left_out["number_dead"] = dead
        return list(drafts.values()), left_out

    def _key(self, principal: Principal, key: str, new: NewRing) -> Key:
        fingerprint = self._store.fingerprint
        body = f"{kept(new)}\n{new.category}\n{new.text}"
        return Key(fingerprint(f"ring/{principal.token_id}/{key}"), fingerprint(f"body/{body}"))

    def _known(self, connection: Connection, key: Key) -> str | None:
        """The ring that was begun under this key; `Conflict` where that was another."""
        use = idempotency.uses(connection, [key], self._clock.now_us()).get(key.lookup)
        if use is None:
            return None
        if use.body != key.body:
            raise Conflict("idempotency_mismatch", "this idempotency key was used before, for another alert")
        return use.message_id

    def _rang_lately(self, connection: Connection, principal: Principal, new: NewRing) -> list[Caution]:
        first = first_id(self._clock.now_us() - _LATELY_US)
        found = rings.lately(connection, principal.token_id or None, first, _MOST_LATELY)
        same = next((row for row in found if row.text == new.text), None)
        if same is None:
            return []
        return [Caution("rung_lately", f"this token rang the same text within ten minutes: alert {same.id}")]

    def _row(self, principal: Principal, new: NewRing, ring_id: str, warnings: Sequence[Caution]) -> dict[str, Any]:
        assert new.category is not None, "it was checked"
        now_us = self._clock.now_us()
        return {
            "id": ring_id,
            "token_id": principal.token_id or None,
            "test": principal.test,
            "status": RingStatus.FILLING.value,
            "category": new.category,
            "priority": self._settings.categories[new.category].priority,
            "text": new.text,
            "wanted": kept(new),
            "warnings": kept_cautions(warnings),
            "created_us": now_us,
            "next_us": now_us + ABANDONED_US,
            "claimed_by": self._settings.gateway.node,
            "claimed_until_us": now_us + CLAIM_US,
        }

    async def _keep(self, sheet: _Sheet) -> None:
        """Write the ring and its people. It is promised with the last of them: what breaks off before is dropped."""
        numbers = [draft.number for draft in sheet.drafts]
        starts = range(0, len(numbers), _AT_ONE_GO)
        try:
            for start in starts:
                some = numbers[start : start + _AT_ONE_GO]
                write = partial(self._write, sheet=sheet, some=some, start=start, last=start == starts[-1])
                await self._store.write(write, hurried=True)
                reach("ring_written")
        except (GatewayError, _BegunMeanwhile):
            if len(starts) > 1:
                await self._store.write(partial(_drop_unpromised, ring_id=sheet.row["id"]))
            raise

    def _write(self, connection: Connection, *, sheet: _Sheet, some: Sequence[str], start: int, last: bool) -> None:
        ring_id, now_us = sheet.row["id"], self._clock.now_us()
        if start == 0:
            rings.add(connection, sheet.row)
        self._ringer.write_down(connection, ring_id, some, first=start)
        if not last:
            return
        if sheet.key is not None:
            if (other := self._known(connection, sheet.key)) is not None:
                raise _BegunMeanwhile(other)
            idempotency.add(connection, [(sheet.key, ring_id)], now_us)
        self._refuse_beyond_the_day(connection, sheet, now_us)
        rings.add_steps(connection, ring_id, [sheet.row["created_us"] + step.after_us for step in sheet.new.escalate])
        rings.change_status(connection, ring_id, RingStatus.FILLING, RingStatus.RINGING, next_us=now_us)

    def _refuse_beyond_the_day(self, connection: Connection, sheet: _Sheet, now_us: int) -> None:
        """All of it, or none: half of an alarm is none. It is counted when the messages are accepted."""
        if sheet.principal.parts_a_day is None:
            return
        parts = sum(draft.parts for draft in sheet.drafts)
        refusal = Quotas(connection, [sheet.principal], now_us).refusal(sheet.principal, parts)
        if refusal is not None:
            raise refusal


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A ring that was checked, and is to be written down."""

    principal: Principal
    row: Mapping[str, Any]
    new: NewRing
    drafts: Sequence[Draft]
    key: Key | None


class _BegunMeanwhile(Exception):
    """The same was asked for under the same key at the same time, and that was first."""

    def __init__(self, ring_id: str) -> None:
        super().__init__()
        self.ring_id = ring_id


def _refusal_of(named: Mapping[str, int], refused: Mapping[str, GatewayError]) -> GatewayError | None:
    """The refusal of those who were named by their numbers; who is of a segment keeps nothing from the others."""
    found = {at: refused[number] for number, at in named.items() if number in refused}
    if not found:
        return None
    forbidden = next((error for error in found.values() if isinstance(error, Forbidden)), None)
    errors = [FieldError(f"/to/{at}", error.message) for at, error in found.items()]
    first = next(iter(found.values()))
    return forbidden or InvalidRequest(first.code, errors[0].message, errors=errors)


def _drop_unpromised(connection: Connection, ring_id: str) -> None:
    if rings.lock(connection, ring_id) is RingStatus.FILLING:
        rings.drop(connection, ring_id)


def _of_text(new: NewRing, draft: Draft) -> tuple[str | None, list[Caution]]:
    """What somebody may want to change in the text, of which the draft is the longest that leaves; and the text that
    takes fewer parts, where characters cost some. Of several texts by language none is told."""
    cautions = warnings_of(draft)
    if not draft.segmentation.forced_ucs2_by or len(new.texts) > 1:
        return None, cautions
    plain, composed = gsm7_version(new.text), gsm7_version(draft.composed.text)
    parts = _parts(composed, draft) if composed is not None else draft.parts
    if plain is None or parts >= draft.parts:
        return None, cautions
    sentence = f"it takes {draft.parts} parts instead of {parts} for its characters outside GSM-7: see gsm7_text"
    return plain, [*cautions, Caution("parts_saved_in_gsm7", sentence)]


def _parts(text: str, draft: Draft) -> int:
    try:
        return len(segment(text, national_tables=draft.category.national_tables).parts)
    except TpduError:
        return draft.parts


def _of_people(left_out: Counter[str]) -> list[Caution]:
    """Whom of the segments nobody writes to."""
    return [
        Caution("people_left_out", f"{count} of its people cannot be written to: {code}")
        for code, count in sorted(left_out.items())
    ]

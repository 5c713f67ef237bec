"""The simulated network and its service centre: takes submissions, routes them, and reports on them.

A message to the number of another modem on the same network arrives there; every other number answers "delivered".
It must not know commands or links. Source: 3GPP TS 23.040, 9.2.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol

from drivers.sim.card import SimCard
from drivers.sim.incoming import Incoming, Kind, incoming_from
from drivers.sim.ledger import Ledger, Submission
from drivers.sim.recipient import DELIVERED, USUAL, Recipient
from drivers.sim.settings import SimSettings, wall_clock
from drivers.tpdu import Address, SmsStatusReport, SmsSubmit, TimeStamp, build_submits, join_smsc, segment
from drivers.tpdu.first_octet import MMS_OR_RD, RP, UDHI

# So long after a message was delivered it is answered; further ones are not for so long, in seconds.
_THINKING_S, _SILENT_S = 0.2, 10.0


class Subscriber(Protocol):
    """A station as the network sees it; `card` is the one that is in its modem, or was last."""

    @property
    def settings(self) -> SimSettings: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def card(self) -> SimCard: ...


class SimulatedNetwork:
    """A network of its own for every test, or one for all modems of a simulation; `now` gives aware datetimes."""

    def __init__(self, now: Callable[[], datetime] = wall_clock) -> None:
        self._now = now
        self._cards: dict[str, SimCard] = {}
        self._reference = 0
        #: Who has answered just now.
        self._answering = set[str]()

    def join(self, card: SimCard) -> None:
        """Make its number reachable; ValueError when another card has it."""
        if self._cards.setdefault(_digits(card.number), card) is not card:
            raise ValueError("two simulated modems cannot have the same number")

    def leave(self, card: SimCard) -> None:
        """Its number answers for nobody from now on, and reports on its messages are dropped."""
        self._cards.pop(_digits(card.number), None)

    def card_with(self, iccid: str) -> SimCard | None:
        """The card of that ICCID, in whichever modem or in none."""
        return next((card for card in self._cards.values() if card.iccid == iccid), None)

    def free_number(self) -> str:
        """A number for a card that was given none: from the top of those that French numbering keeps for fiction."""
        numbers = (f"+3363998{end}" for end in range(9999, 9000, -1))
        return next(number for number in numbers if _digits(number) not in self._cards)

    def accept(self, sender: Subscriber, submit: SmsSubmit, tpdu: bytes, reference: int) -> None:
        """Enter a submission into the sender's ledger, route it and see to its report.

        `submit` is `tpdu` decoded; `reference` is the TP-MR in it.
        """
        now = self._now()
        destination = submit.tp_da.text
        sender.ledger.record(Submission(sender.settings.name, destination, tpdu, reference, now))
        person = sender.settings.recipients.get(destination, USUAL)
        reported = submit.tp_srr and destination not in sender.settings.silent and person.status is not None
        report = partial(self._report_later, sender, submit, reference, now) if reported else None
        target = self._cards.get(_digits(destination))
        if target:
            originator = Address.from_text(sender.card.number)
            pdu = _with_centre(sender, deliver_from(submit, tpdu, originator, now))
            target.offer(Incoming(Kind.DELIVER, pdu, submit.data_coding.message_class, report, submit.tp_pid))
        elif report:
            report()
        if person.answer is not None and destination not in self._answering and not _is_further_part(submit):
            self._answer_later(sender, destination, person)

    def inject(self, target: Subscriber, sender: str, text: str) -> int:
        """Let an SMS from the rest of the world arrive; returns the number of its parts.

        Raises ValueError (TpduError is one) when `sender` can be no address or `text` is too long.
        """
        originator, now = Address.from_text(sender), self._now()
        # Submissions are what the sender's phone would have built; the service centre makes deliveries of them.
        submits = build_submits(segment(text), originator, reference=self._next_reference(), validity=None)
        for submit in submits:
            pdu = _with_centre(target, deliver_from(submit, submit.to_bytes(), originator, now))
            target.card.offer(Incoming(Kind.DELIVER, pdu, submit.data_coding.message_class))
        return len(submits)

    def inject_pdu(self, target: Subscriber, pdu: bytes) -> None:
        """Let any PDU arrive, service centre field first; TpduError when that field is none or nothing follows it."""
        target.card.offer(incoming_from(pdu))

    def _answer_later(self, sender: Subscriber, number: str, person: Recipient) -> None:
        """Let somebody answer what reached them, and then be silent for a while: two machines could go on for ever."""
        self._answering.add(number)
        loop = asyncio.get_running_loop()
        delay = self._delay(sender, number)
        loop.call_later(delay + _THINKING_S, self.inject, sender, number, person.answer or "")
        loop.call_later(delay + _SILENT_S, self._answering.discard, number)

    def _delay(self, sender: Subscriber, number: str) -> float:
        own = sender.settings.recipients.get(number, USUAL).report_delay
        return sender.settings.report_delay if own is None else own

    def _next_reference(self) -> int:
        """The reference of the next concatenated message (9.2.3.24.1)."""
        self._reference = (self._reference + 1) % 256
        return self._reference

    def _report_later(self, sender: Subscriber, submit: SmsSubmit, reference: int, submitted: datetime) -> None:
        # Never from within the submission: the report of a message must not overtake its own +CMGS.
        loop = asyncio.get_running_loop()
        delay = self._delay(sender, submit.tp_da.text)
        tell = partial(self._report, sender, sender.card, submit, reference, submitted)
        if delay > 0:
            loop.call_later(delay, tell)
        else:
            loop.call_soon(tell)

    def _report(
        self, sender: Subscriber, card: SimCard, submit: SmsSubmit, reference: int, submitted: datetime
    ) -> None:
        if self._cards.get(_digits(card.number)) is not card:
            return
        status = sender.settings.recipients.get(submit.tp_da.text, USUAL).status
        report = SmsStatusReport(
            tp_mr=reference,
            tp_ra=submit.tp_da,
            tp_scts=TimeStamp.from_datetime(submitted),
            tp_dt=TimeStamp.from_datetime(self._now()),
            tp_st=DELIVERED if status is None else status,
        )
        card.offer(Incoming(Kind.STATUS_REPORT, _with_centre(sender, report.to_bytes())))


def deliver_from(submit: SmsSubmit, tpdu: bytes, originator: Address, at: datetime) -> bytes:
    """The SMS-DELIVER that a service centre makes of an SMS-SUBMIT: its user data octet by octet as they came."""
    validity = b"" if submit.tp_vp is None else submit.tp_vp.to_bytes(0)
    user_data = tpdu[2 + len(submit.tp_da.to_bytes()) + 2 + len(validity) :]
    flags = MMS_OR_RD | tpdu[0] & (UDHI | RP)
    head = bytes((flags,)) + originator.to_bytes() + bytes((submit.tp_pid, submit.tp_dcs))
    return head + TimeStamp.from_datetime(at).to_bytes("TP-SCTS", len(head)) + user_data


def _with_centre(subscriber: Subscriber, tpdu: bytes) -> bytes:
    return join_smsc(Address.from_text(subscriber.settings.smsc), tpdu)


def _is_further_part(submit: SmsSubmit) -> bool:
    """Whether it is a part of a long message, and not the first: the whole is answered once."""
    concatenation = submit.tp_ud.concatenation
    return concatenation is not None and concatenation.sequence > 1


def _digits(number: str) -> str:
    return number.removeprefix("+")

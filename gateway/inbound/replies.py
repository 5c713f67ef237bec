"""What the words of people do, in the transaction that keeps the message which says them.

STOP: the opt-out, the end of everything that waits for that person in what it covers, and what stood agreed to is taken
back. START undoes that. A word of the owner's joins a category; a yes answers the question of a double opt-in. What is
nearly a word is left to a person to judge.

Each is obeyed however often it comes; answered is one message of a person in a day, whatever it was, so that two
gateways that write to each other come to an end. Nobody is answered who cannot have asked: no short code, no name, no
modem of our own, and none who says our own words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from drivers.tpdu import segment
from gateway.address import AddressKind
from gateway.config.settings import Settings
from gateway.ids import IdSource
from gateway.inbound.own_words import OwnWords
from gateway.inbound.reading import Listener, Meaning
from gateway.message import ConsentState, Encoding, Status
from gateway.rules.keywords import Keyword
from gateway.rules.routing import Lane, wanted_text
from gateway.store import automatic, choices, consents, messages, optouts, questions, recipients, reviews
from gateway.store.consents import NewConsent
from gateway.store.questions import Question

#: The category whose priority and life an automatic reply has.
REPLY_CATEGORY = "transactional"

_CONFIRMED, _JOINED = "sms:confirm", "sms:join"
#: Who judged a reply whose sender then said clearly what they mean.
_SENDER = "sms"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person wrote: the inbox item, the person, what it means, and the category it answers, if any. `judge` is
    who said what it means where that was not plain."""

    inbox_id: str
    sender_id: int
    kind: AddressKind
    meaning: Meaning
    modem: str
    category: str | None
    node: str | None = None
    text: str | None = None
    judge: str | None = None


class Replies:
    """Obeys words, and answers."""

    def __init__(self, settings: Settings, ids: IdSource, *, shared: bool = False) -> None:
        self._settings = settings
        #: Whether ordinary texts are answered.
        self.answers_all = settings.replies.unread is not None
        self._shared = shared
        self._ids = ids
        self._stoppable = tuple(name for name, each in settings.categories.items() if each.stoppable)
        self._own_numbers = {each.number for each in settings.modems.values() if each.number is not None}
        self._words = OwnWords(settings)
        #: What tells what a message means.
        self.listener = Listener(settings)

    def obey(self, connection: Connection, reply: Reply, now_us: int) -> None:
        """Do what the message asks, and answer it if that may be."""
        text = self._done(connection, reply, now_us)
        if text is not None and self._may_answer(connection, reply, now_us):
            messages.add(connection, self._answer(reply, text, now_us))

    def say_unread(self, connection: Connection, reply: Reply, now_us: int) -> None:
        """Answer an ordinary text that nobody reads it, where the owner says so and that may be."""
        text = self._settings.replies.unread
        if text is None or optouts.is_opted_out(connection, reply.sender_id, REPLY_CATEGORY):
            return
        if self._may_answer(connection, reply, now_us):
            messages.add(connection, self._answer(reply, text, now_us))

    def questions(self, connection: Connection, person: int, now_us: int) -> list[Question]:
        """The questions that this person was asked and may say yes to, the latest first: none about what they have
        opted out of."""
        since_us = now_us - self._settings.replies.confirm_within_us
        asked = questions.open_to(connection, person, since_us)
        return [row for row in asked if not optouts.is_opted_out(connection, person, row.category)]

    def _done(self, connection: Connection, reply: Reply, now_us: int) -> str | None:
        """What the message asks for is done; the text that answers it, None for nothing."""
        meaning = reply.meaning
        if meaning.confirms is not None:
            return self._confirm(connection, reply, meaning.confirms, now_us)
        if meaning.joins is not None:
            return self._join(connection, reply, meaning.joins, now_us)
        match meaning.keyword:
            case Keyword.STOP:
                return self._stop(connection, reply, now_us)
            case Keyword.START:
                return self._start(connection, reply, now_us)
            case Keyword.HELP:
                return self._say(connection, reply, "help", reply.category)
            case None:
                self._doubt(connection, reply, now_us)
        return None

    def _doubt(self, connection: Connection, reply: Reply, now_us: int) -> None:
        """Let somebody judge what may be a word. Who cannot be written to anyway, and our own words, are no case."""
        near = reply.meaning.near
        if near is not None and reply.kind is AddressKind.E164 and not self._words.are_in(reply.text):
            reviews.add(connection, reply.inbox_id, reply.sender_id, near, now_us)

    def _stop(self, connection: Connection, reply: Reply, now_us: int) -> str | None:
        scope = self._scope(reply)
        added = choices.stop(connection, _deed(reply, now_us, choices.STOPPED), scope, self._stoppable)
        self._settle(connection, reply, now_us)
        return self._say(connection, reply, "stop_category" if scope else "stop", scope) if added else None

    def _start(self, connection: Connection, reply: Reply, now_us: int) -> str | None:
        changed = choices.start(connection, _deed(reply, now_us, choices.STARTED))
        self._settle(connection, reply, now_us)
        return self._say(connection, reply, "start") if changed else None

    def _settle(self, connection: Connection, reply: Reply, now_us: int) -> None:
        """Who now says plainly what they want has judged their earlier replies."""
        verdict = str(reply.meaning.keyword)
        if reviews.settle_all(connection, reply.sender_id, verdict, now_us, by=reply.judge or _SENDER):
            reviews.release_reviewed(connection, reply.sender_id, now_us)

    def _join(self, connection: Connection, reply: Reply, category: str, now_us: int) -> str | None:
        deed = _deed(reply, now_us, _JOINED)
        if self._settings.categories[category].double_opt_in:
            return self._ask(connection, reply, category, now_us)
        choices.join(connection, deed, category, wording=self._published(reply, category))
        return self._words.welcome(category)

    def _ask(self, connection: Connection, reply: Reply, category: str, now_us: int) -> str | None:
        """The question instead of the welcome. It is open only if it is asked."""
        if not self._may_answer(connection, reply, now_us):
            return None
        deed = _deed(reply, now_us, _JOINED)
        choices.lift_for(connection, deed, category)
        question = self._say(connection, reply, "confirm", category)
        wording = f"{self._published(reply, category)}\n{question}"
        consents.record(connection, choices.entry_of(deed, category, ConsentState.ASKED, wording))
        return question

    def _confirm(self, connection: Connection, reply: Reply, question: Question, now_us: int) -> str | None:
        deed = replace(_deed(reply, now_us, _CONFIRMED), by=question.by)
        given: NewConsent = choices.entry_of(deed, question.category, ConsentState.GIVEN, question.wording)
        consents.say_now(connection, given)
        return self._words.welcome(question.category)

    def _say(self, connection: Connection, reply: Reply, kind: str, category: str | None = None) -> str:
        """A text in what the sender reads, where a contact says so."""
        return self._words.say(kind, category=category, language=recipients.language_of(connection, reply.sender_id))

    def _published(self, reply: Reply, category: str) -> str:
        """What people were told who join: the owner's wording, else how it is called."""
        found = self._settings.categories[category]
        modem = self._settings.modems.get(reply.modem)
        number = modem.number if modem is not None and modem.number is not None else "this number"
        return found.join_wording or f"text {found.join_words[0]} to {number}"

    def _scope(self, reply: Reply) -> str:
        """The category named with the STOP; with `stop_scope = "category"` the one that was answered; each if it can be
        stopped, else all ("")."""
        named = reply.meaning.scope
        narrow = self._settings.replies.stop_scope == "category"
        scope = named if named in self._stoppable else reply.category if narrow else None
        return scope if scope is not None and scope in self._stoppable else ""

    def _may_answer(self, connection: Connection, reply: Reply, now_us: int) -> bool:
        if reply.kind is not AddressKind.E164 or self._words.are_in(reply.text):
            return False
        if self._own_numbers and recipients.number_of(connection, reply.sender_id) in self._own_numbers:
            return False
        return not automatic.answered_lately(connection, reply.sender_id, now_us)

    def _answer(self, reply: Reply, text: str, now_us: int) -> messages.NewRow:
        category = self._settings.categories[REPLY_CATEGORY]
        found = segment(text)
        all_simulated = all(modem.simulated for modem in self._settings.modems.values())
        mine = self._settings.modems.get(reply.modem) if reply.node in {None, self._settings.gateway.node} else None
        simulated = all_simulated if mine is None else mine.simulated
        # What a simulated modem heard beside real ones is answered by it, as what the test network hears always is.
        test = simulated and (not all_simulated or (mine is not None and mine.built_in))
        node = reply.node if self._shared else None
        return messages.NewRow(
            id=self._ids.new(),
            recipient_id=reply.sender_id,
            reply_to_inbox_id=reply.inbox_id,
            category=category.name,
            priority=category.priority,
            stoppable=category.stoppable,
            test=test,
            lane=Lane(category.priority, category.name, None, test, wanted_text(node, reply.modem)).text(),
            text=text,
            encoding=Encoding(found.encoding),
            parts=len(found.parts),
            # Doubt about an automatic reply is never worth a second copy.
            on_uncertain="never",
            wanted_modem=reply.modem,
            wanted_node=node,
            simulated=simulated,
            status=Status.QUEUED,
            created_us=now_us,
            due_us=now_us,
            expires_us=now_us + category.expires_after_us,
        )


def _deed(reply: Reply, now_us: int, source: str) -> choices.Deed:
    return choices.of_sms(reply.sender_id, now_us, source, reply.inbox_id, reply.judge)

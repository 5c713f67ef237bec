"""What people write about being written to: consent taken back and given again, joined, confirmed, doubted; and how
often any of it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update
from support.bench import NUMBER, Bench, delivers, make_bench
from support.clock import ManualClock
from support.settings import category, settings_in

from drivers.events import NO_RECEIPT, DeliverReceived
from gateway.address import AddressKind
from gateway.config.reply_texts import TEXTS
from gateway.config.settings import ReplySettings, Settings
from gateway.inbound.arrival import Origin, arrival_of
from gateway.inbound.inbox import Inbox
from gateway.inbound.own_words import OwnWords
from gateway.inbound.replies import Replies
from gateway.message import Consent, ConsentState, InboxItem, Message, Status
from gateway.requests import ConsentFilter, InboxFilter
from gateway.store import consents, inbox, optouts, questions, recipients, reviews
from gateway.store.consents import NewConsent
from gateway.store.database import Store
from gateway.store.schema import message

ORIGIN = Origin("sim1", "test-1", "8933")
GIVEN, WITHDRAWN, ASKED = ConsentState.GIVEN, ConsentState.WITHDRAWN, ConsentState.ASKED
CATEGORIES = (
    category("promotional", consent="opt_in", priority=1),
    category("club", consent="opt_in", join_words=("CLUB", "Les amis"), welcome="Bienvenue au club !"),
    category("loud", consent="opt_in", join_words=("FORT",), join_wording="Texte de l'affiche", double_opt_in=True),
    category("notices", stoppable=False),
)
DAY = timedelta(hours=25)


@dataclass
class Village:
    """A gateway that hears people, moved by hand."""

    bench: Bench

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.bench.ids, Replies(self.bench.settings, self.bench.ids))

    async def text(self, text: str, sender: str = NUMBER) -> InboxItem:
        """The inbox item of a message that comes a second later."""
        bench = self.bench
        bench.clock.advance(timedelta(seconds=1))
        for deliver, raw in delivers(sender, text, bench.clock.now_us()):
            arrival = arrival_of(DeliverReceived(deliver, None, raw, NO_RECEIPT), ORIGIN, "FR")
            lookup, now_us = bench.store.fingerprint(arrival.sender), bench.clock.now_us()
            await bench.store.write(
                lambda c, a=arrival, k=lookup, n=now_us: self.inbox.take(c, a, k, ORIGIN, n)  # type: ignore[misc]
            )
        everything = InboxFilter()
        page = await bench.store.read(
            lambda c: inbox.page(c, everything, recipient_id=None, token_id=None, limit=1, before=None)
        )
        return page.items[0]

    async def person(self, number: str = NUMBER) -> int:
        lookup, now_us = self.bench.store.fingerprint(number), self.bench.clock.now_us()
        return await self.bench.store.write(lambda c: recipients.ensure(c, number, AddressKind.E164, lookup, now_us))

    async def give(self, name: str, at_us: int = 1000, state: ConsentState = GIVEN, source: str = "api") -> None:
        who = await self.person()
        entry = NewConsent(
            recipient_id=who, category=name, state=state, at_us=at_us, recorded_us=at_us, source=source, wording="form"
        )
        await self.bench.store.write(lambda c: consents.record(c, entry))

    async def ask(self, name: str, at_us: int | None = None) -> Message:
        """The message of a question that was asked and has not left yet."""
        bench, who = self.bench, await self.person()
        asking = await bench.accept(text="Voulez-vous ?", reference=f"question about {name}")
        entry = NewConsent(
            recipient_id=who,
            category=name,
            state=ASKED,
            at_us=bench.clock.now_us() if at_us is None else at_us,
            recorded_us=bench.clock.now_us(),
            evidence=questions.evidence_of(asking.id, f"form 12\nmessage {'0' * 32}"),
        )
        await bench.store.write(lambda c: consents.record(c, entry))
        return asking

    async def standing(self) -> dict[str, ConsentState]:
        who = await self.person()
        return {name: state for (_, name), state in (await self.read(lambda c: consents.standing(c, [who]))).items()}

    async def entries(self) -> list[Consent]:
        """All of them, the first first."""
        page = await self.read(lambda c: consents.page(c, ConsentFilter(), recipient_id=None, limit=99, before=None))
        return [*reversed(page.items)]

    async def opted_out(self) -> set[str]:
        who = await self.person()
        return {name for _, name in await self.read(lambda c: optouts.standing(c, [who]))}

    async def answers(self) -> list[str]:
        """The texts of the automatic replies so far."""
        query = select(message.c.text).where(message.c.reply_to_inbox_id.is_not(None)).order_by(message.c.id)
        return [str(row.text) for row in await self.read(lambda c: c.execute(query).all())]

    async def read(self, work: Callable[[Connection], object]):  # type: ignore[no-untyped-def]
        return await self.bench.store.read(work)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, categories=CATEGORIES)


@pytest.fixture
async def village(settings: Settings, store: Store, clock: ManualClock) -> Village:
    return Village(await make_bench(settings, store, clock))


async def test_stop_takes_back_what_stood_given_and_start_gives_exactly_that_again(village: Village) -> None:
    await village.give("promotional")
    await village.give("club", state=WITHDRAWN)
    await village.give("notices")
    item = await village.text("STOP")
    assert await village.standing() == {"promotional": WITHDRAWN, "club": WITHDRAWN, "notices": GIVEN}
    assert await village.opted_out() == {""}
    back = await village.text("START")
    assert await village.standing() == {"promotional": GIVEN, "club": WITHDRAWN, "notices": GIVEN}
    assert await village.opted_out() == set()
    taken, given = (await village.entries())[-2:]
    assert (taken.state, taken.source, taken.channel, taken.evidence) == (WITHDRAWN, "sms:stop", "sms", item.id)
    assert (given.state, given.source, given.channel, given.evidence) == (GIVEN, "sms:start", "sms", back.id)
    assert given.wording == TEXTS["fr"]["stop"], "what they were told that START does"


async def test_a_consent_that_was_taken_back_otherwise_since_is_not_given_again(village: Village) -> None:
    await village.give("promotional")
    await village.text("STOP")
    await village.give("promotional", village.bench.clock.now_us() + 1, WITHDRAWN)
    await village.text("START")
    assert await village.standing() == {"promotional": WITHDRAWN}


@pytest.mark.parametrize("words", ["STOP promotional", "« Stop promotional » svp"])
async def test_stop_with_a_category_ends_that_one_alone(village: Village, words: str) -> None:
    await village.give("promotional")
    await village.give("club")
    later_us = village.bench.clock.now_us() + 3600 * 1_000_000
    waiting = await village.bench.accept(category="promotional", send_us=later_us)
    other = await village.bench.accept(category="club", send_us=later_us)
    await village.text(words)
    assert await village.opted_out() == {"promotional"}
    assert await village.standing() == {"promotional": WITHDRAWN, "club": GIVEN}
    assert (await village.bench.get(waiting.id)).status is Status.SUPPRESSED
    assert (await village.bench.get(other.id)).status is Status.HELD
    told = "Vous ne recevrez plus ce type de messages. Répondez START pour les recevoir à nouveau."
    assert await village.answers() == [told]


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_people_are_told_the_label_of_a_category_and_never_its_name(tmp_path: Path, language: str) -> None:
    labelled = category("club", label="nos offres {sender_name}")
    own = {language: {"help": "Les {category}: {sender_name}"}}
    base = settings_in(tmp_path, categories=(labelled,), language=language)
    words, written = OwnWords(base), OwnWords(replace(base, replies=ReplySettings(texts=own)))
    for kind in ("confirm", "stop_category"):
        assert "(nos offres {sender_name})" in words.say(kind, category="club")
        bare = words.say(kind, category="promotional")
        assert not set("(){}") & set(bare), "brackets go with what would stand in them"
        assert "promotional" not in bare
        assert "  " not in bare
        assert words.are_in(words.say(kind, category="club"))
        assert words.are_in(bare)
    assert written.say("help", category="club") == "Les nos offres {sender_name}: "
    assert written.say("help", category="promotional") == "Les: "


async def test_stop_with_a_category_that_cannot_be_stopped_is_a_stop(village: Village) -> None:
    await village.text("STOP notices")
    assert await village.opted_out() == {""}


async def test_a_word_of_the_owners_joins_lifts_its_own_opt_out_and_is_welcomed(village: Village) -> None:
    await village.text("STOP")
    village.bench.clock.advance(DAY)
    item = await village.text("« Club ! »")
    assert (item.keyword, await village.standing()) == (None, {"club": GIVEN})
    # What was said of the others stands.
    assert await village.opted_out() == {"", "+club"}
    assert await village.answers() == [TEXTS["fr"]["stop"], "Bienvenue au club !"]
    (entry,) = await village.entries()
    assert (entry.channel, entry.wording, entry.evidence, entry.source) == (
        "sms",
        "text CLUB to this number",
        item.id,
        "sms:join",
    )
    assert (await village.bench.accept(category="club")).status is Status.QUEUED
    assert (await village.bench.accept(category="promotional")).status is Status.SUPPRESSED
    await village.text("les amis")
    assert len(await village.entries()) == 1, "a member already"


async def test_a_join_word_in_a_sentence_joins_nothing(village: Village) -> None:
    for text in ("le club est fermé ?", "CLUB " * 60, "clubs"):
        await village.text(text)
    assert await village.standing() == {}


async def test_double_opt_in_by_a_word_asks_and_a_yes_gives(village: Village) -> None:
    await village.text("fort")
    assert await village.standing() == {}
    (asked,) = await village.entries()
    (question,) = await village.answers()
    assert (asked.state, asked.wording) == (ASKED, f"Texte de l'affiche\n{question}")
    assert "OUI" in question
    await village.bench.send_all()
    item = await village.text("Oui merci")
    assert (item.keyword, await village.standing()) == ("start", {"loud": GIVEN})
    given = (await village.entries())[-1]
    assert (given.evidence, given.source, given.wording) == (item.id, "sms:confirm", asked.wording)
    assert (await village.text("oui")).keyword is None, "nothing is open any more"


async def test_a_question_that_may_not_be_sent_is_not_open(village: Village) -> None:
    await village.text("AIDE")
    await village.text("FORT")
    assert len(await village.answers()) == 1
    await village.text("OUI")
    assert await village.standing() == {}


async def test_a_yes_to_a_question_that_never_left_says_nothing(village: Village) -> None:
    """It was held, cancelled, or refused by the network: nobody was shown it."""
    await village.text("FORT")
    await village.text("OUI")
    waits = await village.ask("promotional")
    refused = await village.ask("club")
    assert (await village.text("OUI")).keyword is None
    await village.bench.store.write(lambda c: c.execute(update(message).values(begun_us=1)))
    failed = update(message).where(message.c.id == refused.id).values(status="failed")
    await village.bench.store.write(lambda c: c.execute(failed))
    canceled = update(message).where(message.c.id == waits.id).values(status="canceled", begun_us=None)
    await village.bench.store.write(lambda c: c.execute(canceled))
    await village.text("OUI")
    assert await village.standing() == {"loud": GIVEN}, "the only question that a person has seen"
    assert (await village.text("OUI")).keyword is None


async def test_a_yes_to_what_came_after_a_question_is_no_answer_to_the_question(village: Village) -> None:
    asking = await village.ask("promotional")
    await village.bench.send_all()
    await village.bench.accept(text="Votre rendez-vous est demain.", reference="visit 7")
    village.bench.clock.advance(timedelta(minutes=1))
    waiting = await village.text("OUI")
    assert (waiting.keyword, waiting.in_reply_to, waiting.reference) == ("start", asking.id, asking.reference)
    assert await village.standing() == {"promotional": GIVEN}, "the reminder has not left"
    await village.ask("club")
    await village.bench.send_all(9)
    item = await village.text("Oui")
    assert (item.keyword, item.reference) == ("start", "question about club"), "the question left last"
    asked = await village.ask("loud")
    await village.bench.send_all(12)
    village.bench.clock.advance(timedelta(minutes=1))
    again = await village.bench.accept(text="Votre rendez-vous est demain.", reference="visit 8")
    await village.bench.send_all(15)
    item = await village.text("Oui")
    assert (item.keyword, item.in_reply_to, item.reference) == (None, again.id, "visit 8")
    assert "loud" not in await village.standing()
    failed = update(message).where(message.c.id == again.id).values(status="failed")
    await village.bench.store.write(lambda c: c.execute(failed))
    assert (await village.text("Oui")).in_reply_to == asked.id, "what failed was not read"


async def test_a_yes_points_to_a_question_that_answered_a_word(village: Village) -> None:
    """Also where something else left before; what answers a message is otherwise no message that is replied to."""
    await village.bench.accept(reference="before")
    await village.bench.send_all()
    await village.text("FORT")
    village.bench.clock.advance(timedelta(seconds=1))
    await village.bench.send_all(9)
    item = await village.text("oui")
    query = select(message.c.id).where(message.c.reply_to_inbox_id.is_not(None))
    assert item.in_reply_to == (await village.read(lambda c: c.execute(query).scalar_one()))
    assert item.reference is None


async def test_an_entry_that_names_no_message_of_the_persons_own_is_no_question(village: Village) -> None:
    other = await village.bench.accept("+33622222222")
    await village.bench.send_all()
    who, now_us = await village.person(), village.bench.clock.now_us()
    for evidence in (None, "", f"message {other.id}", "message " + "0" * 32, f"message {other.id}\n"):
        entry = NewConsent(
            recipient_id=who, category="club", state=ASKED, at_us=now_us, recorded_us=now_us, evidence=evidence
        )
        await village.bench.store.write(lambda c, entry=entry: consents.record(c, entry))
        assert (await village.text("OUI")).keyword is None
    assert await village.standing() == {}


async def test_a_yes_counts_for_seven_days_and_never_after_a_stop(village: Village) -> None:
    await village.ask("promotional")
    await village.bench.send_all()
    await village.text("STOP")
    await village.text("OUI")
    assert await village.standing() == {}
    await village.text("START")
    village.bench.clock.advance(timedelta(days=6, hours=23))
    await village.text("ja")
    assert await village.standing() == {"promotional": GIVEN}
    await village.ask("club")
    await village.bench.send_all()
    village.bench.clock.advance(timedelta(days=7, seconds=1))
    assert (await village.text("YES")).keyword is None
    assert "club" not in await village.standing()


async def test_two_questions_are_answered_by_two_yeses_the_latest_first(village: Village) -> None:
    now_us = village.bench.clock.now_us()
    await village.ask("promotional", now_us)
    await village.ask("club", now_us + 1)
    await village.bench.send_all()
    await village.text("OUI")
    assert await village.standing() == {"club": GIVEN}
    await village.text("OUI OUI")
    assert await village.standing() == {"club": GIVEN, "promotional": GIVEN}


@pytest.mark.parametrize(
    ("text", "answer", "keyword"),
    [
        ("ok !", "OK", None),
        ("OUI", "OUI", None),
        ("cancel", "CANCEL", None),
        ("stop", None, "stop"),
        ("Arrêt", None, "stop"),
        ("STOPALL", None, "stop"),
        ("unsubscribe", None, "stop"),
        ("non", None, None),
    ],
)
async def test_a_listed_answer_wins_over_every_word_but_four(
    village: Village, text: str, answer: str | None, keyword: str | None
) -> None:
    sent = await village.bench.accept(reference="alert-1")
    await village.bench.send_all()
    listed = update(message).where(message.c.id == sent.id).values(expect='["OK", "OUI", "CANCEL", "STOP"]')
    await village.bench.store.write(lambda c: c.execute(listed))
    item = await village.text(text)
    assert (item.answer, item.keyword, item.reference) == (answer, keyword, "alert-1")
    assert (await village.opted_out() == {""}) is (keyword == "stop")


async def test_a_near_miss_waits_for_a_person_and_a_plain_word_settles_it(village: Village) -> None:
    item = await village.text("stpo")
    who = await village.person()
    assert item.keyword is None
    assert await village.read(lambda c: reviews.standing(c, [who])) == {who}
    assert await village.opted_out() == set()
    held = await village.bench.accept(category="promotional")
    del held
    await village.text("STOP")
    assert await village.read(lambda c: reviews.standing(c, [who])) == set()
    settled = await village.read(lambda c: reviews.get(c, item.id))
    assert (settled.guess, settled.settled_as, settled.settled_by) == ("stop", "stop", "sms")


@pytest.mark.parametrize("sender", ["36111", "Clinique"])
async def test_what_nobody_can_write_to_is_no_case(village: Village, sender: str) -> None:
    for text in ("stpo", "CLUB", "AIDE", "STOP"):
        await village.text(text, sender)
    assert await village.answers() == []
    assert not (await village.read(lambda c: reviews.page(c, limit=9, before=None))).items


async def test_one_answer_in_a_day_over_all_words_and_each_is_obeyed(village: Village) -> None:
    for text in ("AIDE", "STOP", "START", "STOP", "AIDE", "CLUB"):
        await village.text(text)
    assert len(await village.answers()) == 1
    assert await village.standing() == {"club": GIVEN}
    village.bench.clock.advance(DAY)
    await village.text("info")
    assert len(await village.answers()) == 2
    await village.text("STOP", "+33622222222")
    assert len(await village.answers()) == 3, "another person"


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
async def test_a_clock_that_jumps_neither_silences_for_long_nor_floods(village: Village, jump: timedelta) -> None:
    await village.text("AIDE")
    village.bench.clock.set_wall(village.bench.clock.now_us() + jump // timedelta(microseconds=1))
    await village.text("AIDE ?")
    await village.text("AIDE !")
    assert len(await village.answers()) == 2


async def test_our_own_modems_are_never_answered(tmp_path: Path, store: Store, clock: ManualClock) -> None:
    base = settings_in(tmp_path, categories=CATEGORIES)
    modems = {"sim1": replace(base.modems["sim1"], number="+33612345678")}
    village = Village(await make_bench(replace(base, modems=modems), store, clock))
    for text in ("AIDE", "STOP", "CLUB"):
        await village.text(text)
    assert await village.answers() == []
    assert await village.opted_out() != set()


@pytest.mark.parametrize("kind", ["stop", "start", "help", "confirm"])
@pytest.mark.parametrize("language", sorted(TEXTS))
async def test_two_gateways_that_write_to_each_other_come_to_an_end(
    tmp_path: Path, store: Store, clock: ManualClock, language: str, kind: str
) -> None:
    """Each says what the other obeys: the worst that two owners can write."""
    worst = {kind: {"stop": "START", "start": "STOP", "help": "AIDE", "confirm": "FORT"}[kind]}
    base = settings_in(tmp_path, categories=CATEGORIES, language=language)
    settings = replace(base, replies=ReplySettings(texts={language: worst}))
    village = Village(await make_bench(settings, store, clock))
    a, b = "+33611111111", "+33622222222"
    said: list[tuple[str, str]] = [(a, "AIDE"), (b, "FORT"), (a, "STOP")]
    rounds = 0
    while said and rounds < 50:
        sender, text = said.pop(0)
        before = len(await village.answers())
        await village.text(text, sender)
        # What either is answered comes back from the other.
        said += [(b if sender == a else a, answer) for answer in (await village.answers())[before:]]
        rounds += 1
    assert not said
    assert len(await village.answers()) <= 2


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize("name", [None, "Clinique du Parc"])
def test_every_text_fits_is_known_again_and_names_the_sender(tmp_path: Path, language: str, name: str | None) -> None:
    base = settings_in(tmp_path, language=language)
    words = OwnWords(replace(base, gateway=replace(base.gateway, sender_name=name)))
    other = OwnWords(settings_in(tmp_path, language="en"))
    for kind in TEXTS[language]:
        text = words.say(kind, category="promotional")
        assert "{" not in text
        assert len(text) <= (70 if language == "ar" and name is None else 160)
        assert (name is not None and text.startswith(f"{name}: ")) is (kind in {"help", "confirm"} and name is not None)
        assert other.are_in(text)
        assert other.are_in(f" {text.upper()} ")
    for ordinary in ("STOP", "AIDE", "OUI", "Bonjour, à quelle heure ?", None, "x" * 100_000):
        assert not other.are_in(ordinary)


def test_the_owners_texts_come_before_ours_and_a_stop_of_one_is_told_by_theirs(tmp_path: Path) -> None:
    base = settings_in(tmp_path, language="da")
    words = OwnWords(replace(base, replies=ReplySettings(texts={"da": {"stop": "Farvel."}})))
    assert (words.say("stop"), words.say("stop_category")) == ("Farvel.", "Farvel.")
    assert words.say("start") == TEXTS["en"]["start"]

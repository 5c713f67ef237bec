"""Imports over a real store of either engine: what becomes of rows, of people who said no, and after a break."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.clock import START_US, ManualClock
from support.settings import category, settings_in
from support.waiting import eventually

from gateway.address import AddressKind
from gateway.clock import SECOND_US
from gateway.errors import InvalidRequest
from gateway.ids import IdSource
from gateway.message import ConsentState
from gateway.people.aside import Aside
from gateway.people.contact import Contact
from gateway.people.contacts import contact_of, types_of
from gateway.people.importing import Importer
from gateway.people.importing_groups import ConsentBrought
from gateway.people.importing_wishes import ImportView, ImportWishes, view_of
from gateway.store import choices, consents, contacts, imports, optouts, recipients
from gateway.store.choices import Deed
from gateway.store.database import Store

CLUB = ConsentBrought("club", ConsentState.GIVEN, START_US - 10 * SECOND_US, "form", "I want news", "office")


class Here(Aside):
    """Does the jobs in a thread: a process takes a second to start, and most tests are about something else."""

    async def run(self, within_s, function, *args, **kwargs):
        async with asyncio.timeout(within_s):
            return await asyncio.to_thread(lambda: function(*pickle.loads(pickle.dumps(args)), **kwargs))


@dataclass
class Desk:
    """An importer over a store, and what it wrote."""

    importer: Importer
    store: Store
    clock: ManualClock

    async def receive(self, *pieces: bytes, **wishes: Any) -> tuple[ImportView, bool]:
        async def octets() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        return await self.importer.receive(octets(), ImportWishes(**wishes), None)

    async def load(self, text: str | bytes, **wishes: Any) -> ImportView:
        found, _ = await self.receive(text.encode() if isinstance(text, str) else text, **wishes)
        await self.importer.work_off()
        return await self.view(found.id)

    async def view(self, import_id: str) -> ImportView:
        row = await self.store.read(lambda connection: imports.get(connection, import_id))
        assert row is not None
        return view_of(row)

    async def rejected(self, import_id: str) -> list[tuple[int, str]]:
        rows, _ = await self.store.read(
            lambda connection: imports.rejections(connection, import_id, limit=1000, after=0)
        )
        return [(row.line, row.code) for row in rows]

    async def people(self) -> dict[str, Contact]:
        def work(connection):
            types = types_of(connection)
            return [contact_of(row, types) for row in contacts.after(connection, 0, 10_000)]

        return {each.number: each for each in await self.store.read(work)}

    async def person(self, number: str) -> int:
        lookup = self.store.fingerprint(number)
        return await self.store.write(
            lambda c: recipients.ensure(c, number, AddressKind.E164, lookup, self.clock.now_us())
        )


@pytest.fixture
async def desk(tmp_path: Path, store: Store, clock: ManualClock) -> AsyncIterator[Desk]:
    settings = settings_in(tmp_path, categories=(category("club", consent="opt_in"),))
    made = Desk(Importer(settings, store, clock, IdSource(clock), Here()), store, clock)
    yield made
    await made.importer.close()


LATIN = """Téléphone;Prénom;Nom;Ville;Né le;Membre;Visites
06 12 34 56 01;Zoé;Müller;Orléans;14/03/1957;oui;3
+33 6 12 34 56 02;Anaïs;Léger;"Paris; 5e";01/02/2001;non;12

0612345603;;;;;;
"""


@pytest.mark.parametrize(
    ("charset", "ends"),
    [
        ("latin-1", "\n"),
        ("cp1252", "\r\n"),
        ("utf-8", "\n"),
        ("utf-8", "\r"),
        ("utf-8-sig", "\r\n"),
        ("utf-16", "\r\n"),
        ("utf-16-le", "\r"),
    ],
)
async def test_a_file_as_people_have_it(desk: Desk, charset: str, ends: str):
    done = await desk.load(LATIN.replace("\n", ends).encode(charset))
    assert (done.status, done.lines, done.added, done.rejected, done.delimiter) == ("finished", done.total, 3, 0, ";")
    assert [(each.column, each.field, each.type) for each in done.columns] == [
        ("Téléphone", "number", None),
        ("Prénom", "attributes.prenom", "text"),
        ("Nom", "attributes.nom", "text"),
        ("Ville", "attributes.ville", "text"),
        ("Né le", "attributes.ne_le", "date"),
        ("Membre", "attributes.membre", "bool"),
        ("Visites", "attributes.visites", "number"),
    ]
    people = await desk.people()
    assert [*people] == ["+33612345601", "+33612345602", "+33612345603"]
    zoe, anais, nobody = people.values()
    assert zoe.name == "Zoé Müller"
    assert (zoe.attributes["ville"], str(zoe.attributes["ne_le"])) == ("Orléans", "1957-03-14")
    assert (anais.attributes["ville"], anais.attributes["membre"], anais.attributes["visites"]) == (
        "Paris; 5e",
        False,
        12,
    )
    assert (nobody.name, nobody.attributes) == (None, {})


BAD = """number,name,email,timezone,age
0612345601,First,a@example.org,Europe/Paris,1
12,Short,,,
+33899000000,Premium,,,
0612345601,Other,,,
0612345602,Second,not a mail,,
0612345603,Third,,Mars/Olympus,
0612345604,{long},,,
0612345605,Fifth,,,seven
0612345606,Six,,,1,surplus
0612345607,Sev"en,,,
0612345608,"Eight" x,,,
,Nobody,,,
0612345609,N\x00UL,,,
+33 6 12 34 56 01,First,,,
0612345610,Last,,,2
"""


async def test_every_row_that_is_not_taken_is_named_with_its_line(desk: Desk):
    done = await desk.load(BAD.format(long="x" * 201), types={"age": "number"})
    assert await desk.rejected(done.id) == [
        (3, "number_invalid"),
        (4, "number_not_allowed"),
        (5, "number_twice"),
        (6, "bad_email"),
        (7, "bad_timezone"),
        (8, "too_long"),
        (9, "bad_value"),
        (10, "bad_value"),
        (12, "bad_value"),
        (13, "number_invalid"),
        (14, "bad_value"),
        (15, "number_twice"),
    ]
    people = await desk.people()
    assert {number: each.name for number, each in people.items()} == {
        "+33612345601": "First",
        "+33612345607": 'Sev"en',
        "+33612345610": "Last",
    }
    assert (done.added, done.changed, done.rejected, done.lines) == (3, 0, 12, 16)


async def test_no_reason_repeats_what_stood_in_the_file(desk: Desk):
    done = await desk.load(BAD.format(long="x" * 201), types={"age": "number"})
    rows, _ = await desk.store.read(lambda c: imports.rejections(c, done.id, limit=100, after=0))
    for row in rows:
        assert not any(
            word in row.reason for word in ("0612", "3361", "Mars", "seven", "surplus", "Eight", "not a mail")
        )


async def test_a_row_that_never_ends_swallows_no_other(desk: Desk):
    endless = 'number,name\n0612345601,"open\n0612345602,B\n' + f"0612345603,{'x' * 10_000_000}\n0612345604,D\n"
    done = await desk.load(endless)
    assert await desk.rejected(done.id) == [(2, "too_long"), (4, "too_long")]
    assert [*(await desk.people())] == ["+33612345602", "+33612345604"]
    open_at_the_end = await desk.load('number,name\n0612345605,"open\n0612345606,B\n')
    assert await desk.rejected(open_at_the_end.id) == [(2, "bad_value")]
    assert "+33612345606" in await desk.people()


@pytest.mark.parametrize(
    ("text", "wishes", "code"),
    [
        ("", {}, "columns_missing"),
        ("+33612345601,Marie Curie\n", {}, "columns_missing"),
        ("a,b\n", {"columns": {"c": "number"}}, "columns_missing"),
        ("a,b\n", {"columns": {"a": "number", "b": "number"}}, "columns_invalid"),
        ("a,b\n", {"columns": {"a": "number", "b": "surname"}}, "columns_invalid"),
        ("a,b\n", {"columns": {"a": "number", "b": "attributes.No"}}, "columns_invalid"),
        ("number," + ",".join(f"c{n}" for n in range(300)), {}, "columns_invalid"),
    ],
)
async def test_a_file_whose_columns_are_not_known_is_refused_whole(
    desk: Desk, tmp_path: Path, text: str, wishes: dict, code: str
):
    with pytest.raises(InvalidRequest) as refused:
        await desk.load(text, **wishes)
    assert refused.value.code == code
    assert "Curie" not in refused.value.message
    assert [*(tmp_path / "imports").iterdir()] == []


async def test_columns_can_be_said_to_be_anything(desk: Desk):
    text = "Ligne 1|Remarque|Tél|pays\n0612345601|hello|x|FR\n0612345602||y|Narnia\n"
    done = await desk.load(text, columns={"ligne 1": "number", "Tél": "-", "Remarque": "name"}, tags=("a", "b"))
    assert [each.field for each in done.columns] == ["number", "name", "-", "attributes.pays"]
    people = await desk.people()
    assert (people["+33612345601"].name, people["+33612345601"].tags) == ("hello", ("a", "b"))
    assert people["+33612345602"].attributes == {"pays": "Narnia"}
    # Where every cell is a country, it is the country.
    fine = await desk.load("tel;pays;langue\n0612345603;be;fr_BE\n")
    assert [each.field for each in fine.columns] == ["number", "country", "language"]
    third = (await desk.people())["+33612345603"]
    assert (third.country, third.language, third.attributes) == ("BE", "fr-BE", {})


async def test_a_second_file_adds_and_leaves_what_it_does_not_say(desk: Desk):
    await desk.load("number,name,tags,city,floor,timezone\n0612345601,Ada,x,Lyon,2,Asia/Tokyo\n")
    done = await desk.load("number,name,tags,city,door\n0612345601,,y,Paris,B\n0612345602,New,,,\n")
    assert (done.added, done.changed) == (1, 1)
    ada = (await desk.people())["+33612345601"]
    assert (ada.name, ada.tags, ada.timezone) == ("Ada", ("x", "y"), "Asia/Tokyo")
    assert ada.attributes == {"city": "Paris", "door": "B", "floor": 2}


async def test_the_type_of_an_attribute_stays_that_of_the_first(desk: Desk):
    await desk.load("number,code\n0612345601,12\n")
    done = await desk.load("number,code\n0612345602,B12\n0612345603,13\n")
    assert await desk.rejected(done.id) == [(2, "bad_value")]
    with pytest.raises(InvalidRequest) as refused:
        await desk.load("number,code\n0612345604,B12\n", types={"code": "text"})
    assert refused.value.errors[0].pointer == "types"


# --- consent


async def test_consent_is_written_down_with_its_source(desk: Desk):
    text = "number\n0612345601\n0612345602\n"
    done = await desk.load(text, consent=CLUB)
    assert (done.consents, done.withheld) == (2, 0)
    who = await desk.person("+33612345601")
    (entry,) = (await desk.store.read(lambda c: consents.latest_of(c, who))).values()
    assert (entry.state, entry.at_us, entry.source, entry.channel) == ("given", CLUB.at_us, "form", "import")
    assert (entry.wording, entry.by, entry.evidence) == ("I want news", "office", f"import {done.id}, line 2")
    # The same again says nothing new.
    again = await desk.load(text, consent=CLUB)
    assert (again.changed, again.consents, again.withheld) == (2, 0, 0)


@pytest.mark.parametrize("at_us", [None, START_US - SECOND_US, START_US + 50 * SECOND_US])
async def test_no_import_brings_anybody_back(desk: Desk, at_us: int | None):
    text = "number\n" + "".join(f"061234560{n}\n" for n in range(1, 5))
    await desk.load(text, consent=CLUB)
    stopped, withdrew, joined = [await desk.person(f"+3361234560{n}") for n in (1, 2, 3)]

    def say_no(connection):
        for person, scope in ((stopped, ""), (joined, "club")):
            deed = Deed(person, START_US, choices.STOPPED, choices.STOPPED)
            choices.stop(connection, deed, scope, ("club",))
        entry = consents.NewConsent(
            recipient_id=withdrew, category="club", state=ConsentState.WITHDRAWN, at_us=START_US, recorded_us=START_US
        )
        consents.record(connection, entry)

    await desk.store.write(say_no)
    desk.clock.set_wall(START_US + 100 * SECOND_US)
    done = await desk.load(text, consent=replace(CLUB, at_us=at_us))
    assert done.changed == 4
    people = [stopped, withdrew, joined]
    said = await desk.store.read(lambda c: consents.said_last(c, people, "club"))
    assert {state for state, _ in said.values()} == {ConsentState.WITHDRAWN}
    out = await desk.store.read(lambda c: optouts.standing(c, people))
    assert out == {(stopped, ""), (joined, "club")}


async def test_a_withdrawal_that_is_imported_ends_consent(desk: Desk):
    await desk.load("number\n0612345601\n", consent=CLUB)
    done = await desk.load("number\n0612345601\n", consent=replace(CLUB, state=ConsentState.WITHDRAWN, at_us=START_US))
    assert done.consents == 1
    who = await desk.person("+33612345601")
    assert await desk.store.read(lambda c: consents.state_of(c, who, "club")) is ConsentState.WITHDRAWN


# --- after a break


def _many(count: int) -> bytes:
    return b"number,name\n" + b"".join(b"06%08d,N%d\n" % (12_000_000 + at, at) for at in range(count))


async def test_the_same_file_goes_on_where_it_was_broken_off(desk: Desk, tmp_path: Path, clock: ManualClock):
    text = _many(3000)
    found, new = await desk.receive(text[:1000], text[1000:])
    assert (new, found.lines) == (True, 0)
    reading = asyncio.ensure_future(desk.importer.work_off())

    async def begun() -> bool:
        return (await desk.view(found.id)).lines > 0

    await eventually(begun)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await desk.importer.close()
    # Another start of the gateway, which has lost the file.
    for path in (tmp_path / "imports").iterdir():
        path.unlink()
    desk.importer = Importer(settings_in(tmp_path), desk.store, clock, IdSource(clock), Here())
    again, new = await desk.receive(text)
    assert (again.id, new) == (found.id, False)
    await desk.importer.work_off()
    done = await desk.view(found.id)
    assert (done.status, done.lines, done.added, done.changed, done.rejected) == ("finished", 3001, 3000, 0, 0)
    assert len(await desk.people()) == 3000
    assert [*(tmp_path / "imports").iterdir()] == []
    # What is finished is another import the next time.
    once_more, new = await desk.receive(text)
    assert (new, once_more.id != found.id) == (True, True)


async def test_the_process_beside_reads_the_same(tmp_path: Path, store: Store, clock: ManualClock):
    importer = Importer(settings_in(tmp_path), store, clock, IdSource(clock))
    done = await Desk(importer, store, clock).load(LATIN.encode("latin-1"))
    await importer.close()
    assert (done.status, done.added, done.rejected) == ("finished", 3, 0)


async def test_a_gateway_that_starts_again_goes_on_by_itself(desk: Desk, tmp_path: Path, clock: ManualClock):
    found, _ = await desk.receive(_many(500))
    await desk.importer.close()
    desk.importer = Importer(settings_in(tmp_path), desk.store, clock, IdSource(clock), Here())
    running = asyncio.ensure_future(desk.importer.run())

    async def finished() -> bool:
        return (await desk.view(found.id)).status == "finished"

    await eventually(finished)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await desk.view(found.id)).added == 500


async def test_a_body_that_breaks_off_leaves_nothing(desk: Desk, tmp_path: Path):
    async def octets() -> AsyncIterator[bytes]:
        yield b"number\n0612345601\n"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await desk.importer.receive(octets(), ImportWishes(), None)
    assert [*(tmp_path / "imports").iterdir()] == []
    assert await desk.store.read(imports.running) == []


async def test_a_file_that_is_gone_ends_its_import_alone(desk: Desk, tmp_path: Path, clock: ManualClock):
    lost, _ = await desk.receive(_many(10))
    (tmp_path / "imports" / f"{lost.id}.csv").unlink()
    found, _ = await desk.receive(_many(20))
    working = asyncio.ensure_future(desk.importer.work_off())

    async def over() -> bool:
        clock.advance(timedelta(seconds=10))
        return working.done()

    await eventually(over)
    assert [(await desk.view(one.id)).status for one in (lost, found)] == ["failed", "finished"]
    assert (await desk.view(lost.id)).problem == "import_failed"

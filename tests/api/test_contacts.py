"""Contacts over the interface: made, read, changed, merged, listed; their attributes; who may."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from support.clock import START_US
from support.http import Api

from api.models.contacts import ContactOut
from gateway.clock import rfc3339

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("nobody")]

NOW = rfc3339(START_US)
FIELDS = [*ContactOut.model_fields]
_NUMBERS = itertools.count(1)


@pytest.fixture
def fresh() -> Callable[[], str]:
    """A number that nobody has used."""
    return lambda: f"+3363998{next(_NUMBERS):04d}"


async def _make(api: Api, number: str, **fields: Any) -> dict:
    made = await api.post("/v1/contacts", {"number": number, **fields})
    assert made.status == 201, made.document
    return made.document


async def test_a_contact_is_told_as_the_contract_shows_it(api: Api):
    wanted = {
        "name": "  Ada   Lovelace ",
        "email": "ada@example.org",
        "push": "ntfys://ntfy.example.org/ada",
        "attributes": {"city": "Lyon", "birth_date": "1957-12-10", "visits": 3, "weight": 61.5, "vip": True, "x": None},
        "tags": ["diabetes", "été", "diabetes"],
        "timezone": "Europe/Paris",
        "country": "fr",
        "language": "FR_be",
    }
    made = await _make(api, "06 39 98 77 01", **wanted)
    assert list(made) == FIELDS
    assert made == {
        "number": "+33639987701",
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "push": "ntfys://ntfy.example.org/ada",
        "attributes": {"birth_date": "1957-12-10", "city": "Lyon", "vip": True, "visits": 3, "weight": 61.5},
        "tags": ["diabetes", "été"],
        "timezone": "Europe/Paris",
        "language": "fr-BE",
        "country": "FR",
        "created_at": NOW,
        "updated_at": NOW,
        "dead": None,
    }
    for written in ("+33639987701", "%2B33639987701", "06%2039%2098%2077%2001", "0639987701"):
        assert (await api.get(f"/v1/contacts/{written}")).document == made
    types = {one["name"]: one["type"] for one in (await api.get("/v1/contacts/attributes")).items}
    assert types == {"birth_date": "date", "city": "text", "vip": "bool", "visits": "number", "weight": "number"}
    again = await api.post("/v1/contacts", {"number": "+33639987701"})
    assert (again.status, again.code) == (409, "contact_exists")


async def test_a_change_leaves_what_it_does_not_name_and_put_takes_it_away(api: Api, fresh):
    number = fresh()
    made = await _make(
        api, number, name="A", tags=["x"], attributes={"city": "Lyon", "floor": 2}, timezone="Asia/Tokyo"
    )
    changed = await api.ask("PATCH", f"/v1/contacts/{number}", json={"attributes": {"floor": None, "door": "B"}})
    assert changed.document == made | {"attributes": {"city": "Lyon", "door": "B"}}
    gone = await api.ask("PATCH", f"/v1/contacts/{number}", json={"name": None, "timezone": None, "tags": []})
    assert (gone.document["name"], gone.document["timezone"], gone.document["tags"]) == (None, None, [])
    whole = await api.ask("PUT", f"/v1/contacts/{number}", json={"name": "B"})
    assert (whole.status, whole.document) == (200, made | {"name": "B", "tags": [], "attributes": {}, "timezone": None})
    other = await api.ask("PUT", f"/v1/contacts/{fresh()}", json={"language": "de"})
    assert (other.status, other.document["language"]) == (201, "de")


async def test_deleting_a_contact_keeps_its_opt_out_and_its_messages(api: Api, fresh):
    number = fresh()
    made = await _make(api, number, name="A", language="de")
    sent = await api.post("/v1/messages", {"to": number, "text": "x"})
    await api.post("/v1/optouts", {"number": number})
    assert (await api.delete(f"/v1/contacts/{number}")).document == made
    assert [(await api.get(f"/v1/contacts/{number}")).code, (await api.delete(f"/v1/contacts/{number}")).code] == (
        ["contact_not_found"] * 2
    )
    assert (await api.get(f"/v1/messages/{sent.document['id']}")).document["to"] == number
    assert len((await api.get("/v1/optouts", params={"number": number})).items) == 1
    assert (await _make(api, number))["language"] is None


BAD = [
    ({"name": "x" * 201}, "/name"),
    ({"name": "a\x00b"}, "/name"),
    ({"name": "a\u202eb"}, "/name"),
    ({"email": "two@example.org, three@example.org"}, "/email"),
    ({"push": "json://127.0.0.1/"}, "/push"),
    ({"push": "nothing"}, "/push"),
    ({"timezone": "Mars/Olympus"}, "/timezone"),
    ({"timezone": "../../etc/passwd"}, "/timezone"),
    ({"country": "XX"}, "/country"),
    ({"language": "klingonese"}, "/language"),
    ({"tags": ["a,b"]}, "/tags"),
    ({"tags": [""]}, "/tags"),
    ({"tags": [f"t{n}" for n in range(65)]}, "/tags"),
    ({"attributes": {"Not A Name": 1}}, "/attributes/Not A Name"),
    ({"attributes": {"a/b~": 1}}, "/attributes/a~1b~0"),
    ({"attributes": {"x": "y" * 1001}}, "/attributes/x"),
    ({"attributes": {"x": 1e300}}, "/attributes/x"),
    ({"attributes": {"known": "no number"}}, "/attributes/known"),
    ({"attributes": {"known": True}}, "/attributes/known"),
    ({"attributes": {"x": [1]}}, None),
    ({"attributes": {"x": {"y": 1}}}, None),
    ({"surname": "x"}, "/surname"),
    ({"tags": "x"}, "/tags"),
]


@pytest.mark.parametrize(("fields", "pointer"), BAD, ids=lambda value: str(value)[:40])
async def test_what_cannot_be_taken_is_named_and_nothing_is_written(api: Api, fresh, fields: dict, pointer: str | None):
    await api.ask("PUT", "/v1/contacts/attributes/known", json={"type": "number"})
    number = fresh()
    refused = await api.post("/v1/contacts", {"number": number, **fields})
    assert refused.status == 422
    if pointer is not None:
        assert refused.pointers == [pointer]
    assert (await api.get(f"/v1/contacts/{number}")).status == 404
    assert [one["name"] for one in (await api.get("/v1/contacts/attributes")).items] == ["known"]


@pytest.mark.parametrize(
    ("number", "code"), [("12", "number_invalid"), ("x", "number_invalid"), ("+33899000000", "number_not_allowed")]
)
async def test_a_number_that_is_not_written_to_has_no_contact(api: Api, number: str, code: str):
    assert (await api.post("/v1/contacts", {"number": number})).code in {code, "number_not_allowed"}
    assert (await api.ask("PUT", f"/v1/contacts/{number}", json={})).code in {code, "number_not_allowed"}


async def test_lists_are_paged_and_filtered(api: Api, fresh):
    numbers = [fresh() for _ in range(5)]
    for at, number in enumerate(numbers):
        await _make(api, number, name=f"Nom {at}", email=f"m{at}@example.org", tags=["even" if at % 2 == 0 else "Even"])
    seen, cursor = [], None
    while True:
        page = await api.get("/v1/contacts", params={"limit": "2"} | ({"cursor": cursor} if cursor else {}))
        seen += [one["number"] for one in page.items]
        if (cursor := page.document["next"]) is None:
            break
    assert seen == numbers[::-1]

    async def found(**query: str) -> list[str]:
        return [one["number"] for one in (await api.get("/v1/contacts", params=query)).items][::-1]

    # Tags are told apart by their letters, and none is part of another.
    assert await found(tag="even") == numbers[::2]
    assert await found(tag="Even") == numbers[1::2]
    assert await found(tag="eve") == []
    assert await found(q="nOM 3") == [numbers[3]]
    assert await found(q="m4@") == [numbers[4]]
    assert await found(q=numbers[2]) == [numbers[2]]
    assert await found(q="%") == []
    assert await found(q="m1@", tag="even") == []
    for query in ({"tag": "a,b"}, {"hygiene": "x"}, {"days": "0"}, {"days": "x"}, {"what": "1"}, {"cursor": "x"}):
        assert (await api.get("/v1/contacts", params=query)).status == 422


async def test_numbers_of_no_use_are_listed(api: Api, fresh):
    out, fine = fresh(), fresh()
    for number in (out, fine):
        await _make(api, number)
    await api.post("/v1/optouts", {"number": out})
    answers = {
        word: [one["number"] for one in (await api.get("/v1/contacts", params={"hygiene": word})).items]
        for word in ("dead", "never_delivered", "unsubscribed", "stale")
    }
    assert answers == {"dead": [], "never_delivered": [], "unsubscribed": [out], "stale": []}


async def test_two_contacts_become_one_and_the_targets_values_stay(api: Api, fresh):
    source, target = fresh(), fresh()
    await _make(api, source, name="Old", email="a@example.org", tags=["x", "y"], attributes={"city": "Lyon", "age": 3})
    await _make(api, target, name="New", tags=["y", "z"], attributes={"city": "Paris"})
    await api.post("/v1/optouts", {"number": source})
    merged = await api.post("/v1/contacts/merge", {"from": source, "into": target})
    told = merged.document
    assert (merged.status, told["number"], told["name"], told["email"]) == (200, target, "New", "a@example.org")
    assert (told["tags"], told["attributes"]) == (["y", "z", "x"], {"age": 3, "city": "Paris"})
    assert (await api.get(f"/v1/contacts/{source}")).status == 404
    # What a number was told stays with the number.
    assert len((await api.get("/v1/optouts", params={"number": source})).items) == 1
    assert (await api.get("/v1/optouts", params={"number": target})).items == []
    same = await api.post("/v1/contacts/merge", {"from": target, "into": target})
    assert (same.status, same.code) == (422, "merge_with_itself")
    gone = await api.post("/v1/contacts/merge", {"from": source, "into": target})
    assert (gone.status, gone.code) == (404, "contact_not_found")


async def test_duplicates_say_what_they_have_in_common(api: Api, fresh):
    people = [
        {"email": "Ada@example.org"},
        {"email": "ada@EXAMPLE.org"},
        {"name": "Marie Curie", "attributes": {"birth_date": "1867-11-07"}},
        {"name": "CURIE, Marie", "attributes": {"birth_date": "1867-11-07"}},
        {"name": "Marie Curie", "attributes": {"birth_date": "1967-11-07"}},
        {"name": "Marie Curie"},
    ]
    numbers = [fresh() for _ in people]
    for number, fields in zip(numbers, people, strict=True):
        await _make(api, number, **fields)
    first = await api.get("/v1/contacts/duplicates", params={"limit": "1"})
    second = await api.get("/v1/contacts/duplicates", params={"limit": "1", "cursor": first.document["next"]})
    assert second.document["next"] is None
    told = [(one["because"], [each["number"] for each in one["contacts"]]) for one in (*first.items, *second.items)]
    assert told == [("email", numbers[:2]), ("name_and_birth_date", numbers[2:4])]


async def test_changing_a_type_converts_every_value_or_none(api: Api, fresh):
    one, other = fresh(), fresh()
    await _make(api, one, attributes={"code": 12, "born": "1957-03-14"})
    await _make(api, other, attributes={"code": 7})
    path = "/v1/contacts/attributes/code"
    declared = await api.ask("PUT", path, json={"type": "text"})
    assert (declared.status, declared.document["type"], declared.document["declared"]) == (200, "text", True)
    assert (await api.get(f"/v1/contacts/{one}")).document["attributes"]["code"] == "12"
    await api.ask("PATCH", f"/v1/contacts/{other}", json={"attributes": {"code": "B7"}})
    refused = await api.ask("PUT", path, json={"type": "number"})
    assert (refused.status, refused.code, "1 contacts" in refused.document["detail"]) == (409, "attribute_in_use", True)
    assert (await api.get(f"/v1/contacts/{one}")).document["attributes"]["code"] == "12"
    await api.ask("PATCH", f"/v1/contacts/{other}", json={"attributes": {"code": "7"}})
    assert (await api.ask("PUT", path, json={"type": "number"})).status == 200
    assert [(await api.get(f"/v1/contacts/{each}")).document["attributes"]["code"] for each in (one, other)] == [12, 7]
    assert (await api.delete(path)).document["type"] == "number"
    assert (await api.get(f"/v1/contacts/{one}")).document["attributes"] == {"born": "1957-03-14"}
    assert (await api.delete(path)).code == "attribute_not_found"
    assert (
        await api.ask("PUT", "/v1/contacts/attributes/No%20Name", json={"type": "text"})
    ).code == "attribute_invalid"
    assert (await api.ask("PUT", path, json={"type": "list"})).status == 422


async def test_only_who_may_sees_contacts_and_a_test_token_only_its_people(api: Api, holder, fresh):
    number = fresh()
    await _make(api, number)
    reader = await holder("send", "read:all")
    assert (await reader.get("/v1/contacts")).code == "scope_missing"
    tester = await holder("contacts", test=True)
    assert (await tester.get("/v1/contacts")).items == []
    assert (await tester.get(f"/v1/contacts/{number}")).code == "contact_not_found"
    for method, path, body in (
        ("POST", "/v1/contacts", {"number": fresh()}),
        ("PUT", f"/v1/contacts/{number}", {}),
        ("PATCH", f"/v1/contacts/{number}", {}),
        ("POST", "/v1/contacts/merge", {"from": number, "into": fresh()}),
        ("PUT", "/v1/contacts/attributes/x", {"type": "text"}),
    ):
        assert (await tester.ask(method, path, json=body)).code == "test_token", path
    for path in (f"/v1/contacts/{number}", "/v1/contacts/attributes/x"):
        assert (await tester.delete(path)).code == "test_token"
    assert (await tester.get("/v1/contacts/duplicates")).code == "test_token"
    assert (await tester.post("/v1/contacts", {"number": "+33639980001", "name": "T"})).status == 201
    assert [one["name"] for one in (await tester.get("/v1/contacts")).items] == ["T"]

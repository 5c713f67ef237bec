"""Contacts from files and to files, over the interface."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from support.http import Answer, Api
from support.waiting import eventually

from api.models.contact_files import ImportOut

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("nobody")]

CSV = {"Content-Type": "text/csv"}
TEXT = "Tél;Nom complet;Né le\n06 39 98 66 01;Zoé;14/03/1957\n12;x;\n0639986602;Léa;32/01/2000\n06 39 98 66 01;Y;\n"


async def _import(api: Api, body: bytes, **query: str) -> Answer:
    return await api.ask("POST", "/v1/contacts/import", headers=CSV, data=body, params=query)


async def _read(api: Api, body: bytes, **query: str) -> dict[str, Any]:
    begun = await _import(api, body, **query)
    assert begun.status == 202, begun.document
    return await _ended(api, begun)


async def _ended(api: Api, begun: Answer) -> dict[str, Any]:
    async def ended() -> dict[str, Any] | None:
        found = (await api.get(f"/v1/contacts/imports/{begun.document['id']}")).document
        return None if found["status"] == "running" else found

    return await eventually(ended, 60)


async def test_a_file_is_imported_and_every_rejected_row_is_told(api: Api):
    done = await _read(api, TEXT.encode("latin-1"), types="ne_le:date", tags="new, old")
    assert list(done) == [*ImportOut.model_fields]
    assert (done["status"], done["added"], done["changed"], done["rejected"]) == ("finished", 1, 0, 3)
    assert (done["lines"], done["total"], done["charset"], done["delimiter"]) == (5, 5, "cp1252", ";")
    assert done["columns"] == [
        {"column": "Tél", "field": "number", "type": None},
        {"column": "Nom complet", "field": "name", "type": None},
        {"column": "Né le", "field": "attributes.ne_le", "type": "date"},
    ]
    path = f"/v1/contacts/imports/{done['id']}/rejections"
    first = await api.get(path, params={"limit": "2"})
    rest = await api.get(path, params={"limit": "2", "cursor": first.document["next"]})
    assert [(one["line"], one["code"]) for one in (*first.items, *rest.items)] == [
        (3, "number_invalid"),
        (4, "bad_value"),
        (5, "number_twice"),
    ]
    assert rest.document["next"] is None
    contact = (await api.get("/v1/contacts/+33639986601")).document
    assert (contact["name"], contact["tags"], contact["attributes"]) == ("Zoé", ["new", "old"], {"ne_le": "1957-03-14"})
    assert (await api.get("/v1/contacts/imports", params={"limit": "1"})).items == [done]


async def test_what_was_exported_comes_back(api: Api, session: aiohttp.ClientSession):
    hostile = "number,name,city,code\n0639986603,=cmd|'/C calc'!A0,\"a;=b\",012\n0639986604,@x,,7\n"
    await _read(api, hostile.encode(), types="code:text")
    before = (await api.get("/v1/contacts")).items
    fields = {"Authorization": f"Bearer {api.token}"}
    async with session.get(api.url + "/v1/contacts/export?types=true", headers=fields) as answer:
        body = await answer.read()
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert b"\"'+33639986603\",\"'=cmd|'/C calc'!A0\"" in body
    for one in before:
        await api.delete(f"/v1/contacts/{one['number']}")
    for name in ("city", "code"):
        await api.delete(f"/v1/contacts/attributes/{name}")
    done = await _read(api, body)
    assert (done["added"], done["rejected"]) == (2, 0)
    kept = ("number", "name", "attributes")
    after = (await api.get("/v1/contacts")).items
    assert [[one[key] for key in kept] for one in after] == [[one[key] for key in kept] for one in before]


@pytest.mark.parametrize(
    ("query", "code", "pointer"),
    [
        ({"delimiter": "x"}, "import_invalid", "delimiter"),
        ({"charset": "base64"}, "import_invalid", "charset"),
        ({"columns": "Tél"}, "invalid_request", "columns"),
        ({"columns": "Autre:number"}, "columns_missing", "columns"),
        ({"columns": "Tél:surname"}, "columns_invalid", "columns"),
        ({"types": "ne_le:list"}, "import_invalid", "types"),
        ({"tags": 'a"b'}, "import_invalid", "tags"),
        ({"consent_state": "given"}, "import_invalid", "consent_category"),
        ({"consent_category": "nothing"}, "category_unknown", "consent_category"),
        ({"consent_category": "promotional"}, "category_without_consent", "consent_category"),
        ({"consent_category": "promotional", "consent_at": "2999-01-01T00:00:00Z"}, "category_without_consent", None),
        ({"surplus": "1"}, "invalid_request", "surplus"),
    ],
)
async def test_what_is_said_wrong_is_named_and_nothing_is_imported(
    api: Api, query: dict, code: str, pointer: str | None
):
    refused = await _import(api, TEXT.encode(), **query)
    assert (refused.status, refused.code) == (422, code)
    if pointer is not None:
        assert pointer in refused.pointers
    assert (await api.get("/v1/contacts")).items == []


async def test_a_body_that_is_no_csv_is_refused(api: Api):
    for fields in ({"Content-Type": "application/json"}, CSV | {"Content-Encoding": "gzip"}):
        refused = await api.ask("POST", "/v1/contacts/import", headers=fields, data=TEXT.encode())
        assert (refused.status, refused.code) == (415, "unsupported_media_type")
    assert (await _import(api, b"")).code == "columns_missing"
    assert (await _import(api, b"a,b\n1,2\n")).code == "columns_missing"


async def test_the_charset_of_the_body_is_heard(api: Api):
    fields = {"Content-Type": "text/csv; charset=iso-8859-15"}
    begun = await api.ask("POST", "/v1/contacts/import", headers=fields, data=TEXT.encode("iso-8859-15"))
    assert begun.document["charset"] == "iso8859-15"
    # What still goes on would write into the next test.
    await _ended(api, begun)


async def test_a_token_that_only_tests_has_nothing_to_do_with_it(api: Api, holder):
    tester = await holder("contacts", test=True)
    assert (await _import(tester, TEXT.encode())).code == "test_token"
    for path in ("imports", f"imports/{'0' * 32}", f"imports/{'0' * 32}/rejections", "export"):
        assert (await tester.get(f"/v1/contacts/{path}")).code == "test_token"
    assert (await api.get(f"/v1/contacts/imports/{'0' * 32}")).code == "import_not_found"
    assert (await api.get(f"/v1/contacts/imports/{'0' * 32}/rejections")).code == "import_not_found"
    reader = await holder("read:all", "send")
    assert (await _import(reader, TEXT.encode())).code == "scope_missing"

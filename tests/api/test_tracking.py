"""Links, codes and conversions over HTTP."""

from __future__ import annotations

import pytest
from support.http import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOBODY = "0" * 32


async def test_a_pool_is_filled_from_a_file_and_from_a_list(api: Api) -> None:
    path = "/v1/codes/http-spring"
    octets = b"code;note\nA1;x\nA2;\n;\nA1;\n" + b"x" * 70 + b";\n"
    made = await api.ask("POST", path, data=octets, headers={"Content-Type": "text/csv"})
    assert made.status == 201
    assert (made.document["added"], made.document["known"], made.document["left"]) == (2, 1, 2)
    assert made.document["rejected_count"] == 1
    assert made.document["rejected"][0]["line"] == 6
    more = await api.post(path, {"codes": ["A2", "A3"]})
    assert (more.document["added"], more.document["known"], more.document["total"]) == (1, 1, 3)
    assert (await api.get(path)).document["total"] == 3
    assert any(each["pool"] == "http-spring" for each in (await api.get("/v1/codes")).items)
    assert (await api.get("/v1/codes/nothing")).code == "codes_not_found"


@pytest.mark.parametrize(
    ("path", "given", "status", "code"),
    [
        ("/v1/codes/Not%20a%20name", {"json": {"codes": ["a"]}}, 422, "codes_name_invalid"),
        ("/v1/codes/x", {"json": {"codes": []}}, 422, "codes_invalid"),
        ("/v1/codes/x", {"json": {"codes": [1]}}, 422, "invalid_request"),
        ("/v1/codes/x", {"json": {"code": "a"}}, 422, "invalid_request"),
        ("/v1/codes/x", {"json": {"codes": ["\ud800"]}}, 422, "invalid_request"),
        ("/v1/codes/x", {"data": b'"open\n', "headers": {"Content-Type": "text/csv"}}, 422, "codes_invalid"),
        ("/v1/codes/x", {"data": b"a\x00b", "headers": {"Content-Type": "text/csv"}}, 422, "codes_invalid"),
        ("/v1/codes/x", {"data": b"a", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type"),
        ("/v1/codes/x?x=1", {"json": {"codes": ["a"]}}, 422, "invalid_request"),
        ("/v1/codes/x", {"data": b"a" * (5 << 20), "headers": {"Content-Type": "text/csv"}}, 413, "body_too_large"),
    ],
)
async def test_what_is_no_codes_is_refused(
    api: Api, path: str, given: dict[str, object], status: int, code: str
) -> None:
    refused = await api.ask("POST", path, **given)
    assert (refused.status, refused.code) == (status, code)
    assert (await api.get("/v1/codes/x")).status == 404


async def test_a_conversion_that_nothing_matches_is_kept_and_told_once(api: Api) -> None:
    told = {"number": "+33639980199", "kind": "order", "value": 12, "reference": "http-1", "at": "2026-01-01T00:00:00Z"}
    made = await api.post("/v1/conversions", told)
    assert made.status == 201
    assert (made.document["campaign"], made.document["value"]) == (None, 12)
    again = await api.post("/v1/conversions", told)
    assert (again.status, again.document) == (200, made.document)
    other = await api.post("/v1/conversions", {**told, "value": 13})
    assert (other.status, other.code) == (409, "reference_used")
    page = await api.get("/v1/conversions?kind=order&matched=false")
    assert made.document in page.items
    assert "+33639980199" not in str(page.document)
    assert (await api.get(f"/v1/conversions?campaign={NOBODY}")).code == "campaign_not_found"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "order"}, "conversion_invalid"),
        ({"kind": "order", "number": "+33639980199", "code": "x"}, "conversion_invalid"),
        ({"kind": "", "code": "x"}, "conversion_invalid"),
        ({"kind": "x" * 65, "code": "x"}, "conversion_invalid"),
        ({"kind": "order", "number": "12"}, "number_invalid"),
        ({"kind": "order", "code": "x", "at": "2099-01-01T00:00:00Z"}, "at_in_future"),
        ({"kind": "order", "code": "x", "at": "2026-01-01"}, "invalid_request"),
        ({"kind": "order", "code": "x", "value": "12"}, "invalid_request"),
        ({"kind": "order", "message": "x"}, "invalid_request"),
        ({"code": "x"}, "invalid_request"),
    ],
)
async def test_what_is_no_conversion_is_refused(api: Api, body: dict[str, object], code: str) -> None:
    refused = await api.post("/v1/conversions", body)
    assert (refused.status, refused.code) == (422, code)


async def test_links_are_those_of_a_campaign(api: Api) -> None:
    assert (await api.get("/v1/links")).code == "invalid_request"
    assert (await api.get(f"/v1/links?campaign={NOBODY}")).code == "campaign_not_found"
    made = await api.post("/v1/campaigns", {"name": "c", "to": ["+33639980101"], "text": "x"})
    assert (await api.get(f"/v1/links?campaign={made.document['id']}")).items == []


async def test_the_scope_is_that_of_campaigns(holder) -> None:
    sender = await holder("send", "read")
    for path in ("/v1/codes", "/v1/conversions", f"/v1/links?campaign={NOBODY}"):
        assert (await sender.get(path)).code == "scope_missing"
    keeper = await holder("campaigns")
    assert (await keeper.get("/v1/codes")).status == 200


async def test_a_token_that_tests_fills_no_pool(holder) -> None:
    tester = await holder("campaigns", test=True)
    assert (await tester.post("/v1/codes/test", {"codes": ["a"]})).code == "test_token"
    assert (await tester.post("/v1/conversions", {"kind": "order", "code": "a"})).status == 201


async def test_a_campaign_names_its_pool(api: Api) -> None:
    draft = {"name": "c", "to": ["+33639980101"], "text": "Code {{ code }}"}
    assert (await api.post("/v1/campaigns", draft)).code == "template_variable_missing"
    assert (await api.post("/v1/campaigns", {**draft, "codes": "http-none"})).code == "codes_not_found"
    await api.post("/v1/codes/http-one", {"codes": ["ONE"]})
    made = await api.post("/v1/campaigns", {**draft, "codes": "http-one", "to": ["+33639980101", "+33639980102"]})
    assert made.document["codes"] == "http-one"
    refused = await api.post(f"/v1/campaigns/{made.document['id']}/start")
    assert (refused.status, refused.code) == (422, "codes_missing")

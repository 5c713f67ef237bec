"""The routes of segments."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.endpoint import Endpoint, by_body, by_body_if_any, by_query
from api.models.contacts import ContactsPage
from api.models.fields import NoFields, NoQuery, PageQuery
from api.models.segments import CountIn, CountOut, FilterIn, SegmentIn, SegmentOut, SegmentsPage
from api.routes import segments

ROWS: Final[tuple[Endpoint[Any], ...]] = (
    by_query("GET", "/v1/segments", "contacts", PageQuery, segments.list_all, out=SegmentsPage, codes=codes.LISTED),
    by_body(
        "POST",
        "/v1/segments",
        "contacts",
        SegmentIn,
        segments.create,
        out=SegmentOut,
        status=201,
        codes=(*codes.FILTER, "segment_exists", "segment_name_invalid", "test_token"),
    ),
    by_body(
        "POST",
        "/v1/segments/count",
        "contacts",
        CountIn,
        segments.count,
        out=CountOut,
        codes=(*codes.FILTER, "to_invalid"),
    ),
    by_query("GET", "/v1/segments/{name}", "contacts", NoQuery, segments.read, out=SegmentOut, codes=codes.SEGMENT),
    by_body(
        "PUT",
        "/v1/segments/{name}",
        "contacts",
        FilterIn,
        segments.change,
        out=SegmentOut,
        codes=(*codes.FILTER, *codes.SEGMENT, "test_token"),
    ),
    by_query(
        "DELETE",
        "/v1/segments/{name}",
        "contacts",
        NoQuery,
        segments.remove,
        out=SegmentOut,
        codes=(*codes.SEGMENT, "segment_in_use", "test_token"),
    ),
    by_body_if_any(
        "POST",
        "/v1/segments/{name}/count",
        "contacts",
        NoFields,
        segments.count_of,
        out=CountOut,
        codes=(*codes.SEGMENT, "filter_too_slow"),
    ),
    by_query(
        "GET",
        "/v1/segments/{name}/contacts",
        "contacts",
        PageQuery,
        segments.members,
        out=ContactsPage,
        codes=(*codes.SEGMENT, *codes.LISTED, "filter_too_slow"),
    ),
)

"""The routes of links, personal codes and conversions."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.body import JSON_TYPE
from api.endpoint import Endpoint, Reply, by_body, by_query
from api.models.fields import NoQuery, PageQuery
from api.models.tracking import (
    CodeLine,
    CodesIn,
    CodesOut,
    ConversionIn,
    ConversionOut,
    ConversionsPage,
    ConversionsQuery,
    LinksPage,
    LinksQuery,
    PoolOut,
    PoolsPage,
)
from api.routes import tracking

_SCOPE: Final = "campaigns"

ROWS: Final[tuple[Endpoint[Any], ...]] = (
    by_query(
        "GET",
        "/v1/links",
        _SCOPE,
        LinksQuery,
        tracking.links,
        out=LinksPage,
        codes=(*codes.CAMPAIGN, *codes.LISTED),
    ),
    by_query("GET", "/v1/codes", _SCOPE, PageQuery, tracking.pools, out=PoolsPage, codes=codes.LISTED),
    by_query("GET", "/v1/codes/{pool}", _SCOPE, NoQuery, tracking.pool, out=PoolOut, codes=("codes_not_found",)),
    by_query(
        "POST",
        "/v1/codes/{pool}",
        _SCOPE,
        NoQuery,
        tracking.add_codes,
        out=CodesOut,
        status=201,
        codes=("codes_invalid", "codes_name_invalid", "test_token"),
        bodies=((JSON_TYPE, CodesIn), (tracking.CSV, CodeLine)),
    ),
    by_body(
        "POST",
        "/v1/conversions",
        _SCOPE,
        ConversionIn,
        tracking.convert,
        out=ConversionOut,
        status=201,
        also=(Reply(200, "told before with the same reference", model=ConversionOut),),
        codes=("at_in_future", "conversion_invalid", "number_invalid", "reference_used"),
    ),
    by_query(
        "GET",
        "/v1/conversions",
        _SCOPE,
        ConversionsQuery,
        tracking.conversions,
        out=ConversionsPage,
        codes=(*codes.CAMPAIGN, *codes.LISTED),
    ),
)

"""The routes of templates."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.endpoint import Endpoint, by_body, by_query
from api.models.fields import NoQuery, PageQuery
from api.models.templates import (
    TemplateIn,
    TemplateOut,
    TemplatePreviewIn,
    TemplatePreviewOut,
    TemplatesPage,
    TextsIn,
)
from api.routes import templates

ROWS: Final[tuple[Endpoint[Any], ...]] = (
    by_query("GET", "/v1/templates", "campaigns", PageQuery, templates.list_all, out=TemplatesPage, codes=codes.LISTED),
    by_body(
        "POST",
        "/v1/templates",
        "campaigns",
        TemplateIn,
        templates.create,
        out=TemplateOut,
        status=201,
        codes=("template_exists", "template_invalid", "template_name_invalid", "test_token"),
    ),
    by_query(
        "GET", "/v1/templates/{name}", "campaigns", NoQuery, templates.read, out=TemplateOut, codes=codes.TEMPLATE
    ),
    by_body(
        "PUT",
        "/v1/templates/{name}",
        "campaigns",
        TextsIn,
        templates.change,
        out=TemplateOut,
        codes=(*codes.TEMPLATE, "template_invalid", "test_token"),
    ),
    by_query(
        "DELETE",
        "/v1/templates/{name}",
        "campaigns",
        NoQuery,
        templates.remove,
        out=TemplateOut,
        codes=(*codes.TEMPLATE, "template_in_use", "test_token"),
    ),
    by_body(
        "POST",
        "/v1/templates/{name}/preview",
        "campaigns",
        TemplatePreviewIn,
        templates.preview,
        out=TemplatePreviewOut,
        codes=(*codes.TEMPLATE, "category_not_allowed", "category_unknown", "filter_too_slow", "to_invalid"),
    ),
)

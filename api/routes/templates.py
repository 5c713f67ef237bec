"""Templates: texts with variables by language, and what becomes of them."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.fields import NoQuery, PageQuery
from api.models.lists import list_out
from api.models.templates import TemplateIn, TemplatePreviewIn, TextsIn, template_out, template_preview_out

_CREATED: Final = 201


async def list_all(call: Call, wanted: PageQuery) -> web.Response:
    """Templates, newest first."""
    page = await call.services.templates.list(limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, template_out))


async def create(call: Call, wanted: TemplateIn) -> web.Response:
    """Make a template. Each of its texts is read: its Liquid, and the names of its tags and filters."""
    texts, at = wanted.value()
    made = await call.services.templates.add(call.principal, wanted.name, texts, at)
    return answer(template_out(made), _CREATED)


async def read(call: Call, _: NoQuery) -> web.Response:
    """One template."""
    return answer(template_out(await call.services.templates.get(call.segment("name"))))


async def change(call: Call, wanted: TextsIn) -> web.Response:
    """Give a template other texts, which are read as those of a new one. What was sent or queued stays as it is."""
    texts, at = wanted.value()
    changed = await call.services.templates.change(call.principal, call.segment("name"), texts, at)
    return answer(template_out(changed))


async def remove(call: Call, _: NoQuery) -> web.Response:
    """Forget a template; answers with what it was. Not while a campaign or an automation uses it."""
    return answer(template_out(await call.services.templates.remove(call.principal, call.segment("name"))))


async def preview(call: Call, wanted: TemplatePreviewIn) -> web.Response:
    """What a template becomes for numbers and segments: how many parts for how many, the longest text, letters that
    make parts shorter, and who would get nothing. The texts of single numbers, and whose is the longest, are shown to
    tokens with the scope `contacts`. Changes nothing."""
    found = await call.services.templates.preview(
        call.principal, call.segment("name"), wanted.to, wanted.variables, wanted.category
    )
    return answer(template_preview_out(found))

"""The rows of contacts."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.endpoint import Endpoint, Reply, by_body, by_query
from api.models.contact_files import (
    ExportQuery,
    ImportLine,
    ImportOut,
    ImportQuery,
    ImportsPage,
    RejectionsPage,
)
from api.models.contacts import (
    AlikePage,
    AttributeIn,
    AttributeOut,
    AttributesPage,
    ContactChange,
    ContactIn,
    ContactOut,
    ContactsPage,
    ContactsQuery,
    ContactWhole,
    MergeIn,
)
from api.models.fields import NoQuery, PageQuery
from api.routes import contact_files, contacts

_SCOPE: Final = "contacts"
_NEW: Final = codes.NEW_CONTACT
_CHANGED: Final = codes.CHANGED_CONTACT

ROWS: Final[tuple[Endpoint[Any], ...]] = (
    by_query(
        "GET",
        "/v1/contacts",
        _SCOPE,
        ContactsQuery,
        contacts.list_all,
        out=ContactsPage,
        codes=(*codes.LISTED, "contact_invalid"),
    ),
    by_body(
        "POST",
        "/v1/contacts",
        _SCOPE,
        ContactIn,
        contacts.create,
        out=ContactOut,
        status=201,
        codes=(*_NEW, "contact_exists"),
    ),
    by_body(
        "POST",
        "/v1/contacts/merge",
        _SCOPE,
        MergeIn,
        contacts.merge,
        out=ContactOut,
        codes=(*codes.CONTACT, "merge_with_itself", "test_token"),
    ),
    by_query(
        "GET",
        "/v1/contacts/duplicates",
        _SCOPE,
        PageQuery,
        contacts.duplicates,
        out=AlikePage,
        codes=(*codes.LISTED, "test_token"),
    ),
    by_query(
        "GET",
        "/v1/contacts/attributes",
        _SCOPE,
        PageQuery,
        contacts.attributes,
        out=AttributesPage,
        codes=codes.LISTED,
    ),
    by_body(
        "PUT",
        "/v1/contacts/attributes/{name}",
        _SCOPE,
        AttributeIn,
        contacts.declare,
        out=AttributeOut,
        codes=("attribute_in_use", "attribute_invalid", "too_many_attributes", "test_token"),
        also=(Reply(201, "it is new", model=AttributeOut),),
    ),
    by_query(
        "DELETE",
        "/v1/contacts/attributes/{name}",
        _SCOPE,
        NoQuery,
        contacts.forget,
        out=AttributeOut,
        codes=codes.ATTRIBUTE,
    ),
    by_query(
        "POST",
        "/v1/contacts/import",
        _SCOPE,
        ImportQuery,
        contact_files.create,
        out=ImportOut,
        status=202,
        codes=codes.IMPORT,
        also=(Reply(200, "the same file goes on where it was broken off", model=ImportOut),),
        bodies=((contact_files.CSV, ImportLine),),
    ),
    by_query(
        "GET",
        "/v1/contacts/imports",
        _SCOPE,
        PageQuery,
        contact_files.list_all,
        out=ImportsPage,
        codes=(*codes.LISTED, "test_token"),
    ),
    by_query(
        "GET",
        "/v1/contacts/imports/{id}",
        _SCOPE,
        NoQuery,
        contact_files.read,
        out=ImportOut,
        codes=("import_not_found", "test_token"),
    ),
    by_query(
        "GET",
        "/v1/contacts/imports/{id}/rejections",
        _SCOPE,
        PageQuery,
        contact_files.rejections,
        out=RejectionsPage,
        codes=(*codes.LISTED, "import_not_found", "test_token"),
    ),
    by_query(
        "GET",
        "/v1/contacts/export",
        _SCOPE,
        ExportQuery,
        contact_files.export,
        media=contact_files.CSV,
        codes=("test_token",),
    ),
    by_query("GET", "/v1/contacts/{number}", _SCOPE, NoQuery, contacts.read, out=ContactOut, codes=codes.CONTACT),
    by_body(
        "PUT",
        "/v1/contacts/{number}",
        _SCOPE,
        ContactWhole,
        contacts.put,
        out=ContactOut,
        codes=_NEW,
        also=(Reply(201, "it is new", model=ContactOut),),
    ),
    by_body("PATCH", "/v1/contacts/{number}", _SCOPE, ContactChange, contacts.change, out=ContactOut, codes=_CHANGED),
    by_query(
        "DELETE",
        "/v1/contacts/{number}",
        _SCOPE,
        NoQuery,
        contacts.remove,
        out=ContactOut,
        codes=(*codes.CONTACT, "test_token"),
    ),
)

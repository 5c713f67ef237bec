"""Kannel's `sendsms`, for programs that send through a Kannel: only the base URL and the credentials change.

The password is the token; the user name says nothing. What is asked for stands in the query string, in a form, or in
`X-Kannel-…` fields with the text as the body. Names, limits and answers are those of Kannel's user guide (chapter 6,
"Using the HTTP interface to send SMS messages") and of its gw/smsbox.c. Binary messages, user data headers and message
waiting indications are refused: they would arrive as something else. What changes nothing here is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from api.answers import COMMON_FIELDS
from api.auth import principal_with
from api.body import read_octets, read_of_stranger
from api.endpoint import Credential, Intake, Reply
from api.intakes.charsets import charset_of
from api.intakes.forms import FORM, form_pairs, query_pairs, whole_number
from api.problems import HttpProblem
from gateway.clock import SECOND_US
from gateway.errors import FieldError, GatewayError, TooMany, Unavailable
from gateway.message import Status
from gateway.requests import NewMessage, Principal, Submission, callback_of
from gateway.services import Services

_PATH: Final = "/cgi-bin/sendsms"
_TEXT: Final = "text/plain"
_TEXT_FIELDS: Final = {"Content-Type": "text/plain; charset=utf-8", **COMMON_FIELDS}
_MINUTE_US: Final = 60 * SECOND_US
_MINUTES_MOST: Final = 366 * 24 * 60
_RECEIVERS_MOST: Final = 1000
_MASK_MOST: Final = 63
_URL_MOST: Final = 4000
_NAME_MOST: Final = 255

#: Older names, and the header field of each name.
_OLDER: Final = {b"user": "username", b"pass": "password", b"dlrmask": "dlr-mask", b"dlrurl": "dlr-url"}
_HEADERS: Final = {
    **{name: f"X-Kannel-{name}" for name in ("username", "password", "from", "to", "charset", "smsc", "account")},
    **{name: f"X-Kannel-{name}" for name in ("udh", "mclass", "mwi", "coding", "compress", "validity", "deferred")},
    **{name: f"X-Kannel-{name}" for name in ("dlr-mask", "dlr-url", "pid", "alt-dcs", "priority", "meta-data")},
}
#: Python knows codecs that are no charsets, and some that no program means.
_CHARSETS: Final = frozenset(
    {
        *("utf_8", "ascii", "latin_1", "iso8859_2", "iso8859_5", "iso8859_7", "iso8859_9", "iso8859_15"),
        *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "koi8_r", "utf_16", "utf_16_be", "utf_16_le"),
    }
)
_UCS2_NAMES: Final = {"ucs-2", "ucs-2be", "iso-10646-ucs-2", "utf16be"}
#: What a modem would send as something else, with the values that ask for nothing.
_UNSUPPORTED: Final = {
    "udh": ("UDH", {""}),
    "mwi": ("MWI", {"", "-1"}),
    "compress": ("Compress", {"", "-1", "0"}),
    "pid": ("PID", {"", "-1", "0"}),
    "alt-dcs": ("Alt-DCS", {"", "-1", "0"}),
}
_UNAUTHORIZED: Final = "Authorization failed for sendsms"
_UNROUTED: Final = frozenset({"no_route", "modem_unknown", "modem_unsuitable"})
_DENIED: Final = frozenset({"number_not_allowed", "destination_not_allowed", "country_profile"})


async def send(request: web.Request, services: Services) -> web.Response:
    """Accept a message for one or several receivers, all or none.

    202 `0: Accepted for delivery`, or `3: Queued for later delivery` where a rule holds it for now.
    """
    if request.method == "HEAD":
        # Who asks for the header fields of an answer asks for nothing to be sent (RFC 9110, 9.3.2).
        raise _wrong("Method not allowed, rejected", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, POST"})
    fields = _headed(request, _Fields(query_pairs(request)))
    if request.method == "POST" and request.content_type == FORM and not fields.has("password"):
        fields = fields.with_body(form_pairs(await read_of_stranger(request)))
        principal = principal_with(request, services.tokens, fields.secret(), "send")
    else:
        principal = principal_with(request, services.tokens, fields.secret(), "send")
        fields = await _posted(request, fields)
    submissions = _submissions(fields, principal, services)
    accepted = await services.messages.create_all(principal, submissions)
    held = any(each.status is Status.HELD for each in accepted)
    return _said("3: Queued for later delivery" if held else "0: Accepted for delivery", HTTPStatus.ACCEPTED)


class _Fields:
    """What was sent, as octets by name; of a name that comes twice the first counts, as in Kannel."""

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self._octets: dict[str, bytes] = {}
        for name, value in pairs:
            self._octets.setdefault(_OLDER.get(name) or name.decode("ascii", "replace").lower(), value)

    def with_body(self, pairs: Sequence[tuple[bytes, bytes]]) -> _Fields:
        """These, and those of a body; what stood in the query counts."""
        stands = [(name.encode("ascii", "replace"), value) for name, value in self._octets.items()]
        return _Fields([*stands, *pairs])

    def has(self, name: str) -> bool:
        """Whether it was given, be it empty."""
        return name in self._octets

    def octets(self, name: str) -> bytes:
        """The value as it came; empty where there is none."""
        return self._octets.get(name, b"")

    def get(self, name: str) -> str:
        """The value in UTF-8."""
        try:
            return self.octets(name).decode()
        except UnicodeDecodeError:
            raise _wrong(f"{name} field misformed, rejected") from None

    def secret(self) -> str:
        """The password; what is no text is the password of nobody."""
        return self.octets("password").decode("utf-8", "replace")

    def number(self, name: str, label: str, most: int) -> int | None:
        """A whole number, None where there is none or -1, which is Kannel's word for none."""
        text = self.get(name).strip()
        if text in {"", "-1"}:
            return None
        number = whole_number(text, most)
        if number is None:
            raise _wrong(f"{label} field misformed, rejected")
        return number


def _headed(request: web.Request, fields: _Fields) -> _Fields:
    """These, and those of the header of a text that is posted."""
    if request.method != "POST" or request.content_type == FORM:
        return fields
    header = [
        (name.encode(), request.headers[field].encode("utf-8", "surrogateescape"))
        for name, field in _HEADERS.items()
        if field in request.headers
    ]
    return fields.with_body(header)


async def _posted(request: web.Request, fields: _Fields) -> _Fields:
    """These, and those of a form, or the text."""
    if request.method != "POST" or not request.can_read_body:
        return fields
    if request.content_type == FORM:
        return fields.with_body(form_pairs(await read_octets(request)))
    if request.content_type != _TEXT:
        raise _wrong("Unsupported content-type, rejected", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    body = await read_octets(request)
    charset = request.charset
    more = [] if charset is None else [(b"charset", charset.encode("utf-8", "replace"))]
    return fields.with_body([(b"text", body), *more])


def _submissions(fields: _Fields, principal: Principal, services: Services) -> list[Submission]:
    """A message for each receiver."""
    receivers = list(dict.fromkeys(fields.get("to").split()))
    if not receivers:
        raise _wrong("Missing receiver number, rejected")
    if len(receivers) > _RECEIVERS_MOST:
        raise _wrong(f"More than {_RECEIVERS_MOST} receivers, rejected")
    for name, (label, nothing) in _UNSUPPORTED.items():
        if fields.get(name).strip() not in nothing:
            raise _wrong(f"{label} field is not supported here, rejected")
    fields.number("priority", "Priority", 3)
    text, asked = _text(fields), _asked(fields, principal, services)
    return [Submission(NewMessage(services.messages.recipient(each), text, **asked)) for each in receivers]


def _asked(fields: _Fields, principal: Principal, services: Services) -> dict[str, Any]:
    """What holds for all receivers."""
    deferred = fields.number("deferred", "Deferred", _MINUTES_MOST)
    validity = fields.number("validity", "Validity", _MINUTES_MOST)
    # Kannel counts both from the request.
    lasts = None if validity is None else validity - (deferred or 0)
    if lasts is not None and lasts <= 0:
        raise _wrong("Validity field misformed, rejected")
    sender = fields.get("from")
    return {
        "modem": fields.get("smsc") or services.modems.with_number(principal, sender),
        "flash": _flash(fields),
        "delay_us": None if deferred is None else deferred * _MINUTE_US,
        "lasts_us": None if lasts is None else lasts * _MINUTE_US,
        "callback": _callback(fields, principal, sender),
    }


def _flash(fields: _Fields) -> bool:
    message_class = fields.number("mclass", "MClass", 3)
    if message_class in {2, 3}:
        raise _wrong("MClass field: classes 2 and 3 are not supported here, rejected")
    return message_class == 0 or fields.get("flash") == "1"


def _text(fields: _Fields) -> str:
    """The text in its charset: UTF-8, and UTF-16BE with coding 2, unless `charset` says another."""
    coding = fields.number("coding", "Coding", 2)
    if coding == 1:
        raise _wrong("Coding field: binary messages are not supported here, rejected")
    name = fields.get("charset").strip().lower() or ("utf-16be" if coding == 2 else "utf-8")
    try:
        charset = "utf_16_be" if name in _UCS2_NAMES else charset_of(name)
        if charset is not None and charset in _CHARSETS:
            return fields.octets("text").decode(charset)
    except UnicodeError:
        pass
    raise _wrong("Charset or body misformed, rejected")


def _callback(fields: _Fields, principal: Principal, sender: str) -> str | None:
    """Where reports go; both the mask and the URL ask for them."""
    mask, url = fields.number("dlr-mask", "DLR-Mask", _MASK_MOST), fields.get("dlr-url")
    if not url or not mask:
        return None
    if len(url) > _URL_MOST or not url.isascii() or not url.isprintable() or set(url) & set(' "<>\\^`{|}'):
        raise _wrong("DLR-URL field misformed, rejected")
    more = {"from": sender, "account": fields.get("account"), "meta": fields.get("meta-data")}
    if any(len(value) > _NAME_MOST for value in more.values()):
        raise _wrong("Account field misformed or too long, rejected")
    flash = {"flash": True} if _flash(fields) else {}
    kept = {name: value for name, value in more.items() if value}
    return callback_of(url, "kannel", mask=mask, service=principal.name, **kept, **flash)


def refuse(error: GatewayError | HttpProblem) -> web.Response:
    """A refusal in Kannel's words: 503 may be tried again, 4xx not."""
    if isinstance(error, Unavailable):
        after = str(max(1, error.retry_after_s))
        return _said("Temporal failure, try again later.", HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": after})
    if isinstance(error, TooMany):
        after = str(max(1, error.retry_after_s))
        return _said(_sentence(error, error.message), HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": after})
    if error.code in {"unauthorized", "scope_missing"}:
        return _said(_UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    if error.code in _UNROUTED:
        return _said("Not routable. Do not try again.", HTTPStatus.FORBIDDEN)
    if error.code in _DENIED:
        return _said("Number(s) has/have been denied by white- and/or black-lists.", HTTPStatus.BAD_REQUEST)
    if isinstance(error, HttpProblem):
        kept = {name: value for name, value in error.fields.items() if name in {"Retry-After", "Connection", "Allow"}}
        return _said(error.detail, error.status, kept)
    status = HTTPStatus.FORBIDDEN if error.code == "category_not_allowed" else HTTPStatus.BAD_REQUEST
    return _said(_sentence(error, error.message), status)


def _sentence(error: GatewayError, said: str) -> str:
    """The sentence, with the name of the field as Kannel calls it, and of which receiver."""
    named: FieldError | None = error.errors[0] if error.errors else None
    if named is None or named.message != said:
        return f"{said}, rejected"
    *_, place, name = ("", *named.pointer.split("/"))
    label = {"callback_url": "dlr-url", "modem": "smsc", "expires_at": "validity", "send_at": "deferred"}.get(
        name, name
    )
    which = f" (receiver {int(place) + 1})" if place.isdecimal() else ""
    return f"{label} field{which}: {said}, rejected"


def _wrong(
    sentence: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST, fields: Mapping[str, str] | None = None
) -> HttpProblem:
    return HttpProblem(status, "kannel_refused", sentence, fields=fields)


def _said(sentence: str, status: int, fields: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=sentence.encode(), status=status, headers={**_TEXT_FIELDS, **(fields or {})})


class SendQuery(BaseModel):
    """The parameters that count here; Kannel's others are passed over."""

    model_config = ConfigDict(extra="ignore")

    to: str = Field(description="One or several receivers, separated by blanks.", examples=["0639980101"])
    text: str = Field(default="", description="The text.")
    password: str = Field(description="The token.")
    username: str = Field(default="", description="Says nothing here.")
    charset: str = Field(
        default="", description="Of the text: UTF-8, or UTF-16BE with coding 2, unless it says another."
    )
    coding: str = Field(default="", description="0 or 2; binary messages are refused.")
    mclass: str = Field(default="", description="0 shows it at once (flash).")
    smsc: str = Field(default="", description="The name of a modem.")
    validity: str = Field(default="", description="Minutes after which it is not sent any more.")
    deferred: str = Field(default="", description="Minutes to wait.")


class SendForm(SendQuery):
    """The same as a form; the password may stand in the query string instead."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"to": "+33639980101", "text": "hello"},)

    password: str = Field(default="", description="The token.")


_ANSWERS: Final = (
    Reply(202, "The message was accepted, or is held until a rule lets it go.", _TEXT),
    Reply(400, "Something is wrong with the request.", _TEXT),
    Reply(403, "The token is not good enough, or no modem takes the message.", _TEXT),
    Reply(405, "HEAD sends nothing.", _TEXT),
    Reply(413, "The body is too large.", _TEXT),
    Reply(415, "The body is neither a form nor a text.", _TEXT),
    Reply(429, "As much as a limit allows was sent; Retry-After says when there is room.", _TEXT),
    Reply(503, "Nothing can be accepted now; Retry-After says when to try again.", _TEXT),
)
_QUERY: Final = Credential("query", "password")

#: Both ways of asking.
KANNEL: Final = (
    Intake(
        *("GET", _PATH, send, refuse, "Kannel"),
        credentials=(_QUERY,),
        query=SendQuery,
        answers=_ANSWERS,
    ),
    Intake(
        *("POST", _PATH, send, refuse, "Kannel"),
        credentials=(_QUERY, Credential("form", "password"), Credential("header", "X-Kannel-Password")),
        body=SendForm,
        media=(FORM, _TEXT),
        body_needed=False,
        answers=_ANSWERS,
    ),
)

"""The route table: every route of our own, and what it takes and answers. The description is drawn from it."""

from __future__ import annotations

from typing import Any, Final

from api import codes
from api.body import JSON_TYPE
from api.description import Description, Tables
from api.endpoint import Endpoint, OpenEndpoint, Reply, by_body, by_body_if_any, by_query
from api.intakes import INTAKES
from api.models.batch import BatchIn, BatchOut, KeyedMessageIn
from api.models.clock import ClockOut
from api.models.consents import ConsentBody, ConsentOut, ConsentsPage, ConsentsQuery, ReviewIn, ReviewOut, ReviewsPage
from api.models.events import EventsQuery
from api.models.fields import NoFields, NoQuery, Nothing, PageQuery
from api.models.health import AliveOut, ReadyOut
from api.models.inbox import InboxPage, InboxQuery
from api.models.messages import (
    MessageIn,
    MessageOut,
    MessagesPage,
    MessagesQuery,
    PreviewIn,
    PreviewOut,
    ReferenceQuery,
    ResolveIn,
    TimelinePage,
)
from api.models.modems import AtIn, LinesOut, ModemOut, ModemsPage, SimulateIn, UnlockedOut, UssdIn, UssdOut
from api.models.optouts import LiftQuery, OptOutIn, OptOutOut, OptOutsPage, OptOutsQuery
from api.models.queue import PauseIn, PauseOut
from api.models.tokens import NewTokenOut, TokenIn, TokenOut, TokensPage
from api.models.traces import TraceIn, TraceOut
from api.models.webhooks import (
    DeliveriesOut,
    DeliveriesQuery,
    ReplayedOut,
    ReplayIn,
    SecretOut,
    SecretWebhookOut,
    WebhookChange,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
    WebhookTestOut,
)
from api.ndjson import NDJSON
from api.routes import (
    batch,
    clock,
    consents,
    events,
    health,
    inbox,
    messages,
    metrics,
    modems,
    optouts,
    queue,
    tokens,
    traces,
    webhooks,
)
from api.rows import automations, campaigns, contacts, reports, rings, segments, templates, tracking

#: Every route that wants a token: method, path, scope, what it takes, handler.
ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    by_body("POST", "/v1/messages", "send", MessageIn, messages.create, out=MessageOut, status=202, codes=codes.NEW),
    by_query("GET", "/v1/messages", "read", MessagesQuery, messages.list_all, out=MessagesPage, codes=codes.FILTERED),
    by_query("DELETE", "/v1/messages", "send", ReferenceQuery, messages.cancel_reference, out=MessagesPage),
    by_query(
        "POST",
        "/v1/messages/batch",
        "send",
        NoQuery,
        batch.create,
        out=BatchOut,
        status=202,
        codes=codes.MANY,
        also=(Reply(200, "a line for each line", NDJSON),),
        bodies=((JSON_TYPE, BatchIn), (NDJSON, KeyedMessageIn)),
    ),
    by_body("POST", "/v1/messages/preview", "send", PreviewIn, messages.preview, out=PreviewOut, codes=codes.DRAFT),
    by_query("GET", "/v1/messages/{id}", "read", NoQuery, messages.read, out=MessageOut, codes=codes.KNOWN),
    by_query("DELETE", "/v1/messages/{id}", "send", NoQuery, messages.cancel, out=MessageOut, codes=codes.CANCEL),
    by_query(
        "GET", "/v1/messages/{id}/timeline", "read", NoQuery, messages.timeline, out=TimelinePage, codes=codes.KNOWN
    ),
    by_body_if_any(
        "POST", "/v1/messages/{id}/cancel", "send", NoFields, messages.cancel, out=MessageOut, codes=codes.CANCEL
    ),
    by_query(
        "DELETE", "/v1/messages/{id}/cancel", "send", NoQuery, messages.cancel, out=MessageOut, codes=codes.CANCEL
    ),
    by_body(
        "POST", "/v1/messages/{id}/resolve", "send", ResolveIn, messages.resolve, out=MessageOut, codes=codes.RESOLVE
    ),
    by_query("GET", "/v1/pause", "read", NoQuery, queue.state, out=PauseOut),
    by_body_if_any("POST", "/v1/pause", "admin", PauseIn, queue.pause, out=PauseOut, codes=codes.PAUSE),
    by_body_if_any("POST", "/v1/resume", "admin", NoFields, queue.resume, out=PauseOut, codes=("test_token",)),
    by_query("GET", "/v1/clock", "read", NoQuery, clock.show, out=ClockOut),
    by_body_if_any("POST", "/v1/clock/confirm", "admin", NoFields, clock.confirm, out=ClockOut, codes=("test_token",)),
    by_query("GET", "/v1/inbox", "read", InboxQuery, inbox.list_all, out=InboxPage, codes=codes.FILTERED),
    by_query("GET", "/v1/events", "read", EventsQuery, events.follow, media="text/event-stream", codes=events.CODES),
    by_query("GET", "/v1/optouts", "contacts", OptOutsQuery, optouts.list_all, out=OptOutsPage, codes=codes.FILTERED),
    by_body("POST", "/v1/optouts", "contacts", OptOutIn, optouts.add, out=OptOutOut, status=201, codes=codes.OPT_OUT),
    by_query("DELETE", "/v1/optouts", "contacts", LiftQuery, optouts.lift, out=OptOutOut, codes=codes.LIFT),
    by_query(
        "GET", "/v1/consents", "contacts", ConsentsQuery, consents.list_all, out=ConsentsPage, codes=codes.FILTERED
    ),
    by_body(
        "POST",
        "/v1/consents",
        "contacts",
        ConsentBody,
        consents.add,
        out=ConsentOut,
        status=201,
        codes=codes.CONSENT,
        also=(Reply(202, "the person is asked first", model=ConsentOut),),
    ),
    by_query("GET", "/v1/reviews", "read:all", PageQuery, consents.reviews, out=ReviewsPage, codes=codes.LISTED),
    by_body("POST", "/v1/reviews/{id}", "admin", ReviewIn, consents.settle, out=ReviewOut, codes=codes.REVIEW),
    by_query("GET", "/v1/modems", "read", PageQuery, modems.list_all, out=ModemsPage, codes=codes.LISTED),
    by_body(
        "POST",
        "/v1/modems/{name}/simulate",
        "admin",
        SimulateIn,
        modems.simulate,
        out=Nothing,
        status=202,
        codes=codes.SIMULATE,
    ),
    by_body_if_any("POST", "/v1/modems/{name}/reset", "admin", NoFields, modems.reset, out=ModemOut, codes=codes.NAMED),
    by_body_if_any("POST", "/v1/modems/{name}/pause", "admin", NoFields, modems.pause, out=ModemOut, codes=codes.NAMED),
    by_body_if_any(
        "POST", "/v1/modems/{name}/resume", "admin", NoFields, modems.resume, out=ModemOut, codes=codes.NAMED
    ),
    by_body_if_any(
        "POST", "/v1/modems/{name}/unlock", "admin", NoFields, modems.unlock, out=UnlockedOut, codes=codes.UNLOCK
    ),
    by_body("POST", "/v1/modems/{name}/at", "admin", AtIn, modems.at, out=LinesOut, codes=codes.LINE),
    by_body("POST", "/v1/modems/{name}/ussd", "admin", UssdIn, modems.ussd, out=UssdOut, codes=codes.USSD),
    by_body("POST", "/v1/modems/{name}/trace", "admin", TraceIn, traces.start, out=TraceOut, codes=codes.TRACE),
    by_query(
        "DELETE",
        "/v1/modems/{name}/trace",
        "admin",
        NoQuery,
        traces.stop,
        out=Nothing,
        codes=("modem_not_found", "real_modem_refused"),
    ),
    by_query("GET", "/v1/tokens", "admin", PageQuery, tokens.list_all, out=TokensPage, codes=codes.LISTED),
    by_body(
        "POST",
        "/v1/tokens",
        "admin",
        TokenIn,
        tokens.create,
        out=NewTokenOut,
        status=201,
        codes=("token_invalid", "token_exists", "test_token"),
    ),
    by_query(
        "DELETE",
        "/v1/tokens/{name}",
        "admin",
        NoQuery,
        tokens.revoke,
        out=TokenOut,
        codes=("token_not_found", "test_token"),
    ),
    by_query("GET", "/v1/webhooks", "admin", PageQuery, webhooks.list_all, out=WebhooksOut, codes=codes.LISTED),
    by_body(
        "POST",
        "/v1/webhooks",
        "admin",
        WebhookIn,
        webhooks.create,
        out=SecretWebhookOut,
        status=201,
        codes=codes.NEW_WEBHOOK,
    ),
    by_query("GET", "/v1/webhooks/secret", "send", NoQuery, webhooks.own_secret, out=SecretOut),
    by_query("GET", "/v1/webhooks/{id}", "admin", NoQuery, webhooks.read, out=WebhookOut, codes=codes.WEBHOOK),
    by_body(
        "PATCH",
        "/v1/webhooks/{id}",
        "admin",
        WebhookChange,
        webhooks.change,
        out=WebhookOut,
        codes=codes.CHANGED_WEBHOOK,
    ),
    by_query(
        "DELETE", "/v1/webhooks/{id}", "admin", NoQuery, webhooks.remove, out=WebhookOut, codes=codes.ACT_OF_WEBHOOK
    ),
    by_query(
        "GET", "/v1/webhooks/{id}/secret", "admin", NoQuery, webhooks.secret, out=SecretOut, codes=codes.ACT_OF_WEBHOOK
    ),
    by_body_if_any(
        "POST",
        "/v1/webhooks/{id}/rotate",
        "admin",
        NoFields,
        webhooks.rotate,
        out=SecretWebhookOut,
        codes=codes.ACT_OF_WEBHOOK,
    ),
    by_body_if_any(
        "POST",
        "/v1/webhooks/{id}/enable",
        "admin",
        NoFields,
        webhooks.enable,
        out=WebhookOut,
        codes=codes.ACT_OF_WEBHOOK,
    ),
    by_body_if_any(
        "POST",
        "/v1/webhooks/{id}/test",
        "admin",
        NoFields,
        webhooks.test,
        out=WebhookTestOut,
        codes=codes.ACT_OF_WEBHOOK,
    ),
    by_query(
        "GET",
        "/v1/webhooks/{id}/deliveries",
        "admin",
        DeliveriesQuery,
        webhooks.deliveries,
        out=DeliveriesOut,
        codes=(*codes.WEBHOOK, *codes.LISTED),
    ),
    by_body_if_any(
        "POST",
        "/v1/webhooks/{id}/replay",
        "admin",
        ReplayIn,
        webhooks.replay,
        out=ReplayedOut,
        codes=codes.ACT_OF_WEBHOOK,
    ),
    *rings.ROWS,
    *segments.ROWS,
    *templates.ROWS,
    *contacts.ROWS,
    *campaigns.ROWS,
    *automations.ROWS,
    *reports.ROWS,
    *tracking.ROWS,
)

_DESCRIPTION: Final = Description(lambda: Tables(ENDPOINTS, OPEN_ENDPOINTS, INTAKES))

#: Every route that wants none.
OPEN_ENDPOINTS: Final[tuple[OpenEndpoint, ...]] = (
    OpenEndpoint("/healthz", health.alive, out=AliveOut),
    OpenEndpoint("/readyz", health.ready, out=ReadyOut, codes=("not_ready",)),
    OpenEndpoint(
        "/metrics", metrics.show, media="text/plain", also=(Reply(200, "for whoever accepts it", metrics.OPENMETRICS),)
    ),
    OpenEndpoint("/openapi.json", _DESCRIPTION.document, any_host=False),
    OpenEndpoint("/docs", _DESCRIPTION.page, media="text/html", any_host=False),
)

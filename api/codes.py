"""Every error code: the statuses that it comes with, and what it means. The description of the interface lists them.

A row of the route table names those that are its own. What any route may answer is named here, by what the route does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Code -> statuses, meaning.
CODES: Final[Mapping[str, tuple[tuple[int, ...], str]]] = {
    "about_at_invalid": ((422,), "the event is over before the message may leave, or more than a year ahead"),
    "alert_invalid": ((422,), "a field of the alert cannot be taken; `errors` says which"),
    "alert_not_found": ((404,), "there is no such alert, or none that this token may see"),
    "alert_raced": ((503,), "others told of this alert at this moment, again and again; try again"),
    "alert_stopped": ((409,), "the alert was stopped, and rings nobody any more"),
    "asked_lately": ((409,), "this person was asked within the last day"),
    "at_in_future": ((422,), "nobody agrees in the future"),
    "at_unsuitable": ((422,), "the answer to a question has a time of its own"),
    "attribute_in_use": (
        (409,),
        "values of it cannot become values of that type; the message says how many",
    ),
    "attribute_invalid": ((422,), "an attribute is called by small letters, digits and _, and begins with no digit"),
    "attribute_not_found": ((404,), "there is no attribute of that name"),
    "bad_request": ((400,), "the request is not well-formed HTTP, or its body broke off"),
    "batch_over_rate": ((422,), "more messages than the rate of the token ever lets through at once"),
    "body_too_large": ((413,), "the body is larger than 4 MiB"),
    "by_invalid": ((422,), "control characters or halves of a surrogate pair in `by`"),
    "by_too_long": ((422,), "`by` is too long"),
    "callback_not_allowed": ((422,), "nothing is posted to this address; the message says why"),
    "callback_unresolved": ((503,), "too many names of callbacks are being looked up; try again"),
    "at_missing": ((422,), "the rule counts from the time of the event, which lacks"),
    "automation_exists": ((409,), "there is an automation of that name; PUT gives it another rule"),
    "automation_invalid": ((422,), "a field of the automation cannot be taken; `errors` says which"),
    "automation_not_found": ((404,), "there is no automation of that name"),
    "automation_raced": ((409,), "the event was called off and told of again and again"),
    "audience_empty": ((422,), "nobody is in the audience of the campaign now"),
    "campaign_busy": ((409,), "the campaign is being prepared just now; ask again in a moment"),
    "campaign_invalid": ((422,), "a field of the campaign cannot be taken; `errors` says which"),
    "campaign_not_found": ((404,), "there is no such campaign, or none that this token may see"),
    "campaign_state": ((409,), "the campaign is in a status in which this is not possible"),
    "cap": ((429,), "as much as the category allows was sent to this person; there is room again after Retry-After"),
    "categories_empty": ((422,), "a list that names no category"),
    "category_not_allowed": ((403,), "this token may not send messages of this category"),
    "category_not_stoppable": ((422,), "messages of this category cannot be stopped"),
    "category_unknown": ((422,), "no such category is configured"),
    "category_without_consent": ((422,), "nobody is asked for messages of this category"),
    "channel_invalid": ((422,), "control characters or halves of a surrogate pair in `channel`"),
    "channel_too_long": ((422,), "`channel` is too long"),
    "codes_invalid": ((422,), "there is no code that can be taken; the message says what is wrong with the first"),
    "codes_missing": ((422,), "the pool has fewer codes left than the campaign has people; the message says how many"),
    "codes_name_invalid": ((422,), "a pool is called by small letters, digits, _ and -, and begins with a letter"),
    "codes_not_found": ((404, 422), "there is no pool of codes of that name"),
    "columns_invalid": ((422,), "a column cannot be what it is said to be"),
    "columns_missing": ((422,), "no column of the file holds numbers, or one that is named is not there"),
    "command_in_doubt": ((503,), "another host has begun it and does not answer; it may be done"),
    "command_unknown": ((503,), "the other host is of a version that does not know this"),
    "command_unsafe": ((422,), "the command could lock the SIM, send, dial, restart, or change how the modem speaks"),
    "commit_in_doubt": ((503,), "the database was lost in the middle of it; it may be stored"),
    "consent_stands": ((409,), "this person has agreed already"),
    "contact_exists": ((409,), "there is a contact of this number; PUT or PATCH it"),
    "contact_invalid": ((422,), "a field of the contact cannot be taken; `errors` says which"),
    "contact_not_found": ((404,), "there is no contact of this number, or none that this token may see"),
    "conversion_invalid": ((422,), "a field of the conversion cannot be taken; `errors` says which"),
    "country_profile": ((422,), "the rules of the recipient's country forbid it"),
    "cross_site": ((403,), "a page of another site had a browser send it"),
    "cursor_invalid": ((422,), "the cursor is none that this list gave"),
    "daily_parts": ((429,), "the token has sent as many parts in 24 hours as it may"),
    "destination_not_allowed": ((403,), "this token may not write to this number"),
    "evidence_invalid": ((422,), "control characters or halves of a surrogate pair in `evidence`"),
    "evidence_too_long": ((422,), "`evidence` is too long"),
    "expect_invalid": ((422,), "a word that cannot answer, or that always stops"),
    "fallback_invalid": ((422,), "a fallback that is none"),
    "expectation_failed": ((417,), "the only expectation that can be met is 100-continue"),
    "expires_too_early": ((422,), "it would expire before it may leave"),
    "expires_too_late": ((422,), "more than two years ahead"),
    "filter_invalid": ((422,), "the filter is no expression of the Common Expression Language; the message says where"),
    "filter_too_long": ((422,), "the filter is longer than 4096 octets"),
    "filter_too_slow": ((422,), "the filter takes too long, or too much memory"),
    "filter_type": ((422,), "types do not fit, or what stands there is not true or false; the message says where"),
    "filter_unknown": ((422,), "there is no such field, attribute, category or function; the message says where"),
    "header_too_large": ((431,), "the request line or a header field is longer than 8190 octets"),
    "host_not_allowed": ((421,), "the gateway does not know itself by this Host"),
    "host_silent": ((503,), "the host of this modem does not answer; nothing was done"),
    "idempotency_key_invalid": ((422,), "the key has 1 to 255 characters, and is given once"),
    "idempotency_key_unsupported": ((422,), "a header field cannot stand for a stream"),
    "idempotency_mismatch": ((409,), "the key was used before, for another body"),
    "import_invalid": ((422,), "what is said of the file cannot be; `errors` says which"),
    "import_not_found": ((404,), "there is no such import"),
    "internal_error": ((500,), "something failed inside the gateway; its log says where"),
    "invalid_json": ((400,), "the body is not JSON"),
    "invalid_request": (
        (422,),
        "a field or a query name has a wrong shape, lacks, or is not known; `errors` says which",
    ),
    "lease_lost": ((503,), "this host was away from the database for too long; it takes its place again"),
    "lint_failed": ((422,), "a proof-reader found what should not leave so; `errors` says what, `force` sends it"),
    "line_too_long": ((413,), "a line of a stream is longer than 64 KiB; told in its answer line"),
    "merge_with_itself": ((422,), "a contact cannot be merged with itself"),
    "message_expired": ((409,), "the time of the message has passed"),
    "message_not_found": ((404,), "there is no such message, or none that this token may see"),
    "method_not_allowed": ((405,), "the path takes other methods; the Allow field names them"),
    "modem_ambiguous": ((409,), "several hosts have a modem of that name; say node:name"),
    "modem_busy": ((503,), "the modem's line was not free in time"),
    "modem_failed": ((503,), "the modem failed while it did it"),
    "modem_not_found": ((404,), "there is no such modem"),
    "modem_not_locked": ((409,), "no PIN of this modem waits for somebody's leave"),
    "modem_not_ready": ((409,), "the modem is not open"),
    "modem_silent": ((503,), "the modem did not answer in time"),
    "modem_unknown": ((422,), "no such modem is configured"),
    "modem_unsuitable": ((422,), "the modem does not take this message"),
    "no_route": ((422,), "no modem takes this category to this number"),
    "no_simulated_modem": ((422,), "the token only tests, and there is nothing to test on"),
    "not_an_object": ((422,), "the body is JSON and no object"),
    "not_cancelable": ((409,), "only a message that waits can be cancelled"),
    "not_ready": ((503,), "messages cannot be accepted or no modem is usable; `reasons` says what is missing"),
    "not_simulated": ((409,), "only a simulated modem can be given a text to receive"),
    "not_uncertain": ((409,), "only an uncertain message can be settled"),
    "number_invalid": ((422,), "no number that can be written to"),
    "number_not_allowed": ((422,), "a number that is not written to: another country, premium rate, short code"),
    "opted_out": ((409,), "the person has opted out"),
    "optout_not_found": ((404,), "no such opt-out stands"),
    "pin_last_try": ((409,), "only the last try of the PIN is left"),
    "pin_no_counter": ((409,), "the modem does not tell how many tries are left"),
    "policy_unknown": ((422,), "no such policy"),
    "proof_to_missing": ((422,), "nobody said to whom the proof goes"),
    "rate_limited": ((429,), "the token has sent as many messages as its rate allows"),
    "real_modem_refused": ((403,), "a token that only tests touches no real modem"),
    "reference_invalid": ((422,), "a reference has 1 to 255 characters, none of them U+0000"),
    "reference_missing": ((422,), "nothing to replace without a reference"),
    "reference_used": ((409,), "this reference was told before, of something else"),
    "request_timeout": ((408,), "the body did not arrive in time"),
    "review_not_found": ((404,), "no reply of this id waits to be judged"),
    "review_settled": ((409,), "this reply was judged before"),
    "route_not_found": ((404,), "there is nothing at this path"),
    "scope_missing": ((403,), "the token does not have the scope of the route"),
    "segment_exists": ((409,), "there is a segment of that name"),
    "segment_in_use": ((409,), "a campaign or an automation goes to this segment"),
    "segment_name_invalid": ((422,), "a segment is called by small letters, digits, _ and -, and begins with a letter"),
    "segment_not_found": ((404,), "there is no segment of that name"),
    "send_at_past": ((422,), "a moment of the campaign is in the past"),
    "segments_not_allowed": ((403,), "naming a segment needs the scope contacts or campaigns"),
    "send_at_too_far": ((422,), "more than a year ahead"),
    "send_at_too_old": ((422,), "so long ago that the message has expired"),
    "simulate_invalid": ((422,), "no sender that a modem could tell"),
    "source_invalid": ((422,), "control characters or halves of a surrogate pair in `source`"),
    "source_too_long": ((422,), "`source` is too long"),
    "state_unsuitable": ((422,), "only somebody who agrees is asked"),
    "stopping": ((503,), "the gateway is stopping"),
    "storage_full": ((507,), "the disk under the store is full or cannot be written"),
    "store_busy": ((503,), "the store is busy; nothing was stored"),
    "store_gone": ((507,), "the store's file was removed or replaced"),
    "store_unreachable": ((503,), "the database cannot be reached; nothing was stored"),
    "streams_full": ((429, 503), "the token, or the gateway, has as many streams as it may have"),
    "template_exists": ((409,), "there is a template of that name"),
    "template_failed": ((422,), "the template fails with the values of this recipient; the message says how"),
    "template_in_use": ((409,), "a campaign or an automation uses this template"),
    "template_invalid": ((422,), "the template cannot be read; `errors` says where, by language"),
    "template_name_invalid": ((422,), "a template is called by small letters, digits, _ and -, and begins with one"),
    "template_not_found": ((404, 422), "there is no template of that name"),
    "template_too_long": ((422,), "the text that the template makes has more than 4000 characters"),
    "template_unknown": ((422,), "there is no template of the name that the message asks for"),
    "template_variable_missing": ((422,), "a variable of the template has no value; the message names it"),
    "test_token": ((403,), "a token that only tests changes nothing that others go by"),
    "text_empty": ((422,), "no text"),
    "text_invalid": ((422,), "control characters or halves of a surrogate pair in the text, or too many characters"),
    "text_too_long": ((422,), "more parts than are allowed"),
    "to_invalid": ((422,), "what it goes to is not all numbers and segments; `errors` says which is not"),
    "token_exists": ((409,), "there is a token of that name; revoke it first"),
    "token_invalid": ((422,), "a field of the token cannot be taken; `errors` says which"),
    "token_not_found": ((404,), "there is no live token of that name"),
    "too_many_attributes": ((409,), "there are as many attributes as there may be"),
    "too_many_guesses": ((429,), "too many wrong tokens came from this address; a valid one is taken at once"),
    "too_many_webhooks": ((409,), "there are as many endpoints as there may be"),
    "trace_invalid": ((422,), "a trace lasts from 1 to 86400 seconds"),
    "trace_unwritable": ((503,), "the file of the trace cannot be written"),
    "type_unknown": ((422,), "there is no such type of event"),
    "unauthorized": ((401,), "no token, or one that is unknown, revoked or expired"),
    "unsupported_media_type": ((415,), "the body is of another media type, or compressed"),
    "ussd_failed": ((409, 503), "the network refused the code, or did not answer in time"),
    "ussd_refused": ((422,), "no code that is sent"),
    "webhook_invalid": ((422,), "a field of the endpoint cannot be taken; `errors` says which"),
    "webhook_not_found": ((404,), "there is no such endpoint"),
    "wording_invalid": ((422,), "control characters or halves of a surrogate pair in `wording`"),
    "wording_too_long": ((422,), "`wording` is too long"),
}

#: Whatever is asked.
ALWAYS: Final = ("bad_request", "header_too_large", "expectation_failed", "internal_error")
#: Where the Host has to be ours; where a token is wanted; where a body is read; where the store is asked.
OF_HOST: Final = ("host_not_allowed", "cross_site")
OF_TOKEN: Final = ("unauthorized", "scope_missing", "too_many_guesses")
OF_VALUES: Final = ("invalid_request",)
OF_BODY: Final = ("invalid_json", "not_an_object", "request_timeout", "body_too_large", "unsupported_media_type")
OF_STORE: Final = (
    "stopping",
    "storage_full",
    "store_busy",
    "store_gone",
    "store_unreachable",
    "lease_lost",
    "commit_in_doubt",
)
#: Of rows: a list with a cursor; what is handed in as a message; a message by its id; a modem by its name.
LISTED: Final = ("cursor_invalid",)
FILTERED: Final = ("cursor_invalid", "number_invalid")
DRAFT: Final = (
    "about_at_invalid",
    "callback_not_allowed",
    "callback_unresolved",
    "category_not_allowed",
    "category_unknown",
    "destination_not_allowed",
    "expect_invalid",
    "fallback_invalid",
    "expires_too_early",
    "expires_too_late",
    "modem_unknown",
    "modem_unsuitable",
    "no_route",
    "no_simulated_modem",
    "number_invalid",
    "number_not_allowed",
    "policy_unknown",
    "reference_invalid",
    "reference_missing",
    "send_at_too_far",
    "send_at_too_old",
    "template_failed",
    "template_too_long",
    "template_unknown",
    "template_variable_missing",
    "text_empty",
    "text_invalid",
    "text_too_long",
)
SENT: Final = (*DRAFT, "cap", "country_profile", "daily_parts", "rate_limited")
NEW: Final = (*SENT, "idempotency_key_invalid", "idempotency_mismatch")
KNOWN: Final = ("message_not_found",)
ALERT: Final = ("alert_not_found",)
ACT_OF_ALERT: Final = (*ALERT, "test_token")
ALERT_AGAIN: Final = (*ACT_OF_ALERT, "alert_stopped")
NEW_ALERT: Final = (*NEW, "alert_invalid", "batch_over_rate", "filter_too_slow", "segments_not_allowed", "to_invalid")
NAMED: Final = (
    "modem_not_found",
    "modem_ambiguous",
    "real_modem_refused",
    "host_silent",
    "command_in_doubt",
    "command_unknown",
)
LINE: Final = (*NAMED, "command_unsafe", "modem_not_ready", "modem_silent", "modem_busy", "modem_failed")
CONSENT: Final = (
    "asked_lately",
    "at_in_future",
    "at_unsuitable",
    "category_unknown",
    "category_without_consent",
    "consent_stands",
    "number_invalid",
    "number_not_allowed",
    "opted_out",
    "state_unsuitable",
    "test_token",
    *(
        f"{name}_{fault}"
        for name in ("wording", "evidence", "channel", "source", "by")
        for fault in ("too_long", "invalid")
    ),
)
MANY: Final = (*NEW, "batch_over_rate", "idempotency_key_unsupported", "line_too_long")
CANCEL: Final = (*KNOWN, "not_cancelable", "test_token")
RESOLVE: Final = (*KNOWN, "not_uncertain", "opted_out", "message_expired", "test_token")
PAUSE: Final = ("category_unknown", "categories_empty", "test_token")
OPT_OUT: Final = ("number_invalid", "category_unknown", "category_not_stoppable", "test_token")
LIFT: Final = (*OPT_OUT, "optout_not_found")
REVIEW: Final = ("review_not_found", "review_settled", "test_token")
SIMULATE: Final = (*NAMED, "not_simulated", "text_invalid", "simulate_invalid", "test_token")
UNLOCK: Final = (*NAMED, "modem_not_locked", "pin_last_try", "pin_no_counter")
USSD: Final = (*LINE, "ussd_failed", "ussd_refused")
WEBHOOK: Final = ("webhook_not_found",)
ACT_OF_WEBHOOK: Final = (*WEBHOOK, "test_token")
NEW_WEBHOOK: Final = ("webhook_invalid", "too_many_webhooks", "test_token")
CHANGED_WEBHOOK: Final = (*WEBHOOK, "webhook_invalid", "test_token")
SEGMENT: Final = ("segment_not_found",)
TEMPLATE: Final = ("template_not_found",)
FILTER: Final = ("filter_invalid", "filter_too_long", "filter_too_slow", "filter_type", "filter_unknown")
CONTACT: Final = ("number_invalid", "contact_not_found")
NEW_CONTACT: Final = (
    "number_invalid",
    "number_not_allowed",
    "contact_invalid",
    "too_many_attributes",
    "test_token",
)
CHANGED_CONTACT: Final = (*CONTACT, "contact_invalid", "too_many_attributes", "test_token")
IMPORT: Final = (
    "import_invalid",
    "columns_missing",
    "columns_invalid",
    "category_unknown",
    "category_without_consent",
    "at_in_future",
    "too_many_attributes",
    "test_token",
)
ATTRIBUTE: Final = ("attribute_not_found", "test_token")
AUTOMATION: Final = ("automation_not_found",)
NEW_AUTOMATION: Final = (
    "automation_invalid",
    "category_not_allowed",
    "category_unknown",
    "template_invalid",
    "template_not_found",
    "test_token",
)
CAMPAIGN: Final = ("campaign_not_found",)
ACT_OF_CAMPAIGN: Final = (
    *CAMPAIGN,
    "campaign_state",
    "campaign_busy",
    "category_not_allowed",
    "category_unknown",
    "test_token",
)
NEW_CAMPAIGN: Final = (
    "campaign_invalid",
    "category_not_allowed",
    "category_unknown",
    "codes_not_found",
    "template_invalid",
    "template_not_found",
    "template_variable_missing",
    "test_token",
    "to_invalid",
)
CHANGED_CAMPAIGN: Final = (*NEW_CAMPAIGN, *ACT_OF_CAMPAIGN)
TEXTS: Final = ("template_failed", "template_too_long", "template_variable_missing")
START_CAMPAIGN: Final = (
    *CHANGED_CAMPAIGN,
    *TEXTS,
    *DRAFT,
    "audience_empty",
    "codes_missing",
    "filter_too_slow",
    "lint_failed",
    "send_at_past",
)
TRIGGER: Final = (*AUTOMATION, *SENT, *TEXTS, "at_missing", "automation_raced", "template_not_found")
PROOF: Final = (*ACT_OF_CAMPAIGN, *TEXTS, *SENT, "proof_to_missing", "template_invalid", "template_not_found")
TRACE: Final = ("modem_not_found", "real_modem_refused", "trace_invalid", "trace_unwritable")

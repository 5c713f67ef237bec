"""Every type of event, with when it happens; and patterns that pick some of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from gateway.campaign import CampaignStatus
from gateway.message import Status

_STATUSES: Final[Mapping[Status, str]] = {
    Status.HELD: "a rule, or a pause, says later",
    Status.QUEUED: "it waits for its turn",
    Status.SENDING: "its first part is handed to a modem, or a further copy is to be",
    Status.SENT: "the network took every part",
    Status.DELIVERED: "every part was reported delivered",
    Status.UNDELIVERED: "the network gave a part up",
    Status.FAILED: "the modem or the network refused a part for good",
    Status.UNCERTAIN: "nobody knows whether a part left",
    Status.EXPIRED: "its time passed before it could leave",
    Status.CANCELED: "somebody took it back",
    Status.SUPPRESSED: "its recipient has opted out, or there is no consent",
}

_CAMPAIGNS: Final[Mapping[CampaignStatus, str]] = {
    CampaignStatus.DRAFT: "a campaign was made",
    CampaignStatus.SCHEDULED: "it will start by itself",
    CampaignStatus.RUNNING: "it was started, or goes on",
    CampaignStatus.PAUSED: "somebody paused it, or its token was revoked",
    CampaignStatus.FINISHED: "all of it was queued, and nothing of it waits",
    CampaignStatus.CANCELED: "somebody canceled it, or it could not be started at its moment",
}

#: Type and when it happens, in the order of the documentation.
KINDS: Final[Mapping[str, str]] = {
    **{f"message.{status}": when for status, when in _STATUSES.items()},
    "message.joined": "the same text to the same number was joined to it, or it to another",
    "message.answered_late": "a modem answered a submit that had been given up",
    "message.fallback_sent": "SMS could not bring it, and its text was sent by mail or push",
    "message.fallback_failed": "SMS could not bring it, and nothing else could either",
    "rule.bypassed": "it leaves although other messages would be held by a rule",
    "inbound.received": "a person's message is complete",
    "inbound.review": "a reply nearly is a keyword, and waits for somebody's word",
    "inbound.reviewed": "somebody said what such a reply is",
    "inbound.undecodable": "a modem told octets that cannot be read; they are kept",
    "call.missed": "somebody called a modem, and was turned away",
    "optout.added": "a person opted out, or was opted out",
    "optout.lifted": "an opt-out stands no more",
    "consent.given": "a consent was written down",
    "consent.withdrawn": "a consent was taken back",
    "consent.asked": "a double opt-in was begun",
    "modem.up": "a modem can be used, for the first time since the gateway started or after it was down",
    "modem.down": "a modem cannot be used: absent, being repaired, or paused",
    "modem.parked": "a modem waits for a person",
    "modem.selftest_failed": "a modem's message to a known number did not arrive",
    "modem.reports_missing": "the network takes what a modem sends, and no status report comes",
    "sim.limit_near": "80 % of a SIM's limit of a day or a month are used",
    "sim.limit": "such a limit is reached, or gone beyond by what nothing holds",
    "traffic.limit": "as many parts were sent as a cap of `[traffic]` allows",
    "traffic.new_country": "the first message that a real modem sends to a country",
    "balance.low": "the balance of a prepaid SIM is below `warn_below`",
    "alert.progress": "people of an alert were reached, or answered; at most once a second, and when it is over",
    "queue.paused": "somebody paused sending",
    "queue.resumed": "somebody let it go on",
    "clock.doubtful": "rules do not go by the clock: what has to wait for an hour waits",
    "clock.trusted": "they do again",
    "clock.set": "the clock was set",
    **{f"campaign.{status}": when for status, when in _CAMPAIGNS.items()},
    "campaign.decided": "the variants of a campaign were compared, and what the others get is known",
    "campaign.variant_stopped": "the guard of a campaign stopped a variant that many opted out of",
    "link.clicked": "somebody followed a link of a campaign's message",
    "conversion.recorded": "an application told what somebody did",
    "webhook.disabled": "an endpoint answered 410: it is told nothing more",
}


def matches(patterns: Collection[str], kind: str) -> bool:
    """Whether one of these patterns picks this type; none at all picks every type."""
    return not patterns or any(_fits(pattern, kind) for pattern in patterns)


def _fits(pattern: str, kind: str) -> bool:
    return pattern in {"*", kind} or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))

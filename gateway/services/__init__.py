"""The door for front ends: all that HTTP, the command line and later pages may ask of the gateway.

Front ends import this package, `gateway.requests`, `gateway.errors`, `gateway.message` and `gateway.clock`, and nothing
below. Scopes are checked by the front end, by route; what a principal may *see* is checked here.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.services.alerts import Alerts
from gateway.services.automations import Automations
from gateway.services.campaign_starts import CampaignStarts
from gateway.services.campaigns import Campaigns
from gateway.services.clock import Clocks
from gateway.services.codes import Codes
from gateway.services.consents import Consents
from gateway.services.contacts import Contacts
from gateway.services.conversions import Conversions
from gateway.services.events import Events
from gateway.services.health import Health
from gateway.services.inbox import Inbox
from gateway.services.messages import Messages
from gateway.services.metrics import Metrics
from gateway.services.modems import Modems
from gateway.services.optouts import OptOuts
from gateway.services.queue import Queue
from gateway.services.reports import Reports
from gateway.services.reviews import Reviews
from gateway.services.rings import Rings
from gateway.services.segments import Segments
from gateway.services.short_links import ShortLinks
from gateway.services.templates import Templates
from gateway.services.tokens import Tokens
from gateway.services.traces import Traces
from gateway.services.webhooks import Webhooks

__all__ = [
    "Alerts",
    "Automations",
    "CampaignStarts",
    "Campaigns",
    "Clocks",
    "Codes",
    "Consents",
    "Contacts",
    "Conversions",
    "Events",
    "Health",
    "Inbox",
    "Messages",
    "Metrics",
    "Modems",
    "OptOuts",
    "Queue",
    "Reports",
    "Reviews",
    "Rings",
    "Segments",
    "Services",
    "ShortLinks",
    "Templates",
    "Tokens",
    "Traces",
    "Webhooks",
]


@dataclass(frozen=True, slots=True)
class Services:
    """Every service of one gateway."""

    messages: Messages
    inbox: Inbox
    optouts: OptOuts
    consents: Consents
    reviews: Reviews
    modems: Modems
    queue: Queue
    tokens: Tokens
    health: Health
    traces: Traces
    clock: Clocks
    events: Events
    metrics: Metrics
    webhooks: Webhooks
    alerts: Alerts
    rings: Rings
    segments: Segments
    short_links: ShortLinks
    codes: Codes
    conversions: Conversions
    templates: Templates
    contacts: Contacts
    campaigns: Campaigns
    campaign_starts: CampaignStarts
    automations: Automations
    reports: Reports

"""The services put together, and what is started beside them: the parts of the composition root that only wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from api.models.events import rendered
from drivers.events import ModemStatus
from drivers.gsm.supervisor import ModemSupervisor
from gateway.campaigns.ab_deciding import AbTest
from gateway.campaigns.engine import Campaigning
from gateway.campaigns.link_tracking import LinkTracking
from gateway.config.settings import Settings
from gateway.crew import Crew
from gateway.ids import IdSource
from gateway.inbound.replies import Replies
from gateway.membership import Membership
from gateway.notify.notifier import Notifier
from gateway.notify.outgoing import Outgoing
from gateway.outbound.clock_guard import ClockGuard
from gateway.outbound.intake import Intake
from gateway.people.aside import Aside
from gateway.services import (
    Alerts,
    Automations,
    Campaigns,
    CampaignStarts,
    Clocks,
    Codes,
    Consents,
    Contacts,
    Conversions,
    Events,
    Health,
    Inbox,
    Messages,
    Metrics,
    Modems,
    OptOuts,
    Queue,
    Reports,
    Reviews,
    Rings,
    Segments,
    Services,
    ShortLinks,
    Templates,
    Tokens,
    Traces,
    Webhooks,
)
from gateway.services.campaigns import campaign_has, campaign_uses
from gateway.services.messages import Nudge
from gateway.services.modems import Fleet
from gateway.services.rings import Hall
from gateway.store.database import Store


def services_of(
    settings: Settings,
    store: Store,
    clock: ClockGuard,
    ids: IdSource,
    *,
    modems: Mapping[str, ModemSupervisor],
    nudge: Nudge,
    member: Membership | None = None,
    traces: Traces | None = None,
) -> Services:
    """What front ends may ask for, over this store and these modems."""
    fleet = Fleet(modems, {name: modem.simulator for name, modem in modems.items() if modem.simulator is not None})
    notifier = Notifier(settings, store, clock, rendered)
    intake = Intake(settings, store, clock, ids, member and member.elsewhere, check_callback=notifier.check_callback)
    shown = lambda: [modem.status() for modem in modems.values()]  # noqa: E731
    notifier.beside = Outgoing(settings, store, clock, intake, nudge, statuses=shown).tasks
    events, tokens = _heard(settings, store, clock)
    aside = Aside()
    templates = Templates(store, clock, settings, aside, uses=[campaign_has])
    segments = Segments(store, clock, settings, aside, uses=[campaign_uses])
    campaigns = _campaigns(settings, store, clock, ids, intake=intake, people=(segments, templates), nudge=nudge)
    rings = Rings(Hall(settings, store, clock, ids, intake, nudge, shown), segments.audience, templates.book)
    all_modems = Modems(store, clock, fleet, settings)
    all_modems.further = rings.told
    return Services(
        **_of_people(settings, store, clock, ids, nudge),
        **_watching(settings, store, clock, fleet, member=member, traces=traces),
        messages=Messages(store, clock, intake, nudge, settings=settings, book=templates.book),
        modems=all_modems,
        tokens=tokens,
        events=events,
        webhooks=Webhooks(store, clock, ids, notifier),
        alerts=Alerts(settings, store, clock, intake, nudge, listed=segments.audience),
        segments=segments,
        templates=templates,
        campaigns=campaigns,
        **_beside_campaigns(settings, store, clock, campaigns=campaigns, intake=intake, statuses=shown, nudge=nudge),
        rings=rings,
        reports=Reports(settings, store, clock, campaigns=campaigns, modems=all_modems),
    )


def _heard(settings: Settings, store: Store, clock: ClockGuard) -> tuple[Events, Tokens]:
    """Events, and the tokens that may be told of them."""
    events, tokens = Events(store, clock, rendered, settings), Tokens(store, clock, settings.categories)
    tokens.on_loaded = events.look_again
    return events, tokens


def _watching(
    settings: Settings,
    store: Store,
    clock: ClockGuard,
    fleet: Fleet,
    *,
    member: Membership | None,
    traces: Traces | None,
) -> dict[str, Any]:
    """How the gateway is; by the names of the services."""
    return {
        "health": Health(store, fleet, lambda: member.differing if member else (), clock.doubt),
        "traces": traces or Traces(clock, settings),
        "metrics": Metrics(store, clock, fleet),
    }


def _of_people(settings: Settings, store: Store, clock: ClockGuard, ids: IdSource, nudge: Nudge) -> dict[str, Any]:
    """What people say and what is known of them, and the clock and the queue; by the names of the services."""
    return {
        "inbox": Inbox(store, settings),
        "optouts": OptOuts(store, clock, settings),
        "consents": Consents(store, clock, ids, nudge, settings=settings),
        "reviews": Reviews(store, clock, Replies(settings, ids, shared=store.engine.shared), nudge),
        "contacts": Contacts(settings, store, clock, ids),
        "queue": Queue(store, clock, nudge, settings.categories),
        "clock": Clocks(clock),
    }


def _campaigns(
    settings: Settings,
    store: Store,
    clock: ClockGuard,
    ids: IdSource,
    *,
    intake: Intake,
    people: tuple[Segments, Templates],
    nudge: Nudge,
) -> Campaigns:
    segments, templates = people
    engine = Campaigning(
        settings, store, clock, ids, intake=intake, audience=segments.audience, renderer=templates.renderer,
        nudge=nudge, deciding=AbTest(), tracking=LinkTracking(settings.links.address, clock),
    )  # fmt: skip
    return Campaigns(settings, store, clock, ids, engine=engine, nudge=nudge)


def _beside_campaigns(
    settings: Settings,
    store: Store,
    clock: ClockGuard,
    *,
    campaigns: Campaigns,
    intake: Intake,
    statuses: Callable[[], Sequence[ModemStatus]],
    nudge: Nudge,
) -> dict[str, Any]:
    """What starts campaigns, and what sends by itself; by the names of the services."""
    renderer = campaigns.engine.renderer
    return {
        "short_links": ShortLinks(settings.links, store, clock, campaigns),
        "codes": Codes(store, clock),
        "conversions": Conversions(settings, store, clock, campaigns),
        "campaign_starts": CampaignStarts(
            settings, store, clock, campaigns=campaigns, intake=intake, statuses=statuses, nudge=nudge
        ),
        "automations": Automations(settings, store, clock, intake=intake, renderer=renderer, nudge=nudge),
    }


async def begin(services: Services, stack: AsyncExitStack) -> None:
    """What they read once; what they opened is closed with the stack."""
    stack.push_async_callback(services.messages.close)
    stack.push_async_callback(services.segments.close)
    stack.push_async_callback(services.campaign_starts.close)
    await services.tokens.load()
    await services.metrics.begin()


def run_beside(crew: Crew, clock: ClockGuard, services: Services) -> None:
    """Let what follows the clock and the events run, until the crew stops."""
    crew.also("clock", clock.run(crew.look_again))
    crew.also("events", services.events.run())
    for name, work in services.contacts.tasks():
        crew.also(name, work)
    crew.also("campaigns", services.campaigns.engine.run())
    crew.also("rings", services.rings.run())
    for name, work in services.webhooks.tasks():
        crew.also(name, work)


async def start_modems(
    modems: Mapping[str, ModemSupervisor], shown: Mapping[str, ModemSupervisor], tokens: Tokens, stack: AsyncExitStack
) -> None:
    """Start those of the configuration now, the others when there is a test token; all are stopped with the stack."""
    for name, modem in modems.items():
        if name in shown:
            await modem.start()
        stack.push_async_callback(modem.stop)
    tokens.on_test = _starter([modem for name, modem in modems.items() if name not in shown])
    await tokens.load()


def _starter(modems: Sequence[ModemSupervisor]) -> Callable[[], Awaitable[None]]:
    """Starts these modems when it is called for the first time."""
    idle = list(modems)

    async def start() -> None:
        while idle:
            await idle.pop().start()

    return start

"""One host among several: its lease, what it hears of the others, and what they ask of it.

Where the store has one host, none of it runs, and nothing is known of others.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from gateway.clock import Clock
from gateway.config.rules_hash import rules_hash
from gateway.config.settings import Settings
from gateway.crew import Crew
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.gate import Gate
from gateway.outbound.lease import Identity, Lease
from gateway.ports import Modem
from gateway.services import Services
from gateway.store.database import Store
from gateway.store.listening import Listener
from gateway.store.signals import Topic


class Membership:
    """This host's place; made by `membership`."""

    def __init__(self, lease: Lease | None, elsewhere: Elsewhere, listener: Listener) -> None:
        self._lease = lease
        self._listener = listener
        #: The modems of other hosts.
        self.elsewhere = elsewhere

    @property
    def differing(self) -> Sequence[str]:
        """Hosts that are alive and decide by other rules."""
        return self._lease.differing if self._lease else ()

    def join(self, crew: Crew, services: Services, modems: Mapping[str, Modem]) -> None:
        """From now on the others see these modems, and this host hears what they signal and ask."""
        lease = self._lease
        if lease is None:
            return

        def heard(topics: Collection[Topic]) -> None:
            acts = {
                Topic.WORK: crew.dispatcher.nudge,
                Topic.COMMANDS: services.modems.commands.nudge,
                Topic.HOSTS: lease.nudge,
                Topic.TOKENS: services.tokens.nudge,
            }
            for topic in topics:
                acts[topic]()

        lease.tell_of(modems, services.modems.told)
        self._listener.heard = heard
        crew.on_changed = lease.nudge
        crew.also("lease", lease.run())
        crew.also("listener", self._listener.run())
        crew.also("commands", services.modems.commands.run())
        crew.also("tokens", services.tokens.follow())

    def tell_url(self, url: str) -> None:
        """Where this host's interface is."""
        if self._lease is not None:
            self._lease.tell_url(url)


@asynccontextmanager
async def membership(settings: Settings, store: Store, clock: Clock, gate: Gate) -> AsyncGenerator[Membership]:
    """Take this host's place, before it recovers what it left; give it back at the end."""
    elsewhere, listener = Elsewhere(), Listener(store.engine, clock)
    if not store.engine.shared:
        yield Membership(None, elsewhere, listener)
        return
    identity = Identity(settings.gateway.node, version("tocsin"), rules_hash(settings))
    lease = Lease(store, clock, gate, identity, elsewhere)
    await lease.take()
    try:
        yield Membership(lease, elsewhere, listener)
    finally:
        await lease.end()

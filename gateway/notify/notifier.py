"""All that tells others of what happened: whoever follows the events, and whoever tells what is due."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator

from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.notify.callback_check import CallbackCheck
from gateway.notify.courier import Courier
from gateway.notify.deliverer import Deliverer
from gateway.notify.happenings import Happening
from gateway.notify.outbox import Outbox
from gateway.notify.reach import Reach, Resolver, anywhere_but, networks, only
from gateway.notify.shares import OF_CALLBACKS, OF_TOKEN
from gateway.store.database import Store


class Notifier:
    """The webhooks of one host. `render` makes the body that receivers get."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, render: Callable[[Happening], bytes]) -> None:
        own = (*settings.api.internet, *settings.email.addresses)
        #: What an admin's endpoint may reach.
        self.reach = Reach(anywhere_but(own), Resolver(clock))
        # Look-ups of their own: whoever names hosts that never answer keeps no endpoint from being found.
        allowed = networks(settings.webhook_networks)
        to_callers = Reach(only(allowed, own), Resolver(clock, most=2 * OF_CALLBACKS, of_one=OF_TOKEN))
        #: Asked before a message with a callback is accepted.
        self.check_callback = CallbackCheck(Reach(only(allowed, own), Resolver(clock)), nowhere=not allowed)
        #: Whether events are read although there is no endpoint.
        self.follows_callbacks = bool(settings.webhook_networks)
        #: Sends what is not kept: tests of endpoints.
        self.courier = Courier(self.reach, clock)
        self.render = render
        self._deliverer = Deliverer(
            store, clock, render, to_endpoints=self.courier, to_callbacks=Courier(to_callers, clock)
        )
        self._outbox = Outbox(store, clock, callbacks=self.follows_callbacks)
        self._outbox.on_left = self._deliverer.nudge
        #: What runs beside it: whatever else tells others of what happened.
        self.beside: Callable[[], Iterator[tuple[str, Coroutine[object, object, None]]]] = lambda: iter(())

    def tasks(self) -> Iterator[tuple[str, Coroutine[object, object, None]]]:
        """What runs while the gateway does."""
        yield "outbox", self._outbox.run()
        yield "deliverer", self._deliverer.run()
        yield from self.beside()

    def changed(self) -> None:
        """Endpoints, or what they are owed, were changed."""
        self._outbox.changed()
        self._deliverer.nudge()

"""Everything that goes out through channels: who finds it, who looks for troubles, and who carries."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator

from drivers.events import ModemStatus
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.notify.alarms import Alarms
from gateway.notify.channel_words import ChannelWords
from gateway.notify.channels import Channels
from gateway.notify.fallbacks import Addresses, Fallbacks, addresses_of
from gateway.notify.forwards import Forwards
from gateway.notify.herald import Herald
from gateway.notify.messenger import Messenger
from gateway.outbound.intake import Intake
from gateway.store.database import Store


class Outgoing:
    """The channels of one host. `statuses` are its modems; `addresses` says where a person is reached otherwise."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        intake: Intake,
        nudge_queue: Callable[[], None],
        *,
        statuses: Callable[[], Iterable[ModemStatus]],
        addresses: Addresses = addresses_of,
    ) -> None:
        words = ChannelWords(settings.gateway)
        forwards = Forwards(settings, words)
        self.alarms = Alarms(settings, store, clock, words, statuses)
        self.herald = Herald(
            store, clock, falls=Fallbacks(settings.channels, addresses), forwards=forwards, alarms=self.alarms
        )
        self.messenger = Messenger(
            settings,
            store,
            clock,
            intake=intake,
            channels=Channels(settings.channels),
            words=words,
            forwards=forwards,
            nudge_queue=nudge_queue,
        )
        self.herald.on_left = self.alarms.on_left = self.messenger.nudge
        self._has_alarms = bool(settings.alarms)

    def tasks(self) -> Iterator[tuple[str, Coroutine[object, object, None]]]:
        """What runs while the gateway does."""
        yield "herald", self.herald.run()
        yield "messenger", self.messenger.run()
        if self._has_alarms:
            yield "alarms", self.alarms.run()

"""The tasks that look after the modems of this host."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping

from gateway.care.balances import Balance
from gateway.care.selftests import SelfTests
from gateway.care.silence import ReportWatch
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.config.test_network import written
from gateway.ids import IdSource
from gateway.ports import Modem
from gateway.store.database import Store


class Caretaker:
    """Makes the tasks; what is not configured costs none."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        ids: IdSource,
        *,
        modems: Mapping[str, Modem],
        nudge: Callable[[], None],
        is_sending: Callable[[str], bool],
    ) -> None:
        self._tests = SelfTests(settings, store, clock, ids, modems=modems, nudge=nudge)
        self._silence = ReportWatch(store, clock, settings.gateway.node, list(written(settings.modems)))
        asked = [(name, modem.balance) for name, modem in sorted(settings.modems.items()) if modem.balance is not None]
        self._balances = {
            name: Balance(
                modems[name],
                balance,
                store,
                clock,
                node=settings.gateway.node,
                place=place,
                is_sending=lambda name=name: is_sending(name),
            )
            for place, (name, balance) in enumerate(asked)
        }

    def tasks(self) -> Iterator[tuple[str, Coroutine[object, object, None]]]:
        """Each task's name, and what it does until it is cancelled."""
        yield "silence", self._silence.run()
        if self._tests.tested:
            yield "self-tests", self._tests.run()
        for name, balance in self._balances.items():
            yield f"balance {name}", balance.run()

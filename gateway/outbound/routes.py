"""The routes of the configured modems, and the lane of what is accepted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from gateway.config.settings import Category, ModemConfig
from gateway.config.test_network import modem_of_test
from gateway.requests import Principal
from gateway.rules.routing import Fit, Lane, Route, campaign_key, prefix_of, table_of


def routes_of(modems: Mapping[str, ModemConfig], node: str | None = None) -> dict[str, Route]:
    """The routes of configured modems: beside a real one a simulated one takes only messages of test tokens."""
    only_simulated = all(modem.simulated for modem in modems.values())
    table = table_of(known_prefixes(modems))
    return {
        name: Route(
            name,
            takes_test=modem.simulated,
            takes_live=not modem.built_in and (not modem.simulated or only_simulated),
            categories=modem.categories,
            prefixes=modem.prefixes,
            table=table,
            node=node,
            only_asked=modem.built_in,
        )
        for name, modem in modems.items()
    }


def known_prefixes(modems: Mapping[str, ModemConfig]) -> tuple[str, ...]:
    """Every beginning of a number that a modem is kept for, the longest first."""
    found = {prefix for modem in modems.values() for prefix in modem.prefixes}
    return tuple(sorted(found, key=lambda prefix: (-len(prefix), prefix)))


class Lanes:
    """The lanes of accepted messages, each made once."""

    _MOST = 5000

    def __init__(self, modems: Mapping[str, ModemConfig], node: str | None = None) -> None:
        self._modems = modems
        self._routes = routes_of(modems, node).values()
        self._known = known_prefixes(modems)
        self._table = table_of(self._known)
        self._found: dict[Hashable, tuple[str, bool]] = {}

    def find(
        self,
        principal: Principal,
        category: Category,
        wanted: str | None,
        number: str,
        campaign: tuple[str, int | None] | None = None,
    ) -> tuple[str, bool]:
        """The lane of a message as text, and whether a configured modem takes it. `campaign`: id and variant."""
        if principal.test and wanted is None:
            wanted = modem_of_test(self._modems, number)
        prefix = prefix_of(number, self._known)
        key = (category.name, principal.token_id, principal.test, wanted, prefix, campaign)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= self._MOST:
                self._found.clear()
            token = principal.token_id or None
            part_of = campaign_key(*campaign) if campaign else ""
            lane = Lane(category.priority, category.name, token, principal.test, wanted, prefix, self._table, part_of)
            found = self._found[key] = (lane.text(), any(route.fit(lane) is Fit.ALL for route in self._routes))
        return found

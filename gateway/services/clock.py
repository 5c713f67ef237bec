"""How a host's clock stands, and a person's word that it is right."""

from __future__ import annotations

from gateway.outbound.clock_guard import ClockGuard
from gateway.requests import ClockState, Principal
from gateway.services.visibility import refuse_test


class Clocks:
    """The clock of this host."""

    def __init__(self, clock: ClockGuard) -> None:
        self._clock = clock

    async def state(self, principal: Principal | None) -> ClockState:
        """What the machine says, what the gateway goes by, and why they differ if they do."""
        del principal  # the scope of the route is all that is asked
        return self._clock.state()

    async def confirm(self, principal: Principal | None) -> ClockState:
        """The clock is right: when this returns, the rules go by it again. None is whoever is at this machine."""
        refuse_test(principal, "says nothing of the clock, since real modems would send")
        by = "the command line" if principal is None else f"token {principal.name}"
        return await self._clock.confirm(by)

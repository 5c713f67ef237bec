"""Where a modem puts received messages and reports, and whether it says so: +CSMS and +CNMI (TS 27.005, 3.2.1, 3.4.1).

The answer to +CNMI=? is not to be trusted; a list is tried and the first that is taken is kept. It has to be looked
after, too: a modem that misses an acknowledgement turns the routing off by itself (TS 27.005, 3.4.4).
"""

from __future__ import annotations

import logging

from drivers.at.commands import INDICATIONS, MESSAGE_SERVICE, PHASE_2_PLUS, REJECT_PDU_MODE, route_indications
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of, name_of
from drivers.gsm.channel import AtChannel
from drivers.gsm.profiles import GENERIC, Profile

log = logging.getLogger(__name__)


class Routing:
    """What was agreed with one modem."""

    def __init__(self, channel: AtChannel) -> None:
        self._channel = channel
        self.profile: Profile = GENERIC
        self._values: tuple[int, ...] = ()
        self._agreed = False
        self.confirmed = False
        """Whether what is handed over has to be confirmed by +CNMA: +CSMS service 1."""

    async def set_up(self) -> None:
        """Agree on the best that the modem takes; without any routing, reading at intervals is what is left."""
        taken = await self._channel.optional(PHASE_2_PLUS) is not None
        service = await self._service()
        self.confirmed = taken if service is None else service == 1
        if self.confirmed and not self._agreed:
            # What was handed to whoever had the port before us was never confirmed. Refused now, the network brings it
            # again; left alone, it blocks what comes behind it and ends the routing that is agreed below (3.4.4). What
            # is handed over from then on is ours to confirm, also where a modem that has come up is told all of it
            # once more.
            await self._channel.optional(REJECT_PDU_MODE)
        self._agreed = True
        for values in self.profile.routings:
            if await self._apply(values):
                return
        log.warning("the modem takes no +CNMI setting: messages are found at the next look only")

    async def _service(self) -> int | None:
        """<service> as the modem has it; None from one that does not say."""
        for line in await self._channel.optional(MESSAGE_SERVICE) or ():
            parameters = parse_parameters(body_of(line))
            if name_of(line) == MESSAGE_SERVICE.name and parameters and isinstance(parameters[0], int):
                return parameters[0]
        return None

    async def _apply(self, values: tuple[int, ...]) -> bool:
        if await self._channel.optional(route_indications(*values)) is None:
            return False
        self._values = values
        return True

    async def check(self) -> None:
        """Put the routing back if the modem has turned it off."""
        if not self._values:
            return
        for line in await self._channel.optional(INDICATIONS) or ():
            if (
                name_of(line) == INDICATIONS.name
                and parse_parameters(body_of(line))[: len(self._values)] == self._values
            ):
                return
        await self._apply(self._values)

"""PDU mode, without which nothing is handed over: in text mode the digits of a PDU would leave as somebody's text.

A modem is asked for its mode when it is opened and at each look. Where it obeys several commands of one line (V.250,
5.4.1), the line of each submit asks as well, ``AT+CMGF?;+CMGS=23``: it answers ``+CMGF: 0`` in front of the prompt, or
is given ESC. That costs no exchange more. Where it does not, it is asked by a line of its own before each submit: what
another program or a fault of its own changed shows by nothing else.
Sources: TS 27.005, 3.2.3 (+CMGF) and 3.5.1 (the prompt).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from drivers.at.commands import PDU_MODE, PROBE, PROBE_TWICE, submit, submit_telling_mode
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of, name_of
from drivers.errors import CommandFailed, CommandTimeout, PduModeRefused, SubmitUncertain
from drivers.events import WireWitness
from drivers.gsm.channel import AtChannel, Execute
from drivers.gsm.submit_answer import Answer

log = logging.getLogger(__name__)

# How often a modem is asked that refuses what is about messages until that service has started, some seconds after the
# SIM is ready: twice a second at the usual pause.
ATTEMPTS_A_SECOND = 2
_PDU = 0


class PduMode:
    """The mode of one opened modem, and the handing over that depends on it."""

    def __init__(self, channel: AtChannel) -> None:
        self._channel = channel
        # Whether the line of a submit asks for the mode; whether that was seen to work.
        self._asks = self._proved = False
        # Whether it ever told its mode.
        self._tells = False
        #: Whether it was found in text mode since it was set up, or must be feared to be in it.
        self.left = False

    async def set_up(self, seconds: float) -> None:
        """Set it and see that it is set, for as long as the modem may need; raises `PduModeRefused`."""
        self.left = self._proved = False
        for attempt in range(round(seconds * ATTEMPTS_A_SECOND)):
            if attempt:
                await self._channel.pause()
            # One that says OK and stays in text mode lies; one that never told is believed.
            taken, said = await self._set(self._channel.execute), await self._learn()
            if said or (taken and not self._tells):
                return
        raise PduModeRefused("the modem does not go into PDU mode")

    @staticmethod
    async def _set(execute: Execute) -> bool:
        try:
            await execute(PDU_MODE)
        except CommandFailed:
            return False
        return True

    async def _learn(self) -> bool | None:
        """What it says of its mode; and whether it obeys several commands of one line."""
        try:
            said = _modes(await self._channel.execute(PROBE_TWICE))
        except (CommandFailed, CommandTimeout):
            said = []
        self._asks = len(said) == 2
        return await self._said(self._channel.execute) if not said else self._heard(said)

    async def ask(self) -> bool | None:
        """What +CMGF? says; None when it does not say."""
        said = await self._said(self._channel.execute)
        self.left = self.left or said is False
        return said

    async def _said(self, execute: Execute) -> bool | None:
        try:
            return self._heard(_modes(await execute(PROBE)))
        except CommandFailed:
            return None
        except CommandTimeout as error:
            return self._heard(_modes(error.lines))

    def _heard(self, said: Sequence[bool]) -> bool | None:
        self._tells = self._tells or bool(said)
        return all(said) if said else None

    async def submit(
        self, length: int, payload: str, *, lost: Callable[[], bool], witness: WireWitness | None
    ) -> Answer:
        """Hand over `payload`, the PDU of a TPDU of `length` octets; raises as `AtChannel.submit` does.

        `lost` says whether the modem has shown that it was reset.
        """
        if self._asks:
            try:
                return await self._submit_asking(length, payload, lost, witness)
            except CommandFailed as error:
                if self._proved or self.left or lost():
                    raise
                log.info("the line that asks for PDU mode does not end with a prompt: %s", error.result)
                self._asks = False
        return await self._channel.submit(
            submit(length), payload, before=self._make_sure, refuse=lambda _told: lost(), witness=witness
        )

    async def _submit_asking(
        self, length: int, payload: str, lost: Callable[[], bool], witness: WireWitness | None
    ) -> Answer:
        def refuse(told: tuple[str, ...]) -> bool:
            said = _modes(told)
            self._proved = self._proved or bool(said)
            self.left = self.left or False in said
            return lost() or self.left or not said

        try:
            command = submit_telling_mode(length)
            return await self._channel.submit(command, payload, refuse=refuse, witness=witness)
        except (CommandTimeout, SubmitUncertain):
            self._asks = self._proved  # it may be this line that it does not bear
            raise

    async def _make_sure(self, execute: Execute) -> None:
        """Ask, with nothing of anybody else's between this and the submit. Who told once and does not tell now is set
        and asked again, and not believed: it may be one that says OK and stays in text mode."""
        said = await self._said(execute) if self._tells else None
        if said is None and await self._set(execute):
            said = await self._said(execute) if self._tells else True
        if not said:
            self.left = True
            raise CommandFailed(PROBE.label, "not in PDU mode")


def _modes(lines: Sequence[str]) -> list[bool]:
    """Of each +CMGF among the lines, whether it says PDU mode."""
    parameters = (parse_parameters(body_of(line)) for line in lines if name_of(line) == PROBE.name)
    return [values[0] == _PDU for values in parameters if values]

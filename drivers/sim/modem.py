"""The simulated modem: a mobile station behind an AT link.

Bytes come in by `receive_data` and leave through the function given to `attach`; which wire carries them is for the
ends (`drivers.sim.ends`). It needs a running event loop only for answers that are put off and for reports.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from drivers.at.codes import CmeError, CmsError
from drivers.at.equipment import CommandReceived, Equipment, EquipmentEvent, PayloadReceived
from drivers.at.equipment_grammar import Command
from drivers.sim import (
    identification_commands,
    message_commands,
    message_settings,
    network_commands,
    setting_commands,
)
from drivers.sim.alarm import ALARM, Call
from drivers.sim.answers import Answer, Information, Later, Prompt, RefusedError, Silence
from drivers.sim.handlers import CommandTable
from drivers.sim.ledger import Ledger, Submission
from drivers.sim.network import SimulatedNetwork
from drivers.sim.settings import SimSettings, wall_clock
from drivers.sim.station import MobileStation

COMMANDS: CommandTable = {
    **identification_commands.COMMANDS,
    **network_commands.COMMANDS,
    **setting_commands.COMMANDS,
    **message_settings.COMMANDS,
    **message_commands.COMMANDS,
}
MESSAGE_COMMANDS = message_settings.SIM_COMMANDS | message_commands.SIM_COMMANDS


class SimulatedModem:
    """One modem with its SIM on `network`, or on a network of its own.

    `now` gives the service centre's time as an aware datetime; it is used only when no network is given.
    """

    def __init__(
        self,
        settings: SimSettings | None = None,
        network: SimulatedNetwork | None = None,
        *,
        now: Callable[[], datetime] = wall_clock,
    ) -> None:
        self.settings = settings or SimSettings()
        self.network = network or SimulatedNetwork(now)
        self.station = MobileStation(self.settings, self.network, self._notify)
        self._equipment = Equipment(echo=self.settings.echo)
        self._write: Callable[[bytes], object] | None = None
        self._prompted: Callable[[bytes], Answer] | None = None
        self._timer: Call | None = None

    # --- the radio side

    @property
    def ledger(self) -> Ledger:
        """What this modem has really sent."""
        return self.station.ledger

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """The ledger's entries, oldest first."""
        return self.station.ledger.entries

    @property
    def waiting(self) -> int:
        """How many messages the network holds because the modem has no room, no service or no acknowledgement."""
        return self.station.reception.waiting

    def inject_sms(self, sender: str, text: str) -> int:
        """Let an SMS arrive; a long text comes as concatenated parts. Returns the number of parts.

        `sender` is a number or an alphanumeric name; ValueError (TpduError is one) when it can be neither.
        """
        return self.network.inject(self.station, sender, text)

    def inject_pdu(self, pdu: bytes) -> None:
        """Let a PDU arrive octet by octet: the service centre field, which may be `00`, and a TPDU as networks send it.

        TpduError when the service centre field is none or nothing follows it; the TPDU itself may be anything.
        """
        self.network.inject_pdu(self.station, pdu)

    # --- the wire side

    def attach(self, write: Callable[[bytes], object]) -> None:
        """Everything that the modem says goes to `write` from now on; settings and echo stay as they are."""
        self._write = write

    def detach(self, write: Callable[[bytes], object] | None = None) -> None:
        """Nobody listens any more: what the modem says is lost, as on a closed port.

        With `write`, only if it is the one that listens: an end that closes late must not unplug its successor.
        """
        if write is None or write == self._write:
            self._write = None

    def receive_data(self, data: bytes) -> None:
        """Octets that the terminal has sent, cut anywhere."""
        self._equipment.receive_data(data)
        self._advance()

    def close(self) -> None:
        """Leave the network and stop every timer."""
        self.detach()
        if self._timer:
            self._timer.cancel()
        self.station.reception.close()
        self.network.leave(self.station)

    # --- commands

    def _advance(self) -> None:
        while (event := self._equipment.next_event()) is not None:
            self._handle(event)
        self._flush()

    def _handle(self, event: EquipmentEvent) -> None:
        if isinstance(event, CommandReceived):
            command = event.command
            self._give(lambda: self._execute(command))
        elif isinstance(event, PayloadReceived) and self._prompted:
            then, data = self._prompted, event.data
            self._give(lambda: then(data))
        else:
            self._equipment.succeed()

    def _execute(self, command: Command) -> Answer:
        handler = COMMANDS.get((command.name, command.form))
        if handler is None:
            raise RefusedError
        self._require_sim(command.name)
        return handler(self.station, command)

    def _require_sim(self, name: str) -> None:
        word = self.station.equipment.pin_word
        if word == "READY":
            return
        if name in MESSAGE_COMMANDS:
            raise RefusedError(CmsError.SIM_PUK_REQUIRED if word == "SIM PUK" else CmsError.SIM_PIN_REQUIRED)
        if name in network_commands.SIM_COMMANDS:
            raise RefusedError(CmeError.SIM_PUK_REQUIRED if word == "SIM PUK" else CmeError.SIM_PIN_REQUIRED)

    def _give(self, produce: Callable[[], Answer]) -> None:
        try:
            answer = produce()
        except RefusedError as refusal:
            self._equipment.fail(refusal.result(self.station.equipment.command_settings.cmee))
            return
        match answer:
            case Information(blocks):
                for block in blocks:
                    self._equipment.respond(*block)
                self._equipment.succeed()
            case Prompt(then):
                self._prompted = then
                self._equipment.prompt()
            case Silence():
                self._equipment.give_up()
            case Later(delay, then):
                self._timer = ALARM.call_later(delay, partial(self._give_late, then))

    def _give_late(self, produce: Callable[[], Answer]) -> None:
        self._give(produce)
        self._advance()

    # --- writing

    def _notify(self, *lines: str) -> None:
        self._equipment.notify(*lines)
        # What is told while a command executes goes out with its answer, in the order in which it was said.
        self._flush()

    def _flush(self) -> None:
        data = self._equipment.data_to_send()
        if data and self._write:
            self._write(data)

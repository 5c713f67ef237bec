"""The simulated modem: a mobile station behind an AT link.

Bytes come in by `receive_data` and leave through the function given to `attach`; which wire carries them is for the
ends (`drivers.sim.ends`). It needs a running event loop only for answers that are put off and for reports.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from drivers.at.codes import CmeError, CmsError
from drivers.at.equipment import CommandReceived, Equipment, EquipmentEvent, PayloadReceived
from drivers.at.equipment_grammar import Command, Form
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
from drivers.sim.troubles import Trouble, Troubles, make_trouble

COMMANDS: CommandTable = {
    **identification_commands.COMMANDS,
    **network_commands.COMMANDS,
    **setting_commands.COMMANDS,
    **message_settings.COMMANDS,
    **message_commands.COMMANDS,
}
MESSAGE_COMMANDS = message_settings.SIM_COMMANDS | message_commands.SIM_COMMANDS


class Line(Protocol):
    """What a modem is plugged into: an end of `drivers.sim.ends`."""

    def unplug(self) -> None: ...
    def plug(self, link: str | None = None) -> None: ...


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
        self.troubles = Troubles(self)
        self.line: Line | None = None
        self.plugged = True
        self._write: Callable[[bytes], object] | None = None
        self._prompted: Callable[[bytes], Answer] | None = None
        self._command = Command("", Form.EXECUTE)
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

    # --- what goes wrong

    @property
    def interface(self) -> Equipment:
        """The AT interface, which a loss of power replaces."""
        return self._equipment

    def trouble(self, name: str, **options: Any) -> Trouble:
        """Switch a trouble of `drivers.sim.troubles` on; ValueError when there is none such, or not on this modem.

        Options by the words of its specification or its fields' names, as values or as text: `trouble("silence",
        lasting=2.0)`, `trouble("silence", **{"for": "2s"})`. It needs the running loop.
        """
        trouble = make_trouble(name, options)
        self.troubles.begin(trouble)
        return trouble

    def unplug(self) -> None:
        """Pull it from its line: the port is gone, the modem goes on. Without a line it is not heard any more."""
        if self.line:
            self.line.unplug()
        self.plugged, self._write = False, None

    def plug(self, link: str | None = None) -> None:
        """Plug it in again, as another device; with `link` under that name where a line has one."""
        if self.line:
            self.line.plug(link)
        self.plugged = True

    def lose_power(self) -> None:
        """Switch off and on: dialogue and settings are lost, a locked SIM wants its PIN, nothing more is answered."""
        if self._timer:
            self._timer.cancel()
        self.station.reception.close()
        self._equipment, self._prompted = Equipment(echo=self.settings.echo), None
        self.station.equipment.functionality = 1
        self.station.restart()

    # --- the wire side

    def attach(self, write: Callable[[bytes], object]) -> None:
        """Everything that the modem says goes to `write` from now on; settings and echo stay as they are."""
        self._write = write
        if self.troubles.on:
            self.troubles.attached()

    def detach(self, write: Callable[[bytes], object] | None = None) -> None:
        """Nobody listens any more: what the modem says is lost, as on a closed port.

        With `write`, only if it is the one that listens: an end that closes late must not unplug its successor.
        """
        if write is None or write == self._write:
            self._write = None

    def receive_data(self, data: bytes) -> None:
        """Octets that the terminal has sent, cut anywhere."""
        if self.troubles.on:
            self.troubles.hear(data, self._take)
        else:
            self._take(data)

    def emit(self, data: bytes) -> None:
        """Write octets to the terminal, past every trouble."""
        if self._write:
            self._write(data)

    def notify(self, *lines: str) -> None:
        """Tell one unsolicited result of one or more lines."""
        self._notify(*lines)

    def close(self) -> None:
        """Leave the network, end every trouble and stop every timer."""
        self.troubles.end_all()
        self.detach()
        if self._timer:
            self._timer.cancel()
        self.station.reception.close()
        self.network.leave(self.station)

    # --- commands

    def _take(self, data: bytes) -> None:
        self._equipment.receive_data(data)
        self._advance()

    def _advance(self) -> None:
        while (event := self._equipment.next_event()) is not None:
            self._handle(event)
        self._flush()

    def _handle(self, event: EquipmentEvent) -> None:
        if isinstance(event, CommandReceived):
            self._command = event.command
            produce = partial(self._execute, event.command)
        elif isinstance(event, PayloadReceived) and self._prompted:
            produce = partial(self._prompted, event.data)
        else:
            self._equipment.succeed()
            return
        if self.troubles.on:
            produce = self.troubles.around(self._command, produce, payload=isinstance(event, PayloadReceived))
        self._give(produce)

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
        equipment = self._equipment
        try:
            answer = produce()
        except RefusedError as refusal:
            equipment.fail(refusal.result(self.station.equipment.command_settings.cmee))
            return
        if equipment is not self._equipment:
            return  # it has been off meanwhile
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
        if self.troubles.on and not self.troubles.tells(lines):
            return
        self._equipment.notify(*lines)
        # What is told while a command executes goes out with its answer, in the order in which it was said.
        self._flush()

    def _flush(self) -> None:
        data = self._equipment.data_to_send()
        if data and self._write:
            if self.troubles.on:
                self.troubles.say(data)
            else:
                self._write(data)

"""What can go wrong between this host and the network, as exceptions that answer three questions.

May the same thing be tried again (`retryable`)? Can the message have left (`may_have_left`)? What is told to the person
(`user_text`, without numbers, texts or secrets)? `code` is the stable word for programs. This module imports nothing of
the drivers: every floor raises from here.
"""

from __future__ import annotations


class DriverError(Exception):
    """Anything a driver raises on purpose. The class attributes are the defaults of its answers."""

    code: str = "driver_error"
    retryable: bool = True
    may_have_left: bool = False

    def __init__(self, user_text: str) -> None:
        super().__init__(user_text)
        self.user_text = user_text


class TransportError(DriverError):
    """The port cannot be opened or used; nothing was written."""

    code = "port_failed"


class PortMissing(TransportError):
    """There is no such device, host or service."""

    code = "port_missing"


class PortForbidden(TransportError):
    """The device exists and this user may not open it."""

    code = "port_forbidden"


class PortBusy(TransportError):
    """Another program holds the device."""

    code = "port_busy"


class TransportLost(TransportError):
    """The open port vanished: unplugged, hung up, connection closed. What was written may have arrived."""

    code = "port_lost"


class LineNoisy(TransportLost):
    """So much without a line end that no modem in AT mode can be at the other end."""

    code = "line_noisy"


class ModemRestarted(TransportLost):
    """The modem began anew while its port stayed open; its settings are gone, and so is a submit without answer."""

    code = "modem_restarted"


class SettingsLost(TransportLost):
    """The modem answers, and no longer as it was told to: echo is back, PDU mode is left."""

    code = "settings_lost"


class CommandTimeout(DriverError):
    """The modem gave no final result code in time. `lines` is the information text that did come."""

    code = "modem_silent"

    def __init__(self, command: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(f"the modem did not answer {command} in time")
        self.command = command
        self.lines = lines


class CommandFailed(DriverError):
    """The modem answered with an error result code.

    `result` is that line as it came; `cme` and `cms` are the codes of TS 27.007, 9.2 and TS 27.005, 3.2.5, if any.
    `lines` is the information text that came before it.
    """

    code = "command_failed"

    def __init__(
        self,
        command: str,
        result: str,
        *,
        cme: int | None = None,
        cms: int | None = None,
        lines: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"the modem answered {command} with {result}")
        self.lines = lines
        self.command = command
        self.result = result
        self.cme = cme
        self.cms = cms


class CommandRefusedHere(DriverError):
    """A command line that is not given to the modem by hand: it could cost money, the SIM or a message."""

    code = "command_unsafe"
    retryable = False


class UssdFailed(DriverError):
    """The network, or the modem, did not answer a USSD code with a text.

    `cause` is a stable word: ``ended`` (by the network), ``answered_elsewhere``, ``not_supported``, ``timeout``,
    ``refused``, ``unreadable``.
    """

    code = "ussd_failed"

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


class ModemNotReady(DriverError):
    """No submit was begun, or it was broken off before Ctrl-Z: the message has not left."""

    code = "modem_not_ready"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the modem is not ready: {reason}")
        self.reason = reason


class PduModeRefused(ModemNotReady):
    """The modem stays in text mode, in which the digits of a PDU would leave as somebody's text."""

    code = "pdu_mode_refused"


class SimNotReady(ModemNotReady):
    """The SIM is there and cannot be used yet."""

    code = "sim_not_ready"


class SimMissing(ModemNotReady):
    """No SIM is inserted, as far as the modem knows."""

    code = "sim_missing"


class NotRegistered(ModemNotReady):
    """The network has not served the modem for so long that it is time to do something about it."""

    code = "not_registered"


class SubmitsUnanswered(ModemNotReady):
    """Submits got no answer although the modem answers everything else."""

    code = "submits_unanswered"


class SubmitRefused(DriverError):
    """The message was definitely not accepted.

    `code` is a stable word such as ``cms_21``. `local` says that it never left the modem (so a retry after repair need
    not use up an attempt), in contrast to a refusal by the network.
    """

    def __init__(self, code: str, text: str, *, retryable: bool, local: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.retryable = retryable
        self.local = local


class SubmitUncertain(DriverError):
    """Ctrl-Z was, or may have been, written and no answer tells what became of the message.

    `cause` is a stable word: ``timeout``, ``port_lost``, ``bare_ok``, ``torn``, ``error``,
    ``cms_38`` …
    """

    code = "submit_uncertain"
    retryable = False
    may_have_left = True

    def __init__(self, cause: str) -> None:
        super().__init__(f"it is not known whether the message left ({cause})")
        self.cause = cause


class ModemParked(DriverError):
    """Something that no retry can heal: a wrong PIN, a blocked SIM. A person has to act."""

    code = "modem_parked"
    retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(f"the modem is parked: {reason}")
        self.reason = reason

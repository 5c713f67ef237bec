"""Each failure answers: again? may it have left? what is told?"""

import inspect

import pytest

from drivers import errors
from drivers.errors import (
    CommandFailed,
    CommandTimeout,
    DriverError,
    ModemNotReady,
    ModemParked,
    PortBusy,
    SubmitRefused,
    SubmitUncertain,
    TransportError,
    TransportLost,
)

EXAMPLES: list[tuple[DriverError, str, bool, bool]] = [
    (TransportError("it does not work"), "port_failed", True, False),
    (PortBusy("somebody else has it"), "port_busy", True, False),
    (TransportLost("gone"), "port_lost", True, False),
    (CommandTimeout("AT+CSQ"), "modem_silent", True, False),
    (CommandFailed("AT+CSQ", "ERROR"), "command_failed", True, False),
    (ModemNotReady("searching"), "modem_not_ready", True, False),
    (ModemParked("the SIM asks for SIM PUK"), "modem_parked", False, False),
    (SubmitRefused("cms_42", "the network cannot take it now", retryable=True), "cms_42", True, False),
    (SubmitRefused("cms_1", "the network refused it", retryable=False), "cms_1", False, False),
    (SubmitUncertain("timeout"), "submit_uncertain", False, True),
]


@pytest.mark.parametrize(("error", "code", "retryable", "may_have_left"), EXAMPLES)
def test_the_three_answers(error: DriverError, code: str, retryable: bool, may_have_left: bool) -> None:
    assert (error.code, error.retryable, error.may_have_left) == (code, retryable, may_have_left)
    assert error.user_text == str(error)
    assert error.user_text


def test_only_an_uncertain_submit_may_have_left() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DriverError)]
    assert [kind for kind in kinds if kind.may_have_left] == [SubmitUncertain]


def test_what_the_modem_said_is_kept() -> None:
    failed = CommandFailed("AT+CMGR=3", "+CMS ERROR: 321", cms=321)
    assert (failed.command, failed.result, failed.cms, failed.cme) == ("AT+CMGR=3", "+CMS ERROR: 321", 321, None)
    silent = CommandTimeout("AT+CMGL=4", ("+CMGL: 1,1,,23", "0791"))
    assert silent.lines == ("+CMGL: 1,1,,23", "0791")
    assert "0791" not in str(silent)

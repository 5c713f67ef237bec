"""USSD: a code goes to the network, a text comes back (TS 27.007, 7.15; TS 23.038, 5 and 6.1.2.3).

One dialogue at a time. A menu that asks for an answer is read and ended: an open dialogue would take the next code for
the answer to it.
"""

from __future__ import annotations

import asyncio

from drivers.at.commands import CHARACTER_SET, USSD_CANCEL, begin_ussd
from drivers.at.events import Urc
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of, is_hexadecimal, name_of
from drivers.errors import CommandFailed, CommandTimeout, UssdFailed
from drivers.gsm.channel import AtChannel
from drivers.gsm.mmi import problem_of_code
from drivers.gsm.profiles import UssdForm
from drivers.tpdu.data_coding import Alphabet
from drivers.tpdu.gsm7 import gsm7_alphabet
from drivers.tpdu.septets import pack_ussd, unpack_ussd

NAME = "+CUSD"
_DEFAULT_DCS = 15
# A text so long that is hexadecimal throughout is none in plain letters.
_SURELY_HEXADECIMAL = 16
_PRINTABLE = frozenset((*range(0x20, 0x7F), *b"\r\n"))

# A text in the alphabet of 23.038, 6.2.1, whose septets came as letters. Three stay: a line has them in ASCII or not at
# all, as NUL is dropped from it. ESC ends it, so that a text is cut before the euro sign.
_IN_GSM = {
    septet: letter
    for septet in range(0x80)
    if chr(septet) not in "@$_\r\n\x1b" and (letter := gsm7_alphabet().decode(bytes((septet,)))) != chr(septet)
}

# <m> of +CUSD that brings no text for us.
_ENDS = {
    2: ("ended", "the network ended the dialogue"),
    3: ("answered_elsewhere", "another client of the modem took the answer"),
    4: ("not_supported", "the network or the modem does not support this code"),
    5: ("timeout", "the network did not answer the code in time"),
}
_ASKS = 1


class Ussd:
    """The USSD dialogues of one opened modem."""

    def __init__(self, channel: AtChannel) -> None:
        self._channel = channel
        self._lock = asyncio.Lock()
        self._answer: asyncio.Future[str] | None = None
        self.form = UssdForm.PLAIN

    def hear(self, urc: Urc) -> None:
        """Take +CUSD, which comes before or after the OK of its command."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(urc.line)

    async def ask(self, code: str, seconds: float) -> str:
        """The text that the network answers to `code`; raises `UssdFailed`, `CommandTimeout`, `TransportError`."""
        if problem := problem_of_code(code):
            raise UssdFailed("refused", f"a USSD code {problem}")
        async with self._lock:
            self._answer = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    return await self._dialogue(code, seconds)
            except TimeoutError:
                await self._channel.optional(USSD_CANCEL)
                raise UssdFailed("timeout", "no answer to the code came in time") from None
            finally:
                self._answer = None

    async def _dialogue(self, code: str, seconds: float) -> str:
        assert self._answer is not None
        form, in_gsm = await self._character_set()
        try:
            lines = await self._channel.execute(begin_ussd(_written(code, form), seconds))
        except CommandFailed as error:
            raise UssdFailed("refused", f"the modem refused the code: {error.result}") from error
        except CommandTimeout:
            raise TimeoutError from None
        line = next((line for line in lines if name_of(line) == NAME), None) or await self._answer
        parameters = parse_parameters(body_of(line))
        state = parameters[0] if parameters else None
        if state == _ASKS:
            await self._channel.optional(USSD_CANCEL)
        text = str(parameters[1]) if len(parameters) > 1 and parameters[1] is not None else ""
        if not text:
            raise UssdFailed(*_ENDS.get(state if isinstance(state, int) else 0, ("ended", "no text came back")))
        dcs = parameters[2] if len(parameters) > 2 else None
        found = decode(text, dcs if isinstance(dcs, int) else _DEFAULT_DCS, form)
        return found.translate(_IN_GSM) if in_gsm and found == text.strip() else found

    async def _character_set(self) -> tuple[UssdForm, bool]:
        """The form of this dialogue, and whether plain texts are in the GSM alphabet: as +CSCS? says (27.007, 5.5)."""
        if self.form is not UssdForm.PLAIN:
            return self.form, False
        lines = await self._channel.optional(CHARACTER_SET) or ()
        said = {str(value).upper() for line in lines for value in parse_parameters(body_of(line))[:1]}
        return UssdForm.UCS2 if "UCS2" in said else self.form, "GSM" in said


def _written(code: str, form: UssdForm) -> str:
    match form:
        case UssdForm.PACKED:
            return pack_ussd(gsm7_alphabet().encode(code)).hex().upper()
        case UssdForm.UCS2:
            return code.encode("utf-16-be").hex().upper()
        case UssdForm.PLAIN:
            return code


def decode(text: str, dcs: int, form: UssdForm) -> str:
    """The text of a USSD string as a modem writes it; raises `UssdFailed` when it is no text."""
    alphabet, has_language = coding_of(dcs)
    if not is_hexadecimal(text):
        return text.strip()
    octets = bytes.fromhex(text)
    if alphabet is Alphabet.EIGHT_BIT:
        raise UssdFailed("unreadable", "the network answered with octets that are no text")
    if alphabet is Alphabet.UCS2:
        return _utf16(octets[2:] if has_language else octets)
    if form is UssdForm.PLAIN and len(text) < _SURELY_HEXADECIMAL:
        return text
    if form is UssdForm.UCS2 or (form is UssdForm.PLAIN and not any(octets[::2])):
        return _utf16(octets)
    found = gsm7_alphabet().decode(octets if _is_unpacked(octets) else unpack_ussd(octets))
    return (found[3:] if has_language else found).strip()


def _is_unpacked(octets: bytes) -> bool:
    """One character an octet, as TS 27.007 has it for the character set "HEX": packed ones are never all printable."""
    return len(octets) >= _SURELY_HEXADECIMAL // 2 and all(octet in _PRINTABLE for octet in octets)


def _utf16(octets: bytes) -> str:
    return octets.decode("utf-16-be", "replace").strip()


def coding_of(dcs: int) -> tuple[Alphabet, bool]:
    """The alphabet of a coding scheme, and whether a language stands before the text (23.038, 5)."""
    group = dcs >> 4
    if dcs == 0x10:
        return Alphabet.GSM7, True
    if dcs == 0x11:
        return Alphabet.UCS2, True
    if 0x4 <= group <= 0x7 or group == 0x9:
        return {1: Alphabet.EIGHT_BIT, 2: Alphabet.UCS2}.get((dcs >> 2) & 3, Alphabet.GSM7), False
    if group == 0xF:
        return (Alphabet.EIGHT_BIT if dcs & 4 else Alphabet.GSM7), False
    return Alphabet.GSM7, False

"""Every form in which news is told, by its word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.notify.callbacks import Form, standard
from gateway.notify.form_kannel import kannel
from gateway.notify.form_smsgate import smsgate
from gateway.notify.form_twilio import twilio

#: By the word that stands in `message.callback` or at an endpoint; one that is not here is told to nobody.
FORMS: Final[Mapping[str, Form]] = {"standard": standard, "twilio": twilio, "kannel": kannel, "smsgate": smsgate}

"""What channels say, in the gateway's language (English for all but French). Texts that go by SMS are of the GSM
alphabet: no ê, no ç. Neither numbers nor texts of people stand in what tells of troubles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from drivers.tpdu import segment
from gateway.config.settings import GatewaySettings

#: Of each kind of trouble: what is said when it begins, and when it is over, where that is told.
_TROUBLES: Final[Mapping[str, Mapping[str, tuple[str, str | None]]]] = {
    "en": {
        "modem.parked": ("modem {0} needs a person", "modem {0} needs nobody any more"),
        "modem.down": ("modem {0} is down", "modem {0} is up again"),
        "stuck": ("messages wait and nothing leaves", "messages leave again"),
        "message.uncertain": ("uncertain messages wait for a person", "no uncertain message waits any more"),
        "sim.limit_near": ("modem {0}: 80 % of a SIM limit are used", None),
        "sim.limit": ("modem {0}: a SIM limit is reached", None),
        "balance.low": ("modem {0}: the balance is low", None),
        "modem.selftest_failed": ("modem {0}: the self-test failed", None),
        "disk": ("disk space is low", "there is disk space again"),
        "webhook.disabled": ("a webhook was disabled", None),
        "clock.doubtful": ("the clock cannot be trusted", "the clock is trusted again"),
        "traffic.limit": ("the traffic cap {0} is reached", None),
    },
    "fr": {
        "modem.parked": ("le modem {0} attend une intervention", "le modem {0} n'attend plus personne"),
        "modem.down": ("le modem {0} est hors service", "le modem {0} fonctionne de nouveau"),
        "stuck": ("des messages attendent, rien ne part", "les messages partent de nouveau"),
        "message.uncertain": ("des messages incertains attendent une décision", "plus aucun message incertain"),
        "sim.limit_near": ("modem {0} : 80 % d'une limite de la SIM", None),
        "sim.limit": ("modem {0} : une limite de la SIM est atteinte", None),
        "balance.low": ("modem {0} : le solde est bas", None),
        "modem.selftest_failed": ("modem {0} : l'autotest a échoué", None),
        "disk": ("l'espace disque est bas", "l'espace disque suffit de nouveau"),
        "webhook.disabled": ("un webhook a été désactivé", None),
        "clock.doubtful": ("l'horloge n'est pas fiable", "l'horloge est de nouveau fiable"),
        "traffic.limit": ("le plafond de trafic {0} est atteint", None),
    },
}
_OTHER: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "still": "{0} (still)",
        "more": "{0} (+{1} more)",
        "fallback": "A message that SMS could not bring",
        "forward": "Received by SMS",
        "alarm": "Alarm",
        "text": "{0}, SMS from {1}: {2}",
        "call": "{0}, missed call from {1}",
        "unknown": "an unknown number",
        "data": "(no text)",
    },
    "fr": {
        "still": "{0} (toujours)",
        "more": "{0} (+{1})",
        "fallback": "Un message que le SMS n'a pas pu transmettre",
        "forward": "Reçu par SMS",
        "alarm": "Alarme",
        "text": "{0}, SMS de {1} : {2}",
        "call": "{0}, appel manqué de {1}",
        "unknown": "un numéro inconnu",
        "data": "(pas de texte)",
    },
}
KINDS_OF_TROUBLE: Final = tuple(_TROUBLES["en"])
_FRENCH, _ENGLISH = "fr", "en"
#: A modem's name and the like are cut: the rest of the sentence matters more.
_LONGEST_NAME = 40


class ChannelWords:
    """The words of one gateway."""

    def __init__(self, gateway: GatewaySettings) -> None:
        language = _FRENCH if gateway.language == _FRENCH else _ENGLISH
        self._troubles = _TROUBLES[language]
        self._other = _OTHER[language]
        self._node = gateway.node[:_LONGEST_NAME]
        self._sender = gateway.sender_name or "Tocsin"

    def trouble(self, kind: str, about: str, *, still: bool = False) -> str:
        """That it begins, or goes on."""
        said = self._troubles[kind][0].format(about[:_LONGEST_NAME])
        return self._other["still"].format(said) if still else said

    def all_clear(self, kind: str, about: str) -> str | None:
        """That it is over; None where nobody is told of that."""
        said = self._troubles[kind][1]
        return None if said is None else said.format(about[:_LONGEST_NAME])

    def alarm_sms(self, said: Sequence[str]) -> str:
        """Several troubles in one short message: as many as fit, and how many more there are."""
        for shown in range(len(said), 0, -1):
            text = f"Tocsin {self._node}: " + "; ".join(said[:shown])
            text = text if shown == len(said) else self._other["more"].format(text, len(said) - shown)
            if shown == 1 or len(segment(text).parts) == 1:
                return text
        return f"Tocsin {self._node}"

    def alarm_mail(self, said: Sequence[str]) -> str:
        """Several troubles, one a line."""
        return "\n".join(f"Tocsin {self._node}: {each}" for each in said)

    def subject(self, kind: str) -> str:
        """Of a mail or push of this kind: "alarm", "forward" or "fallback"."""
        return f"{self._sender}: {self._other[kind]}"

    def text_from(self, at: str, number: str, text: str | None) -> str:
        """What somebody wrote; `at` is local time."""
        return self._other["text"].format(at, number, self._other["data"] if text is None else text)

    def call_from(self, at: str, number: str | None) -> str:
        """That somebody called."""
        return self._other["call"].format(at, number or self._other["unknown"])

"""The words of report pages, by language. English where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ENGLISH: Final[Mapping[str, str]] = {
    "report": "Campaign report",
    "test": "This campaign was made by a test token: nothing of it reached a real network.",
    "category": "Category",
    "status": "Status",
    "started": "Started",
    "finished": "Finished",
    "made": "Figures of",
    "whole": "All",
    "people": "People and messages",
    "members": "people in the campaign",
    "waiting": "waiting, no message yet",
    "left_out": "left out",
    "accepted": "messages accepted",
    "begun": "messages whose sending began",
    "held": "held by a rule",
    "queued": "queued",
    "sending": "being sent",
    "sent": "sent, no report yet",
    "delivered": "delivered",
    "undelivered": "not delivered",
    "failed": "failed",
    "uncertain": "uncertain",
    "expired": "expired",
    "canceled": "canceled",
    "suppressed": "suppressed (opted out, or no consent)",
    "visited_by_bots": "visited by programs",
    "clicked": "people who followed a link",
    "replied": "people who replied",
    "converted": "people who converted",
    "responded": "people who did any of these",
    "unsubscribed": "people who unsubscribed",
    "conversions": "conversions",
    "value": "value of the conversions",
    "median": "time to the reply, median",
    "p90": "time to the reply of nine in ten",
    "rates": "Rates",
    "rates_of": "Each is a share of the messages whose sending began; in brackets the interval at 95 % (Wilson).",
    "delivery": "Delivery",
    "response": "Response",
    "click": "Click",
    "reply": "Reply",
    "conversion": "Conversion",
    "opt_out": "Unsubscription",
    "statuses": "What became of the messages",
    "causes": "Why messages failed",
    "reasons": "Why people were left out",
    "code": "Code",
    "count": "Number",
    "rate": "Rate",
    "stopped": "stopped",
    "verdict": "Which variant is better",
    "pending": "Not decided yet.",
    "pending_at": "It is decided on {at}.",
    "winner": "Better by {metric}: {name}.",
    "no_winner": "By {metric} no variant is better: the difference may be chance.",
    "tried": "tried on",
    "did": "did so",
    "test_used": "Fisher’s exact test, two-sided, level {level} shared out among the pairs ({pair} each).",
    "p": "p = {p}.",
    "p_less": "p &lt; {p}.",
    "winner_stopped": "By {metric} one variant is better, but it was stopped: it is not chosen.",
    "found": "Of this size it finds a rise of {rise} points or more with a probability of {power}.",
    "assumes": (
        "It assumes that people were dealt out at random, that each counts once, that what one does depends on no "
        "other, and that the counts were looked at once."
    ),
    "remarks": "What these figures do not say",
    "no_open": (
        "An SMS tells nobody that it was opened or read, so there is no open rate. Delivery is what the network "
        "reported; response is a click, a reply or a conversion."
    ),
    "no_reports": "No delivery report has come: the network may give none, and then the delivery rate says nothing.",
    "running": "The campaign is not over: these figures still grow.",
    "stopped_early": (
        "A look at unfinished figures finds differences that are not there more often than the level says."
    ),
    "figure": "Figure",
    "seconds": "{n} s",
    "minutes": "{n} min",
    "hours": "{n} h",
    "draft": "draft",
    "scheduled": "scheduled",
    "paused": "paused",
    "over": "finished",
    "abandoned": "canceled",
    "at_work": "running",
}
_FRENCH: Final[Mapping[str, str]] = {
    "report": "Rapport de campagne",
    "test": "Cette campagne vient d’un jeton de test : rien n’en est parti sur un vrai réseau.",
    "category": "Catégorie",
    "status": "État",
    "started": "Début",
    "finished": "Fin",
    "made": "Chiffres du",
    "whole": "Ensemble",
    "people": "Personnes et messages",
    "members": "personnes dans la campagne",
    "waiting": "en attente, sans message encore",
    "left_out": "écartées",
    "accepted": "messages acceptés",
    "begun": "messages dont l’envoi a commencé",
    "held": "retenus par une règle",
    "queued": "en file",
    "sending": "en cours d’envoi",
    "sent": "envoyés, sans accusé encore",
    "delivered": "remis",
    "undelivered": "non remis",
    "failed": "en échec",
    "uncertain": "incertains",
    "expired": "périmés",
    "canceled": "annulés",
    "suppressed": "supprimés (désinscrits ou sans consentement)",
    "visited_by_bots": "visités par des programmes",
    "clicked": "personnes ayant suivi un lien",
    "replied": "personnes ayant répondu",
    "converted": "personnes converties",
    "responded": "personnes ayant fait l’un ou l’autre",
    "unsubscribed": "personnes désinscrites",
    "conversions": "conversions",
    "value": "valeur des conversions",
    "median": "délai de réponse, médiane",
    "p90": "délai de réponse de neuf sur dix",
    "rates": "Taux",
    "rates_of": (
        "Chacun est une part des messages dont l’envoi a commencé ; entre crochets l’intervalle à 95 % (Wilson)."
    ),
    "delivery": "Remise",
    "response": "Réaction",
    "click": "Clic",
    "reply": "Réponse",
    "conversion": "Conversion",
    "opt_out": "Désinscription",
    "statuses": "Ce que sont devenus les messages",
    "causes": "Causes des échecs",
    "reasons": "Pourquoi des personnes ont été écartées",
    "code": "Code",
    "count": "Nombre",
    "rate": "Taux",
    "stopped": "arrêtée",
    "verdict": "Quelle variante est la meilleure",
    "pending": "Pas encore décidé.",
    "pending_at": "La décision tombe le {at}.",
    "winner": "Meilleure par {metric} : {name}.",
    "no_winner": "Par {metric}, aucune variante n’est meilleure : l’écart peut être dû au hasard.",
    "tried": "essayée sur",
    "did": "l’ont fait",
    "test_used": "Test exact de Fisher, bilatéral, au seuil de {level} partagé entre les paires ({pair} chacune).",
    "p": "p = {p}.",
    "p_less": "p &lt; {p}.",
    "winner_stopped": "Par {metric}, une variante est meilleure, mais elle a été arrêtée : elle n’est pas retenue.",
    "found": "À cette taille il trouve une hausse de {rise} points ou plus avec une probabilité de {power}.",
    "assumes": (
        "Il suppose que les personnes ont été réparties au hasard, que chacune compte une fois, que ce que fait "
        "l’une ne dépend pas d’une autre, et que les chiffres ont été regardés une seule fois."
    ),
    "remarks": "Ce que ces chiffres ne disent pas",
    "no_open": (
        "Un SMS ne dit à personne qu’il a été ouvert ou lu : il n’y a donc pas de taux d’ouverture. La remise est "
        "ce que le réseau a rapporté ; la réaction est un clic, une réponse ou une conversion."
    ),
    "no_reports": (
        "Aucun accusé n’est venu : le réseau n’en donne peut-être pas, et le taux de remise ne dit alors rien."
    ),
    "running": "La campagne n’est pas finie : ces chiffres augmentent encore.",
    "stopped_early": (
        "Regarder des chiffres inachevés montre des écarts qui n’existent pas plus souvent que le seuil ne le dit."
    ),
    "figure": "Valeur",
    "seconds": "{n} s",
    "minutes": "{n} min",
    "hours": "{n} h",
    "draft": "brouillon",
    "scheduled": "programmée",
    "paused": "en pause",
    "over": "terminée",
    "abandoned": "annulée",
    "at_work": "en cours",
}
_LANGUAGES: Final = {"en": _ENGLISH, "fr": _FRENCH}
#: The status words of campaigns, where the same word means another thing of messages.
CAMPAIGN_WORDS: Final = {"finished": "over", "canceled": "abandoned", "running": "at_work"}


class ReportWords:
    """The words of one language; `locale` is what Babel calls it."""

    def __init__(self, language: str) -> None:
        self.locale = language if language in _LANGUAGES else "en"
        self._words = _LANGUAGES[self.locale]

    def __getitem__(self, key: str) -> str:
        return self._words[key]

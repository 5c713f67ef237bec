"""What stands on the page that proves consent, by language; others get English."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = "en"

PROOF_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Consent of",
        "now": "What holds now",
        "every": "Every entry, the latest first",
        "none": "There is no entry.",
        "nothing": "Nothing was said.",
        "not_out": "This person has not opted out.",
        "out": "opted out since {since}, by {source}",
        "all": "all that can be stopped",
        "holds_given": "consent given",
        "holds_withdrawn": "consent withdrawn",
        "given": "given",
        "withdrawn": "withdrawn",
        "asked": "asked, not yet answered",
        "at": "Said",
        "recorded_at": "Written down",
        "channel": "Channel",
        "evidence": "Evidence",
        "source": "Source",
        "by": "Recorded by",
        "shown": "Shown to the person:",
        "words": "The person's own words, received {at}:",
    },
    "fr": {
        "title": "Consentement de",
        "now": "Ce qui vaut maintenant",
        "every": "Toutes les inscriptions, la dernière d'abord",
        "none": "Il n'y a aucune inscription.",
        "nothing": "Rien n'a été dit.",
        "not_out": "Cette personne ne s'est pas opposée aux messages.",
        "out": "refus depuis le {since}, par {source}",
        "all": "tout ce qui peut être arrêté",
        "holds_given": "consentement donné",
        "holds_withdrawn": "consentement retiré",
        "given": "donné",
        "withdrawn": "retiré",
        "asked": "demandé, sans réponse à ce moment",
        "at": "Dit le",
        "recorded_at": "Noté le",
        "channel": "Par",
        "evidence": "Preuve",
        "source": "Origine",
        "by": "Noté par",
        "shown": "Ce qui a été montré à la personne :",
        "words": "Les mots de la personne, reçus le {at} :",
    },
}

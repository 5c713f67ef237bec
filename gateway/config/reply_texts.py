"""What the gateway answers by itself, in eight languages. Written so that each fits one part of the GSM alphabet where
the language can be written in it, which is why some have no accents.

`{sender_name}` is the gateway's; with none, it and the colon and blank behind it are left out. `{category}` is the
label of the category that is meant; where it has none, that and the brackets around it are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

#: The kinds, and the placeholders that each may hold.
KINDS: Mapping[str, tuple[str, ...]] = {
    # Every message that can be stopped has ended.
    "stop": (),
    # One category alone has ended.
    "stop_category": ("category",),
    "start": (),
    "help": ("sender_name", "category"),
    # The question of a double opt-in.
    "confirm": ("sender_name", "category"),
}

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "stop": "You will get no more messages from us. Reply START to get them again.",
        "stop_category": "You will get no more messages of this kind ({category}). Reply START to get them again.",
        "start": "You will get our messages again. Reply STOP to end them.",
        "help": "{sender_name}: reply STOP to get no more messages, START to get them again.",
        "confirm": "{sender_name}: would you like our messages ({category})? Reply YES to confirm.",
    },
    "fr": {
        "stop": "Vous ne recevrez plus nos messages. Répondez START pour les recevoir à nouveau.",
        "stop_category": "Vous ne recevrez plus ce type de messages ({category}). "
        "Répondez START pour les recevoir à nouveau.",
        "start": "Vous recevrez à nouveau nos messages. Répondez STOP pour ne plus en recevoir.",
        "help": "{sender_name}: répondez STOP pour ne plus recevoir nos messages, START pour les recevoir à nouveau.",
        "confirm": "{sender_name}: voulez-vous recevoir nos messages ({category}) ? Répondez OUI pour confirmer.",
    },
    "de": {
        "stop": "Sie erhalten keine Nachrichten mehr von uns. Antworten Sie START, um sie wieder zu erhalten.",
        "stop_category": "Sie erhalten solche Nachrichten ({category}) nicht mehr. "
        "Antworten Sie START, um sie wieder zu erhalten.",
        "start": "Sie erhalten unsere Nachrichten wieder. Antworten Sie STOP, um sie zu beenden.",
        "help": "{sender_name}: Antworten Sie STOP, um keine Nachrichten mehr zu erhalten, START für wieder welche.",
        "confirm": "{sender_name}: Möchten Sie unsere Nachrichten ({category})? Antworten Sie JA zur Bestätigung.",
    },
    "nl": {
        "stop": "U ontvangt geen berichten meer van ons. Antwoord START om ze weer te ontvangen.",
        "stop_category": "U ontvangt zulke berichten ({category}) niet meer. Antwoord START om ze weer te ontvangen.",
        "start": "U ontvangt onze berichten weer. Antwoord STOP om ze niet meer te ontvangen.",
        "help": "{sender_name}: antwoord STOP om geen berichten meer te ontvangen, START om ze weer te ontvangen.",
        "confirm": "{sender_name}: wilt u onze berichten ({category}) ontvangen? Antwoord JA om te bevestigen.",
    },
    "it": {
        "stop": "Non riceverà più i nostri messaggi. Risponda START per riceverli di nuovo.",
        "stop_category": "Non riceverà più questo tipo di messaggi ({category}). "
        "Risponda START per riceverli di nuovo.",
        "start": "Riceverà di nuovo i nostri messaggi. Risponda STOP per non riceverne più.",
        "help": "{sender_name}: risponda STOP per non ricevere più messaggi, START per riceverli di nuovo.",
        "confirm": "{sender_name}: vuole ricevere i nostri messaggi ({category})? Risponda SI per confermare.",
    },
    "es": {
        "stop": "Ya no le enviaremos mensajes. Responda START para volver a recibirlos.",
        "stop_category": "Ya no le enviaremos este tipo de mensajes ({category}). "
        "Responda START para volver a recibirlos.",
        "start": "Le enviaremos de nuevo nuestros mensajes. Responda STOP para no recibirlos.",
        "help": "{sender_name}: responda STOP para no recibir nuestros mensajes, START para volver a recibirlos.",
        "confirm": "{sender_name}: ¿desea recibir nuestros mensajes ({category})? Responda SI para confirmar.",
    },
    "pt": {
        "stop": "Deixa de receber as nossas mensagens. Responda START para as voltar a receber.",
        "stop_category": "Deixa de receber este tipo de mensagens ({category}). "
        "Responda START para as voltar a receber.",
        "start": "Volta a receber as nossas mensagens. Responda STOP para as deixar de receber.",
        "help": "{sender_name}: responda STOP para deixar de receber mensagens, START para as voltar a receber.",
        "confirm": "{sender_name}: quer receber as nossas mensagens ({category})? Responda SIM para confirmar.",
    },
    "ar": {
        "stop": "لن تصلك رسائلنا بعد الآن. أرسل START لاستقبالها من جديد.",
        "stop_category": "لن يصلك هذا النوع من الرسائل ({category}). أرسل START لاستقبالها من جديد.",
        "start": "ستصلك رسائلنا من جديد. أرسل STOP لإيقافها.",
        "help": "{sender_name}: أرسل STOP لإيقاف الرسائل أو START لاستقبالها من جديد.",
        "confirm": "{sender_name}: هل تريد رسائلنا ({category})؟ أجب نعم للتأكيد.",
    },
}

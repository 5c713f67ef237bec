"""What operators answer, and the amount in it.

The answers are told by people who met them: the issues and the test table of PrepaidBalance
(github.com/mueller-ma/PrepaidBalance: 9, 11, 84, 106, 136, 160, 188, 249), gammu issues 150 and 358, and the published
examples of Vodafone NZ and Babilon. Amounts are changed, and numbers are of the ranges for fiction. Those without a
source are such sentences in the other languages.
"""

from __future__ import annotations

import pytest

from gateway.rules.balance import balance_in

#: Text and amount; None where there is none to be told.
ANSWERS: list[tuple[str, float | None]] = [
    # German
    ("Aktuelles Guthaben: 5,12 EUR\nWähl bitte aus:\n1 Aufladen\n2 Guthaben & Verbrauch\n3  Tarife & Optionen", 5.12),
    ("Dein Guthaben betraegt: 10,00 EUR Startguthaben, 0,00 EUR Kaufguthaben und 0,01 EUR Geschenkguthaben.", 10.0),
    ("Dein Guthaben betraegt: 10,00 EUR Startguthaben und 0,00 EUR Kaufguthaben.", 10.0),
    ("Ihr Guthaben beträgt CHF 24.50.", 24.5),
    ("Ihr Guthaben beträgt CHF 1'024.50.", 1024.5),
    ("Ihr aktuelles Guthaben: -1,20 €. Bitte laden Sie bis 31.12.2026 auf.", -1.2),
    ("Kontostand vom 26.11.2026 10:15: 7 Euro", 7.0),
    ("Dieser Service steht auf Grund von Wartungsarbeiten leider erst ab 9 Uhr wieder zur Verfügung.", None),
    ("Wir können Deine Anfrage derzeit leider nicht bearbeiten. Bitte versuche es unter 7. (8)", None),
    # French
    ("Votre solde est de 12,50 €, valable jusqu'au 03/04/2027.", 12.5),
    ("Credit: 5,00EUR valable jusqu'au 03-04-27. Rechargez au 224 ou *124#", 5.0),
    ("Il vous reste 4,20€ de crédit. SMS illimites, 20 Go restants.", 4.2),
    ("Votre credit principal est de 1 250 FCFA, bonus 100 FCFA", 1250.0),
    ("Solde : 12,345 DT", 12.345),
    ("Solde au 26/11/2026 : 8,05", 8.05),
    ("Votre forfait : 40 min et 100 SMS restants", None),
    ("Crédit : 15 min", None),
    ("Service momentanément indisponible, composez le #123# plus tard", None),
    # English
    ("O2: Your balance is £6.45. Text BALANCE free to 20202 to check your remaining tariff.", 6.45),
    (
        "Current plan active until 08/10/2022 and will renew for $15.00. Account Balance $12.34. Add money by *233.",
        12.34,
    ),
    ("Unused Credit: $33.59", 33.59),
    ("Your account balance is 49.10 USD and will expire on 04/03/16.", 49.1),
    ("Balance of subscriber 639980101: 1.09 Tariff option 245 min 0 sek free", 1.09),
    ("5.12 EUR is the current balance", 5.12),
    ("Your balance is Rs.1,234.50 valid till 31-Dec-2026", 1234.5),
    ("Current balance is 5.12", 5.12),
    ("2.42", 2.42),
    ("1202", 1202.0),
    ("OK", None),
    ("", None),
    ("The service you requested is currently not available.", None),
    # Italian
    ("Il tuo credito residuo e' di 12,50 euro. Ricarica entro il 30/06/2027", 12.5),
    ("TIM: credito Euro 0,87 al 26/11 ore 10:15", 0.87),
    ("Saldo: € 1.234,56", 1234.56),
    # Spanish
    ("Su saldo es de 12,50 euros. Caduca el 01/02/2027.", 12.5),
    ("Tu saldo principal: 3.40€ y 2 GB hasta el 05/12", 3.4),
    ("Tu solicitud no puede ser tramitada en este momento. Por favor vuelve a ingresar llamando al *888#", None),
    # others, met in the same places
    ("Aktualny stan konta dla numeru 48123456789: 1,23 PLN. Konto wazne do dnia 01-01-2022 01:02:03.", 1.23),
    ("Twoja oferta to nju na karte.\n1.Stan konta glownego: 11.00 zl. Srodki wazne bezterminowo.", 11.0),
    ("Dobry den, aktualni vyse Vaseho kreditu na cisle 12345678 je 300 Kc, z toho bonusovy kredit je 0 Kc.", 300.0),
    ("Pulsa Rp 1234 s.d. 01-01-2022 \n1 8GB,Rp30rb/30hr\n2 25GB,Rp50rb/30hr\n22 Info", 1234.0),
    (" Vash balans 968.98 r.\nDlya vas - nedelya besplatnogo SMS-obsh'eniya! Podkl.: *320#", 968.98),
    ("IMSI:123456789012345\n USD:5.87\n Num#:123456789012", 5.87),
    ("Hazineye akherin tamas 160 Rial ,va baghimande etebare asli 16764 Rial ast.", 16764.0),
]


@pytest.mark.parametrize(("text", "amount"), ANSWERS)
def test_the_amount_in_an_answer(text: str, amount: float | None) -> None:
    found = balance_in(text)
    assert (None if found is None else found / 1000) == amount


def test_no_text_is_an_error() -> None:
    for text in ("1" * 5000, "9 " * 3000, "solde " * 900, "€" * 4000, "1.1.1.1." * 500, "\ud800 12 EUR", "-", "EUR"):
        balance_in(text)

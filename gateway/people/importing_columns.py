"""The head of a CSV file: which character parts its cells, and which column is which field of a contact.

Columns are found by the names that people give them; whoever asks for another meaning says so. What has no meaning of
its own becomes an attribute of its own name. Pure.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import InvalidRequest
from gateway.people.attributes_values import ATTRIBUTE_TYPES
from gateway.people.contacts_fields import CHECKS, FieldRefused, attribute_name_of
from gateway.people.exporting_cells import unguarded_cell

DELIMITERS: Final = (",", ";", "\t", "|")
MOST_COLUMNS: Final = 300
ATTRIBUTES: Final = "attributes."
NUMBER, TAGS, NOTHING = "number", "tags", "-"
#: What a column may be, besides an attribute.
FIELDS: Final = (NUMBER, *CHECKS, TAGS)
#: The names that columns of these meanings have in files that people keep; of several the first counts.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    NUMBER: (
        "number", "mobile", "mobile_phone", "mobile_number", "mobile_phone_number", "portable", "gsm", "cell",
        "cell_phone", "cellphone", "msisdn", "tel_portable", "telephone_portable", "tel_mobile", "telephone_mobile",
        "handy", "handynummer", "mobil", "mobilnummer", "movil", "telefono_movil", "celular", "telemovel", "cellulare",
        "numero_de_portable", "numero_portable", "phone", "phone_number", "telephone", "telephone_number", "tel",
        "numero", "numero_de_telephone", "numero_telephone", "no_tel", "no_telephone", "n_tel", "n_telephone",
        "num_tel", "telefon", "telefonnummer", "rufnummer", "telefono", "telefone", "telefoon", "telefoonnummer",
        "sms", "to", "recipient", "destinataire",
    ),
    "name": ("name", "full_name", "fullname", "nom_complet", "nom_et_prenom", "nom_prenom", "prenom_nom", "contact",
             "display_name", "vollstandiger_name", "nombre_completo", "nome_completo"),
    "email": ("email", "e_mail", "mail", "courriel", "adresse_mail", "adresse_e_mail", "adresse_email", "email_address",
              "e_mail_address", "correo", "correo_electronico", "e_mail_adresse"),
    "push": ("push",),
    "timezone": ("timezone", "time_zone", "tz", "fuseau", "fuseau_horaire", "zeitzone"),
    "country": ("country", "country_code", "pays", "code_pays", "land", "pais", "paese"),
    "language": ("language", "lang", "locale", "langue", "sprache", "idioma", "lingua", "taal"),
    TAGS: ("tags", "tag", "labels", "groups", "group", "groupes", "groupe", "etiquettes", "categories"),
}  # fmt: skip
#: Halves of a name, which are attributes too; in the order in which they make one.
_FIRST: Final = ("first_name", "firstname", "prenom", "vorname", "nombre", "nome", "given_name", "voornaam")
_LAST: Final = ("last_name", "lastname", "surname", "nom", "nom_de_famille", "nachname", "apellido", "apellidos",
                "cognome", "sobrenome", "family_name", "achternaam")  # fmt: skip
#: Fields that a column of another name has only if all its cells fit; else it is an attribute.
DOUBTFUL: Final = frozenset({"timezone", "country", "language"})


@dataclass(frozen=True, slots=True)
class Target:
    """What the cells of one column are: `field` is a word of `FIELDS`, "" for nothing, or "attributes" with `name`.

    `kind` is the type of an attribute where it was said, `doubtful` whether it is a field only if all cells fit, else
    the attribute `name`; `part` is the place of its cell in the contact's name, from 1."""

    field: str = ""
    name: str = ""
    kind: str | None = None
    doubtful: bool = False
    part: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """What the first line says."""

    delimiter: str
    columns: tuple[str, ...]
    targets: tuple[Target, ...]


def delimiter_of(line: str) -> str:
    """The character that parts the cells of this line; a comma where nothing does."""
    outside = re.sub(r'"(?:[^"]|"")*"', "", line)
    return max(DELIMITERS, key=lambda each: (outside.count(each), -DELIMITERS.index(each)))


def head_of(line: str, delimiter: str | None, wanted: Mapping[str, str], types: Mapping[str, str]) -> Head:
    """The head of the file. `wanted` says of columns what they are: a field, `attributes.NAME` or `-`; `types` of what
    type attributes are. Raises `InvalidRequest`, which repeats nothing: it may be no head but the first person."""
    parted = delimiter or delimiter_of(line)
    cells = [unguarded_cell(cell).strip() for cell in next(csv.reader([line], delimiter=parted), list[str]())]
    if len(cells) > MOST_COLUMNS:
        raise InvalidRequest("columns_invalid", f"there are more than {MOST_COLUMNS} columns")
    # What has no letter of ours is called by its place.
    keys = [_key(cell) or (f"column_{at}" if cell else "") for at, cell in enumerate(cells, 1)]
    said = _said(wanted, cells, keys)
    targets = _targets(cells, keys, said, types)
    if not any(target.field == NUMBER for target in targets):
        raise InvalidRequest(
            "columns_missing",
            "no column is known to hold the number: the first line must name the columns, one of them number; or say "
            "which it is (columns=HEAD:number)",
        )
    return Head(parted, tuple(cells), tuple(targets))


def has_meaning(name: str) -> bool:
    """Whether a column of this name would be taken for a field."""
    return any(name in names for names in _NAMES.values()) or name in (*_FIRST, *_LAST)


def _said(wanted: Mapping[str, str], cells: Sequence[str], keys: Sequence[str]) -> dict[int, str]:
    """What was asked for, by the column's place."""
    found: dict[int, str] = {}
    for column, meaning in wanted.items():
        places = [at for at, cell in enumerate(cells) if cell == column] or [
            at for at, key in enumerate(keys) if key == _key(column)
        ]
        if len(places) != 1:
            said = "there is no such column in the first line" if not places else "several columns have that name"
            raise InvalidRequest.field("columns_missing", "columns", said)
        name = meaning.removeprefix(ATTRIBUTES)
        if meaning not in (*FIELDS, NOTHING) and name == meaning:
            said = f"must be one of {', '.join(FIELDS)}, attributes.NAME or -"
            raise InvalidRequest.field("columns_invalid", "columns", said)
        if name != meaning:
            _checked(name)
        found[places[0]] = meaning
    return found


def _checked(name: str) -> str:
    try:
        return attribute_name_of(name)
    except FieldRefused as refused:
        raise InvalidRequest.field("columns_invalid", "columns", f"the attribute's name {refused.sentence}") from None


def _targets(
    cells: Sequence[str], keys: Sequence[str], said: Mapping[int, str], types: Mapping[str, str]
) -> list[Target]:
    fields = _fields(keys, said)
    parts = {} if "name" in fields.values() else _halves(keys, said)
    targets: list[Target] = []
    used: set[str] = set()
    for at, cell in enumerate(cells):
        field = fields.get(at, "")
        if field == NOTHING or (not field and not keys[at]):
            targets.append(Target())
            continue
        doubtful = at not in said and field in DOUBTFUL and keys[at] != field
        name, kind = _attribute(cell, keys[at], said.get(at, ""), used if not field or doubtful else None)
        kind = types.get(name) or kind
        if field:
            targets.append(Target(field, name, doubtful=doubtful))
        else:
            targets.append(Target("attributes", name, kind, part=parts.get(at, 0)))
    return targets


def _fields(keys: Sequence[str], said: Mapping[int, str]) -> dict[int, str]:
    """Which columns are which fields: what was said, then by their names, each field once."""
    fields = {at: meaning for at, meaning in said.items() if not meaning.startswith(ATTRIBUTES)}
    taken = [meaning for meaning in fields.values() if meaning != NOTHING]
    if len(set(taken)) < len(taken):
        raise InvalidRequest.field("columns_invalid", "columns", "two columns cannot be one field")
    for field, names in _NAMES.items():
        found = [keys.index(name) for name in names if name in keys and keys.index(name) not in said]
        if field not in taken and found:
            fields[found[0]] = field
    return fields


def _halves(keys: Sequence[str], said: Mapping[int, str]) -> dict[int, int]:
    """Where first and last name stand, if they do."""
    found: dict[int, int] = {}
    for part, names in enumerate((_FIRST, _LAST), 1):
        place = next((keys.index(name) for name in names if name in keys and keys.index(name) not in said), None)
        if place is not None:
            found[place] = part
    return found


def _attribute(cell: str, key: str, said: str, used: set[str] | None) -> tuple[str, str | None]:
    """The name of the attribute that a column is, and its type where the head says one (`age:number`)."""
    if said.startswith(ATTRIBUTES):
        return said.removeprefix(ATTRIBUTES), None
    written, colon, kind = cell.rpartition(":")
    if colon and kind in ATTRIBUTE_TYPES:
        key = _key(written)
    else:
        kind = None
    if cell.startswith(ATTRIBUTES):
        key = _key((written if kind else cell).removeprefix(ATTRIBUTES))
    name = key if not key[:1].isdigit() else f"_{key}"
    name = name[:60] or "_"
    if used is not None:
        number = 1
        while (free := name if number == 1 else f"{name}_{number}") in used:
            number += 1
        used.add(free)
        return free, kind
    return name, kind


def _key(cell: str) -> str:
    """A name as it is compared: small letters without accents, digits and _."""
    plain = unicodedata.normalize("NFKD", cell.replace("°", " ").replace("º", " ").replace("ß", "ss"))
    letters = "".join(each for each in plain if not unicodedata.combining(each)).casefold()
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")

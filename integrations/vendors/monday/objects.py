"""What a column's value looks like on its way to the board. The way back is ``readings.py``.

Source: README.md beside this file, "Columns".
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from integrations.vendors.monday.texts import TEXT_LIMIT, cut_note, cut_value, plain_text
from mappings.fields import Column, Value

LABEL_LIMIT: Final = 30
CALLING_CODES: Final = {
    "1": "US", "27": "ZA", "31": "NL", "32": "BE", "33": "FR", "34": "ES", "39": "IT", "41": "CH", "43": "AT", "44": "GB",
    "45": "DK", "46": "SE", "47": "NO", "48": "PL", "49": "DE", "52": "MX", "55": "BR", "61": "AU", "64": "NZ", "65": "SG",
    "81": "JP", "86": "CN", "91": "IN", "351": "PT", "352": "LU", "353": "IE", "358": "FI",
}  # fmt: skip
"""Where an international number says itself which country it belongs to."""


class Unfit(ValueError):
    """This value cannot stand in this kind of column; the text says why, to the customer."""


def encode(column: Column, value: Value) -> Any:
    """A value as the JSON that ``column_values`` takes for this column. None, and a text of blanks, clear the column.

    Raises Unfit for a value that the column cannot hold.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return _CLEARED.get(column.kind)
    try:
        write = _WRITERS[column.kind]
    except KeyError:
        raise Unfit(f"Monday.com does not let anybody write to a column of the kind “{column.kind}”") from None
    return write(value, column)


def _text(value: Value, _: Column) -> str:
    return cut_note(plain_text(value), TEXT_LIMIT)


def _number(value: Value, _: Column) -> str:
    """A decimal with a dot and no exponent. Never by way of a float; "" would write 0 and is not possible here."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d+)?", value.strip(), flags=re.ASCII):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unfit(f"“{plain_text(value)}” is not a number")
    try:
        number = Decimal(value)
        return format(number.copy_abs() if number.is_zero() else number, "f") if number.is_finite() else _not_a_number(value)
    except InvalidOperation:
        return _not_a_number(value)


def _not_a_number(value: Value) -> str:
    raise Unfit(f"“{value}” is not a number")


def _date(value: Value, _: Column) -> dict[str, str]:
    """A due date has no time, so that it is the same day in every zone; a moment is written in UTC."""
    if isinstance(value, str):
        value = _day(value)
    if isinstance(value, datetime):
        moment = _utc(value)
        return {"date": moment.date().isoformat(), "time": moment.strftime("%H:%M:%S")}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    raise Unfit(f"“{plain_text(value)}” is not a date")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip()) if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()) else _not_a_date(text)
    except ValueError:
        return _not_a_date(text)


def _not_a_date(text: str) -> date:
    raise Unfit(f"“{text}” is not a date such as 2026-11-30")


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise Unfit("this moment has no time zone")
    return moment.astimezone(UTC)


def _status(value: Value, column: Column) -> dict[str, Any]:
    """By label; one that reads as a number would be taken for a label's id, so only a known one is written, by its id."""
    label = _label(value)
    if not re.fullmatch(r"[+-]?[\d.,]+", label):
        return {"label": label}
    if (known := _label_id(column, label)) is None:
        raise Unfit(f"Monday.com would take the label “{label}” for a label's number: create it on the board first")
    return {"index": known}


def _label_id(column: Column, label: str) -> int | None:
    settings: Any = column.settings
    labels = settings.get("labels") if isinstance(settings, Mapping) else None
    if isinstance(labels, Mapping):  # the shape of before 2025-10: {"1": "Done"}
        return next((int(key) for key, text in labels.items() if text == label and str(key).isdecimal()), None)
    known = [each for each in labels or [] if isinstance(each, Mapping) and each.get("label") == label]
    return next((int(each["id"]) for each in known if not each.get("is_deactivated")), None)


def _label(value: Value) -> str:
    label = plain_text(value).strip()
    if len(label) > LABEL_LIMIT:
        raise Unfit(f"“{label}” is longer than the {LABEL_LIMIT} characters of a status label: use a text column")
    return label


def _link(value: Value, _: Column) -> dict[str, str]:
    """ "https://… the words to show"."""
    url, _space, words = plain_text(value).strip().partition(" ")
    if not re.match(r"https?://[^\s/]", url, flags=re.IGNORECASE):
        raise Unfit(f"“{url}” is not an address that begins with https://")
    return {"url": url, "text": words.strip() or url}


def _email(value: Value, _: Column) -> dict[str, str]:
    address = plain_text(value).strip()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise Unfit(f"“{address}” is not an e-mail address")
    return {"email": address, "text": address}


def _phone(value: Value, _: Column) -> dict[str, str]:
    """ "+31201234567" or "020 123 4567 NL". Whether the number exists is for Monday.com to say."""
    text = plain_text(value).strip()
    told = re.fullmatch(r"(.*\d)\s+([A-Z]{2})", text)
    number, country = told.groups() if told else (text, "")
    if not country and number.startswith("+"):
        digits = re.sub(r"\D", "", number)
        country = next((CALLING_CODES[digits[:n]] for n in (3, 2, 1) if digits[:n] in CALLING_CODES), "")
    return {"phone": number, **({"countryShortName": country} if country else {})}


def _checkbox(value: Value, _: Column) -> dict[str, str] | None:
    """Only null unchecks a box: {"checked": "false"} leaves it checked."""
    word = plain_text(value).strip().casefold()
    if word not in ("yes", "no", "true", "false", "1", "0"):
        raise Unfit(f"“{word}” is neither yes nor no")
    return {"checked": "true"} if word in ("yes", "true", "1") else None


def _people(value: Value, _: Column) -> dict[str, Any]:
    """Ids of Monday.com's users or teams: "123", "person-123", "team-9", several with commas. Names are not unique there."""
    people = []
    for each in plain_text(value).split(","):
        if not (told := re.fullmatch(r"(?:(person|team)-)?(\d+)", each.strip(), flags=re.ASCII)):
            raise Unfit(f"“{each.strip()}” is not the number of a Monday.com user")
        people.append({"id": int(told[2]), "kind": told[1] or "person"})
    return {"personsAndTeams": people}


def ids_of(value: Value) -> list[str]:
    """The ids that a value holds: one, or several with commas. Raises Unfit."""
    return [str(each) for each in _ids(value, "item")] if plain_text(value).strip() else []


def _ids(value: Value, called: str) -> list[int]:
    parts = [each.strip() for each in plain_text(value).split(",")]
    if not all(re.fullmatch(r"\d+", each, flags=re.ASCII) for each in parts):
        raise Unfit(f"“{plain_text(value)}” is not the number of a Monday.com {called}")
    return [int(each) for each in parts]


def _hour(value: Value, _: Column) -> dict[str, int]:
    text = _utc(value).strftime("%H:%M") if isinstance(value, datetime) else plain_text(value)
    told = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", text.strip())
    if not told or int(told[1]) > 23 or int(told[2]) > 59:
        raise Unfit(f"“{text}” is not a time of day such as 16:42")
    return {"hour": int(told[1]), "minute": int(told[2])}


def _timeline(value: Value, _: Column) -> dict[str, str]:
    """A day, or "2026-11-01/2026-11-30"."""
    first, _slash, last = plain_text(value).partition("/")
    begin = _utc(value).date() if isinstance(value, datetime) else _day(first)
    end = _day(last) if last else begin
    if end < begin:
        raise Unfit(f"“{plain_text(value)}” ends before it begins")
    return {"from": begin.isoformat(), "to": end.isoformat()}


def _week(value: Value, _: Column) -> dict[str, Any]:
    """The week, from Monday to Sunday, in which a day lies."""
    day = _utc(value).date() if isinstance(value, datetime) else value if isinstance(value, date) else _day(plain_text(value))
    monday = day - timedelta(days=day.weekday())
    return {"week": {"startDate": monday.isoformat(), "endDate": (monday + timedelta(days=6)).isoformat()}}


def _rating(value: Value, _: Column) -> dict[str, int]:
    number = _number(value, _)
    if not re.fullmatch(r"\d+(\.0+)?", number):
        raise Unfit(f"“{number}” is not a rating")
    return {"rating": int(Decimal(number))}


def _country(value: Value, _: Column) -> dict[str, str]:
    """ "NL Netherlands"; both are wanted, so the code stands for a name that is not given."""
    code, _space, name = plain_text(value).strip().partition(" ")
    if not re.fullmatch(r"[A-Za-z]{2}", code):
        raise Unfit(f"“{plain_text(value)}” does not begin with a country's two letters")
    return {"countryCode": code.upper(), "countryName": name.strip() or code.upper()}


def _location(value: Value, _: Column) -> dict[str, str]:
    """ "52.37,4.89 the address": latitude and longitude first."""
    text = plain_text(value).strip()
    if not (told := re.fullmatch(r"(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)(?:\s+(.*))?", text, flags=re.ASCII | re.DOTALL)):
        raise Unfit(f"“{text}” does not begin with a latitude and a longitude")
    return {"lat": told[1], "lng": told[2], "address": told[3] or f"{told[1]}, {told[2]}"}


_WRITERS: Final[Mapping[str, Callable[[Value, Column], Any]]] = {
    "name": lambda value, _: cut_value(plain_text(value)),
    "text": _text,
    "long_text": lambda value, column: {"text": _text(value, column)},
    "numbers": _number,
    "date": _date,
    "status": _status,
    "dropdown": lambda value, _: {"labels": [plain_text(value).strip()]},
    "link": _link,
    "email": _email,
    "phone": _phone,
    "checkbox": _checkbox,
    "people": _people,
    "board_relation": lambda value, _: {"item_ids": _ids(value, "item")},
    "hour": _hour,
    "timeline": _timeline,
    "tags": lambda value, _: {"tag_ids": _ids(value, "tag")},
    "country": _country,
    "rating": _rating,
    "week": _week,
    "location": _location,
    "world_clock": lambda value, _: {"timezone": plain_text(value).strip()},
}

_CLEARED: Final[Mapping[str, Any]] = {"tags": {"tag_ids": []}}
"""What clears a column is null, for numbers too ("" would write 0), except here."""


def as_column_values(values: Mapping[str, Any]) -> str:
    """The JSON text that the vendor wants inside its JSON: a text within a variable."""
    return json.dumps(values, separators=(",", ":"))

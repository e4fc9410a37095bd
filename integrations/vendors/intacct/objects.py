"""What values look like in Sage Intacct's XML: pure parsing and formatting, both ways (README.md beside this file, "Values")."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from mappings.fields import Field, FieldType, Value

_AMOUNT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_MOMENT = re.compile(r"(\d{1,2}/\d{1,2}/\d{4})(?:[ T](\d{1,2}):(\d{2}):(\d{2}))?", re.ASCII)
_OFFSET = re.compile(r"(?:GMT|UTC)?\s*([+-]?)(\d{1,2})(?::?(\d{2}))?", re.ASCII)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BOOLEANS = {"true": True, "t": True, "yes": True, "false": False, "f": False, "no": False}


class Unparsable(ValueError):
    """A value is not in the form that the vendor documents; the message quotes it."""


def strip_illegal(text: str) -> tuple[str, int]:
    """The text without what XML 1.0 forbids, and how many characters that were.

    Forbidden are C0 controls other than tab, LF and CR, lone surrogates, U+FFFE and U+FFFF.
    """
    return _ILLEGAL.subn("", text)


def parse_amount(text: str) -> Decimal:
    """Read an amount such as "-1234.50": dot as decimal mark, no grouping; an empty element must not reach here."""
    if not _AMOUNT.fullmatch(text):
        raise Unparsable(f"not an amount: “{text[:40]}”")
    return Decimal(text)


def parse_integer(text: str) -> int | Decimal:
    """Read a whole number. Some integer fields carry decimals; a real fraction is kept rather than cut."""
    amount = parse_amount(text)
    return int(amount) if amount == amount.to_integral_value() else amount


def parse_date(text: str) -> date:
    """Read "12/20/2026", with or without a time behind it. A date has no zone and is never shifted."""
    found = _DATE.match(text)
    if not found or (text[found.end() :] and not _MOMENT.fullmatch(text)):
        raise Unparsable(f"not a date: “{text[:40]}”")
    month, day, year = (int(part) for part in found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise Unparsable(f"not a date: “{text[:40]}”") from None


def parse_moment(text: str, zone: timezone) -> datetime:
    """Read "11/20/2026 17:00:00", wall clock of the API user's ``zone``; a date alone means its midnight there."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise Unparsable(f"not a time: “{text[:40]}”")
    day = parse_date(found[1])
    hour, minute, second = (int(part or 0) for part in found.groups()[1:])
    try:
        return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unparsable(f"not a time: “{text[:40]}”") from None


def stamp_of(text: str, zone: timezone) -> str:
    """A timestamp as comparable text in UTC; empty stays empty. Raises Unparsable."""
    return parse_moment(text.strip(), zone).strftime("%Y-%m-%dT%H:%M:%SZ") if text.strip() else ""


def parse_boolean(text: str) -> bool:
    """Read "true" or "false", or the letters that the older read functions give."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise Unparsable(f"neither true nor false: “{text[:40]}”") from None


def parse_label(text: str, choices: tuple[str, ...], letters: dict[str, str]) -> str:
    """The label of an enumeration, from a label in any case or a database letter; unknown ones stay as they are."""
    by_name = {choice.casefold(): choice for choice in choices}
    return by_name.get(text.casefold()) or letters.get(text.upper()) or text


def parse_value(field: Field, text: str, zone: timezone, letters: dict[str, str] | None = None) -> Value:
    """Read one element's text by the catalogue's type; empty means "not set". Raises Unparsable."""
    text = text.strip() if field.type not in (FieldType.TEXT, FieldType.LONG_TEXT) else text
    if not text.strip():
        return None
    match field.type:
        case FieldType.AMOUNT:
            return parse_amount(text)
        case FieldType.INTEGER:
            return parse_integer(text)
        case FieldType.DATE:
            return parse_date(text)
        case FieldType.MOMENT:
            return parse_moment(text, zone)
        case FieldType.BOOLEAN:
            return parse_boolean(text)
        case FieldType.CHOICE:
            return parse_label(text, field.choices, letters or {})
    return text


def parse_zone(text: str) -> timezone:
    """Read a user's ``gmtoffset`` such as "-08:00"."""
    found = _OFFSET.fullmatch(text.strip())
    if not found:
        raise Unparsable(f"not an offset: “{text[:40]}”")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    if offset > timedelta(hours=18):
        raise Unparsable(f"not an offset: “{text[:40]}”")
    return timezone(-offset if found[1] == "-" else offset)


def format_moment(moment: datetime, zone: timezone) -> str:
    """A moment as filters want it: the wall clock of the API user's zone. ISO 8601 would be refused with DL02000001."""
    local = moment.astimezone(zone)
    return f"{local.month:02}/{local.day:02}/{local.year:04} {local.hour:02}:{local.minute:02}:{local.second:02}"


def format_date(day: date) -> str:
    return f"{day.month:02}/{day.day:02}/{day.year:04}"


def format_value(value: str | int | Decimal | bool | date | datetime, zone: timezone) -> str:
    """One value as it stands in a filter."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return format_moment(value, zone)
        case date():
            return format_date(value)
        case Decimal():
            return format(value, "f")
    return str(value)

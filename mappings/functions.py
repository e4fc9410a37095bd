"""What each transform does: plain functions of values. They raise CannotConvert rather than guess.

Those for one value are never called with a blank; those for several skip blanks.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from zoneinfo import ZoneInfo

from mappings.fields import Value
from mappings.values import MAX_DIGITS, canonical, cut_text, is_blank, text_of

DATE_FORMS = ("YYYY-MM-DD", "MM/DD/YYYY", "DD/MM/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "YYYYMMDD")

_AMOUNT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
# Wide enough for every sum of sound amounts to be exact: the default context would round at 28 digits and say nothing.
_EXACT = Context(prec=4 * MAX_DIGITS, rounding=ROUND_HALF_UP)


class CannotConvert(Exception):
    """This value cannot be what the step makes of it. The text is half a sentence: “x” is not a date."""


class UnknownValue(Exception):
    """The value mapping has no entry for this value; ``instead`` is what to show."""

    def __init__(self, source: str, instead: str) -> None:
        super().__init__(source)
        self.source, self.instead = source, instead


def quoted(value: Value) -> str:
    return f"“{cut_text(text_of(value), 60)}”"


# -- One value ----------------------------------------------------------------------------------------------------------------


def text(value: Value) -> str:
    return text_of(value)


def cut(value: Value, *, length: int) -> str:
    return cut_text(text_of(value), length)


def upper(value: Value) -> str:
    return text_of(value).upper()


def lower(value: Value) -> str:
    return text_of(value).lower()


def to_date(value: Value, *, written: str, zone: str) -> date:
    match value:
        case datetime():
            return _date_in(value, zone)
        case date():
            return value
        case str():
            return _read_date(value, written)
    raise CannotConvert(f"{quoted(value)} is not a date")


def _date_in(moment: datetime, zone: str) -> date:
    try:
        return moment.astimezone(ZoneInfo(zone)).date()
    except OverflowError:  # the first and last hours that the calendar knows
        raise CannotConvert(f"{quoted(moment)} is not on the calendar in {zone}") from None


def _read_date(given: str, written: str) -> date:
    parts = {"YYYY": r"(?P<y>\d{4})", "MM": r"(?P<m>\d\d)", "DD": r"(?P<d>\d\d)"}
    pattern = re.sub("YYYY|MM|DD", lambda part: parts[part[0]], re.escape(written))
    found = re.fullmatch(pattern, given.strip(), re.ASCII)
    try:
        if found:
            return date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:  # 30 February
        pass
    raise CannotConvert(f"{quoted(given)} is not a date written as {written}")


def write_date(value: Value, *, written: str) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise CannotConvert(f"{quoted(value)} is not a date")
    return written.replace("YYYY", f"{value.year:04}").replace("MM", f"{value.month:02}").replace("DD", f"{value.day:02}")


def to_decimal(value: Value, *, places: int | None) -> Decimal:
    if isinstance(value, str) and _AMOUNT.fullmatch(value.strip()) and len(value) <= MAX_DIGITS:
        value = Decimal(value.strip())
    amount = _amount(value)
    return amount if places is None else _rounded(amount, places)


def _amount(value: Value) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise CannotConvert(f"{quoted(value)} is not an amount such as 1234.50")


def _rounded(amount: Decimal, places: int) -> Decimal:
    with localcontext(_EXACT):
        return amount.quantize(Decimal(1).scaleb(-places)) + 0  # + 0: a rounded -0.001 is 0.00, not -0.00


def look_up(value: Value, *, values: Mapping[str, str], otherwise: str | None) -> str:
    source = text_of(value)
    if source in values:
        return values[source]
    raise UnknownValue(source, source if otherwise is None else otherwise)


# -- Several fields, or one field on all lines --------------------------------------------------------------------------------


def join(*, fields: Sequence[Value], separator: str) -> str:
    return separator.join(text_of(each) for each in _filled(fields))


def constant(*, value: str) -> str:
    return value


def first(fields: Sequence[Value]) -> Value:
    return next(iter(_filled(fields)), None)


def one_or_multiple(lines: Sequence[Value]) -> Value:
    found = _distinct(lines)
    return f"multiple ({len(found)})" if len(found) > 1 else first(found)


def total(lines: Sequence[Value]) -> Decimal | None:
    """None when no line has an amount: a bill that came without its lines does not cost nothing."""
    amounts = [_amount(each) for each in _filled(lines)]
    with localcontext(_EXACT):
        return sum(amounts[1:], start=amounts[0]) if amounts else None


def listed(lines: Sequence[Value], *, separator: str) -> str:
    return separator.join(text_of(each) for each in _distinct(lines))


def count(lines: Sequence[Value]) -> int:
    return len(_filled(lines))


def _filled(values: Iterable[Value]) -> list[Value]:
    return [each for each in values if not is_blank(each)]


def _distinct(values: Iterable[Value]) -> list[Value]:
    """Each value once, as it was first written: 1.0 and 1.00 are one value."""
    found: dict[str, Value] = {}
    for each in _filled(values):
        found.setdefault(canonical(each), each)
    return list(found.values())

"""Values on the wire and in memory.

In memory: text, int, bool, Decimal, date, and moments as whole seconds since 1970 in UTC. On the wire: dates as MM/DD/YYYY and
moments as MM/DD/YYYY HH:MM:SS in the zone of the user who asks, with no word about which zone that is.
"""

import re
import time
from calendar import timegm
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from integrations.sandboxes.intacct.shapes import Kind

Value = str | int | bool | Decimal | date
Row = dict[str, Any]  # field name -> Value; what is absent is null

_DATE = re.compile(r"(\d\d)/(\d\d)/(\d{4})", re.ASCII)
_MOMENT = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d):(\d\d)", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)

# Sorts an absent value behind all others of its kind.
LAST: dict[Kind, Value | float] = {
    Kind.TEXT: "\U0010ffff",
    Kind.ENUM: "\U0010ffff",
    Kind.INTEGER: float("inf"),
    Kind.TIMESTAMP: float("inf"),
    Kind.BOOLEAN: 2,
    Kind.DATE: date.max,
    Kind.CURRENCY: Decimal("Infinity"),
}


def zone_seconds(text: str) -> int:
    """Read an offset such as "-08:00"."""
    if not (match := _OFFSET.fullmatch(text)):
        raise ValueError(f"not an offset such as -08:00: {text!r}")
    seconds = int(match[2]) * 3600 + int(match[3]) * 60
    return -seconds if match[1] == "-" else seconds


def parse(kind: Kind, text: str, zone: int) -> Value:
    """Read wire text. Raises ValueError where the gateway would stumble, for instance over an ISO 8601 moment."""
    match kind:
        case Kind.INTEGER:
            return int(text)
        case Kind.CURRENCY:
            return _decimal(text)
        case Kind.BOOLEAN:
            return _boolean(text)
        case Kind.DATE:
            return _date(text)
        case Kind.TIMESTAMP:
            return _moment(text) - zone
    return text


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {text!r}") from error
    if not number.is_finite():
        raise ValueError(f"not an amount: {text!r}")
    return number


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"neither true nor false: {text!r}")
    return text == "true"


def _date(text: str) -> date:
    if not (match := _DATE.fullmatch(text)):
        raise ValueError(f"not a date of the form MM/DD/YYYY: {text!r}")
    return date(int(match[3]), int(match[1]), int(match[2]))


def _moment(text: str) -> int:
    if not (match := _MOMENT.fullmatch(text)):
        raise ValueError(f"not a moment of the form MM/DD/YYYY HH:MM:SS: {text!r}")
    month, day, year, hour, minute, second = (int(part) for part in match.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"no such time of day: {text!r}")
    return timegm((*date(year, month, day).timetuple()[:3], hour, minute, second))


def printer(kind: Kind, zone: int) -> Callable[[Any], str]:
    """How values of this kind are written for a user of this zone."""
    match kind:
        case Kind.TIMESTAMP:
            return lambda moment: write_moment(moment + zone)
        case Kind.DATE:
            return write_date
        case Kind.CURRENCY:
            return lambda number: f"{number:f}"
        case Kind.BOOLEAN:
            return lambda truth: "true" if truth else "false"
    return str


@lru_cache(maxsize=65536)
def write_moment(seconds: int) -> str:
    return time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=8192)
def write_date(day: date) -> str:
    return f"{day.month:02d}/{day.day:02d}/{day.year:04d}"

"""Small questions about one neutral value: is there anything, how is it written as text, is it the same as that one."""

import json
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

from mappings.fields import Value, dump_value

# No ledger holds more digits. Without a bound, Decimal("1E+999999999") alone would fill the memory when it is written out.
MAX_DIGITS = 100
_TOO_LARGE: int = 10**MAX_DIGITS
MARKER = "…"

_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA = 9  # the combining class of the sign that ties an Indic consonant to the next


def is_blank(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def is_sound(value: object) -> bool:
    """Whether this is a value that can travel: of a known type, finite, of a sane size, a moment only with its zone."""
    match value:
        case None | bool() | str():
            return True
        case int():
            return abs(value) < _TOO_LARGE
        case Decimal():
            return value.is_finite() and _is_writable(value)
        case datetime():
            return value.utcoffset() is not None
        case date():
            return True
    return False


def _is_writable(amount: Decimal) -> bool:
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_DIGITS and amount.adjusted() <= MAX_DIGITS


def text_of(value: Value) -> str:
    """The one fixed form of a value as text, the same in every locale; an amount keeps the decimals that it came with."""
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
    return str(value)


def canonical(value: Value) -> str:
    """Equal texts for what people call the same value (1.0 and 1.00, one moment in two zones); unequal ones for all else."""
    return json.dumps(canonical_dump(value), sort_keys=True)


def canonical_dump(value: Value) -> object:
    """As ``dump_value``, but one and the same for equal values."""
    match value:
        case Decimal() if value.is_finite():
            text = format(value, "f")
            text = text.rstrip("0").rstrip(".") if "." in text else text
            return {"amount": "0" if value.is_zero() else text}
        case datetime() if value.utcoffset() is not None:
            return dump_value(_in_utc(value))
    return dump_value(value)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first and last hours that the calendar knows
        return moment


def cut_text(text: str, length: int) -> str:
    """At most ``length`` code points, the marker included. What a reader sees as one character stays whole or goes."""
    if len(text) <= length:
        return text
    end = max(length - len(MARKER), 0)
    while end and not _may_cut(text, end):
        end -= 1
    return (text[:end].rstrip() + MARKER)[:length]


def _may_cut(text: str, at: int) -> bool:
    """Whether a new visible character begins at this index.

    Unicode's rule for this (UAX 29) without its rarest cases: the standard library has none, and one use is no reason for a
    dependency.
    """
    before, after = text[at - 1], text[at]
    if before == _ZERO_WIDTH_JOINER or _extends(after) or before + after == "\r\n":
        return False
    if unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo":
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _n_flag_letters_before(text, at) % 2 == 0
    return not _are_one_syllable(before, after)


def _extends(char: str) -> bool:
    is_skin_tone = "\U0001f3fb" <= char <= "\U0001f3ff"
    is_tag = "\U000e0020" <= char <= "\U000e007f"  # the letters inside the flags of Scotland and Wales
    return is_skin_tone or is_tag or char in (_ZERO_WIDTH_JOINER, "\u200c") or unicodedata.category(char).startswith("M")


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _n_flag_letters_before(text: str, at: int) -> int:
    start = at
    while start and _is_flag_letter(text[start - 1]):
        start -= 1
    return at - start


def _are_one_syllable(before: str, after: str) -> bool:
    """Korean letters join into syllables: leading ones with leading ones, all others with whatever Korean stands before them."""
    if "\u1100" <= after <= "\u115f":
        return "\u1100" <= before <= "\u115f"
    return "\u1160" <= after <= "\u11ff" and ("\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3")

"""Texts: how a value reads, and how to cut one without breaking what a reader sees as one character."""

import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from mappings.fields import Value

NAME_LIMIT: Final = 255
TEXT_LIMIT: Final = 2_000
MARKER: Final = " … (shortened)"
_JOINER = "\u200d"


def plain_text(value: Value) -> str:
    """How a value reads in a text: amounts with a dot and no exponent, dates as 2026-11-30, moments in UTC."""
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if value.tzinfo else value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
    return str(value).encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def cut_value(text: str, limit: int = NAME_LIMIT) -> str:
    """At most ``limit`` characters, counted as UTF-16 does: whichever way the vendor counts, it fits."""
    if length(text) <= limit:
        return text
    kept, size = 0, 0
    for end in _seams(text):
        size += length(text[kept:end])
        if size > limit:
            break
        kept = end
    return text[:kept]


def cut_note(text: str, limit: int) -> str:
    """The same with a visible marker, for texts that people read to the end."""
    return text if length(text) <= limit else cut_value(text, limit - length(MARKER)) + MARKER


def length(text: str) -> int:
    return len(text) + sum(1 for each in text if ord(each) > 0xFFFF)


def _seams(text: str) -> list[int]:
    """Where a text may be cut: never before an accent, a skin tone, a joiner or what it joins, nor inside a flag."""
    seams, flags = [], 0
    for n in range(1, len(text)):
        before, after = text[n - 1], text[n]
        flags = flags + 1 if _is_flag(before) else 0
        joined = after == _JOINER or before == _JOINER or _is_attached(after) or (_is_flag(after) and flags % 2 == 1)
        if not joined:
            seams.append(n)
    return [*seams, len(text)]


def _is_attached(char: str) -> bool:
    return (
        bool(unicodedata.combining(char))
        or "\ufe00" <= char <= "\ufe0f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or char == "\u20e3"
    )


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"

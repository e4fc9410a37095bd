"""What stands in a column, read back as the neutral value that would write it again. The way there is ``objects.py``."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from integrations.errors import ContractBroken
from mappings.fields import Value


def decode(cell: Mapping[str, Any]) -> Value:
    """One entry of ``column_values`` as a value; None for an empty cell, whether the vendor says null, "" or {}.

    Raises ContractBroken for a cell that cannot be what its type says.
    """
    kind, text = str(cell.get("type") or ""), str(cell.get("text") or "")
    stored = _stored(cell.get("value"))
    try:
        return _READERS.get(kind, _as_text)(text, stored, cell)
    except (ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise ContractBroken(
            "Monday.com sent an answer that we do not understand. We are looking into it.",
            vendor="monday", operation="Items", detail=f"column {cell.get('id')} of kind {kind}: {text[:100]!r}",
        ) from error  # fmt: skip


def _stored(value: Any) -> Any:
    """``value`` is JSON inside a JSON text; some answers have it unpacked already."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _as_text(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    return text or None


def _number(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    """From the text, which is exact; the vendor's ``number`` is a float."""
    return Decimal(text) if text else None


def _date(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    """From ``value``, which is UTC; the text is in the zone of the token's user."""
    if not stored or not stored.get("date"):
        return None
    if not stored.get("time"):
        return date.fromisoformat(stored["date"])
    return datetime.fromisoformat(f"{stored['date']}T{stored['time']}").replace(tzinfo=UTC)


def _checkbox(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    return bool(stored) and str(stored.get("checked")).casefold() == "true"


def _link(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    if not stored or not stored.get("url"):
        return None
    url, words = stored["url"], stored.get("text") or ""
    return url if words in ("", url) else f"{url} {words}"


def _phone(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    if not stored or not stored.get("phone"):
        return None
    return " ".join(each for each in (stored["phone"], stored.get("countryShortName")) if each)


def _people(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    people = (stored or {}).get("personsAndTeams") or []
    return ",".join(f"{each.get('kind') or 'person'}-{each['id']}" for each in people) or None


def _relation(text: str, stored: Any, cell: Mapping[str, Any]) -> Value:
    """Text and value of a relation are always null: the ids stand in a field of their own. Ascending, since they are a set."""
    return joined(str(each) for each in cell.get("linked_item_ids") or [])


def joined(ids: Iterable[str]) -> str | None:
    """The ids of a set as one text, ascending; None for none."""
    return ",".join(sorted(set(ids), key=lambda each: (int(each) if each.isdecimal() else 0, each))) or None


def _hour(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    return f"{stored['hour']:02}:{stored['minute']:02}" if stored else None


def _timeline(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    return f"{stored['from'][:10]}/{stored['to'][:10]}" if stored and stored.get("from") else None


def _week(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    week = (stored or {}).get("week") or stored
    return date.fromisoformat(week["startDate"][:10]) if week else None


def _named(name: str) -> Callable[[str, Any, Mapping[str, Any]], Value]:
    return lambda text, stored, _: (stored or {}).get(name) or None


def _tags(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    return ",".join(str(each) for each in (stored or {}).get("tag_ids") or []) or None


def _country(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    return f"{stored['countryCode']} {stored.get('countryName') or ''}".strip() if stored and stored.get("countryCode") else None


def _location(text: str, stored: Any, _: Mapping[str, Any]) -> Value:
    return f"{stored['lat']},{stored['lng']} {stored.get('address') or ''}".strip() if stored and "lat" in stored else None


_READERS: Final[Mapping[str, Callable[[str, Any, Mapping[str, Any]], Value]]] = {
    "numbers": _number,
    "date": _date,
    "checkbox": _checkbox,
    "link": _link,
    "email": _named("email"),
    "phone": _phone,
    "people": _people,
    "board_relation": _relation,
    "hour": _hour,
    "timeline": _timeline,
    "week": _week,
    "rating": lambda text, stored, _: int(stored["rating"]) if stored and stored.get("rating") is not None else None,
    "tags": _tags,
    "country": _country,
    "location": _location,
    "world_clock": _named("timezone"),
}

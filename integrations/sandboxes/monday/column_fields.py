"""The typed fields of column values, such as ``... on StatusValue { index label }``."""

from collections.abc import Callable
from typing import Any

from .context import Table, of
from .readings import Reading, moment

TYPES = {
    "name": "TextValue",
    "item_assignees": "PeopleValue",
    "direct_doc": "UnsupportedValue",
    "doc": "UnsupportedValue",
    "group": "UnsupportedValue",
    "integration": "UnsupportedValue",
    "auto_number": "UnsupportedValue",
    "person": "UnsupportedValue",
    "team": "UnsupportedValue",
    "unsupported": "UnsupportedValue",
}


def type_name(reading: Reading) -> str:
    """long_text -> LongTextValue, and so on, but for the few that differ."""
    kind = reading.column.type
    return TYPES.get(kind) or "".join(part.capitalize() for part in kind.split("_")) + "Value"


def _part(name: str, empty: Any = None) -> Callable[[Reading, Any], Any]:
    return lambda reading, info: reading.stored.get(name) if reading.stored else empty


def _unit(name: str) -> Callable[[Reading, Any], Any]:
    return lambda reading, info: (reading.column.settings.get("unit") or {}).get(name)


def _label(name: str) -> Callable[[Reading, Any], Any]:
    return lambda reading, info: (reading.label() or {}).get(name)


def _stored(reading: Reading, info: Any) -> Any:
    return reading.stored


def _time(reading: Reading, info: Any) -> str:
    local = reading.local()
    return local.strftime("%H:%M") if local else ""


def _day(reading: Reading, info: Any) -> str:
    """The day in the reader's zone when there is a time; "" when there is nothing."""
    local = reading.local()
    return local.strftime("%Y-%m-%d") if local else _part("date", "")(reading, info) or ""


def _stamp(name: str) -> Callable[[Reading, Any], str | None]:
    return lambda reading, info: f"{reading.stored[name]}T00:00:00+00:00" if reading.stored else None


def _updated_at(reading: Reading, info: Any) -> str | None:
    when = reading.item.changed.get(reading.column.id)
    return moment(when) if when else None


def _label_style(reading: Reading, info: Any) -> dict[str, str] | None:
    label = reading.label()
    return {"color": label["hex"], "border": label["hex"]} if label else None


def _subitems(reading: Reading, info: Any) -> list[Any]:
    return reading.subitems()


def _linked_ids(reading: Reading, info: Any) -> list[str]:
    return [item.id for item in reading.linked()]


COMMON: Table = {
    "id": lambda reading, info: reading.column.id,
    "column": lambda reading, info: reading.column,
    "is_leaf": lambda reading, info: not reading.subitems(),
    "text": lambda reading, info: reading.text,
    "type": lambda reading, info: reading.column.type,
    "value": lambda reading, info: reading.value,
    "updated_at": _updated_at,
    "display_value": lambda reading, info: reading.display_value(),
}
TYPED: Table = {
    "BoardRelationValue.linked_item_ids": _linked_ids,
    "BoardRelationValue.linked_items": lambda reading, info: reading.linked(),
    "ButtonValue.label": lambda reading, info: "",
    "CheckboxValue.checked": lambda reading, info: bool(reading.stored),
    "ColorPickerValue.color": _stored,
    "CountryValue.country": _stored,
    "CreationLogValue.created_at": lambda reading, info: moment(reading.item.created_at),
    "CreationLogValue.creator": lambda reading, info: reading.state.users[reading.item.creator_id],
    "CreationLogValue.creator_id": lambda reading, info: reading.item.creator_id,
    "DateValue.date": _day,
    "DateValue.icon": lambda reading, info: None,
    "DateValue.time": _time,
    "DependencyValue.linked_item_ids": _linked_ids,
    "DependencyValue.linked_items": lambda reading, info: reading.linked(),
    "DropdownValue.values": lambda reading, info: reading.options(),
    "EmailValue.email": _part("email"),
    "EmailValue.label": _part("text"),
    "HourValue.hour": _part("hour"),
    "HourValue.minute": _part("minute"),
    "ItemIdValue.item_id": lambda reading, info: reading.item.id,
    "LastUpdatedValue.updated_at": lambda reading, info: moment(reading.item.updated_at),
    "LastUpdatedValue.updater": lambda reading, info: of(info).state.users.get(reading.item.creator_id),
    "LastUpdatedValue.updater_id": lambda reading, info: reading.item.creator_id,
    "LinkValue.url": _part("url"),
    "LinkValue.url_text": _part("text"),
    "LocationValue.address": _part("address"),
    "LocationValue.lat": _part("lat"),
    "LocationValue.lng": _part("lng"),
    "NumbersValue.direction": _unit("direction"),
    "NumbersValue.number": lambda reading, info: float(reading.stored) if reading.stored else None,
    "NumbersValue.symbol": _unit("symbol"),
    "PeopleValue.persons_and_teams": lambda reading, info: reading.stored or [],
    "PhoneValue.country_short_name": _part("countryShortName"),
    "PhoneValue.phone": _part("phone"),
    "RatingValue.rating": _stored,
    "StatusValue.index": _stored,
    "StatusValue.is_done": _label("is_done"),
    "StatusValue.label": _label("label"),
    "StatusValue.label_style": _label_style,
    "SubtasksValue.display_value": lambda reading, info: ", ".join(item.name for item in _subitems(reading, info)),
    "SubtasksValue.subitems": _subitems,
    "SubtasksValue.subitems_ids": lambda reading, info: [item.id for item in reading.subitems()],
    "TagsValue.tag_ids": lambda reading, info: reading.stored or [],
    "TagsValue.tags": lambda reading, info: [reading.state.tags[str(number)] for number in reading.stored or ()],
    "TimeTrackingValue.duration": lambda reading, info: 0,
    "TimeTrackingValue.running": lambda reading, info: False,
    "TimelineValue.from": _stamp("from"),
    "TimelineValue.to": _stamp("to"),
    "VoteValue.vote_count": lambda reading, info: 0,
    "VoteValue.voter_ids": lambda reading, info: [],
    "WeekValue.end_date": _part("endDate"),
    "WeekValue.start_date": _part("startDate"),
    "WorldClockValue.timezone": _stored,
}

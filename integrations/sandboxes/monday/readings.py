"""How stored values are read: the text a person sees, the raw ``value``, and the keys a look-up finds them by."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from .state import Asset, Column, Item, State

LINKS = frozenset({"board_relation", "dependency"})


def moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Reading:
    """One column of one item, read by a user: dates with a time are shown in that user's zone."""

    item: Item
    column: Column
    state: State
    zone: str = "UTC"

    @property
    def stored(self) -> Any:
        return self.item.values.get(self.column.id)

    @property
    def text(self) -> str | None:
        if self.column.type in LINKS or self.column.type in ("subtasks", "mirror", "formula"):
            return None  # since 2025-04 only the typed fields tell
        return TEXTS.get(self.column.type, _nothing)(self)

    @property
    def value(self) -> str | None:
        stored = self.stored
        if stored is None or self.column.type in LINKS:
            return None
        if self.column.type == "file":
            return json.dumps(_files(self), ensure_ascii=False)
        changed = {"changed_at": moment(self.item.changed.get(self.column.id, self.item.created_at))}
        return json.dumps(RAW[self.column.type](stored, changed), ensure_ascii=False)

    def label(self) -> dict[str, Any] | None:
        """The status label chosen."""
        return next((label for label in self.column.settings.get("labels", ()) if label["id"] == self.stored), None)

    def options(self) -> list[dict[str, Any]]:
        """The dropdown labels chosen, in the order they were chosen in."""
        known = {label["id"]: label for label in self.column.settings.get("labels", ())}
        return [known[number] for number in self.stored or () if number in known]

    def linked(self) -> list[Item]:
        """Items on boards that are connected still; one that moved elsewhere is not shown."""
        boards = {self.item.board.id} if self.column.type == "dependency" else self.column.connected()
        found = (self.state.items.get(item_id) for item_id in self.stored or ())
        return [item for item in found if item is not None and item.state != "deleted" and item.board.id in boards]

    def subitems(self) -> list[Item]:
        return self.state.subitems(self.item)

    def assets(self) -> list[Asset]:
        return [self.state.assets[asset_id] for asset_id in self.stored or ()]

    def local(self) -> datetime | None:
        """Date and time in the reader's zone, for a date that has a time."""
        stored = self.stored
        if not stored or "time" not in stored:
            return None
        return datetime.fromisoformat(f"{stored['date']}T{stored['time']}+00:00").astimezone(ZoneInfo(self.zone))

    def display_value(self) -> str:
        if self.column.type == "mirror":
            return ", ".join(text for text in self._mirrored() if text)
        return ", ".join(item.name for item in self.linked()) if self.column.type in LINKS else ""

    def _mirrored(self) -> list[str]:
        settings = self.column.settings
        through = next(iter(settings.get("relation_column") or ()), "")
        shown = [column_id for entry in settings.get("displayed_linked_columns") or () for column_id in entry["column_ids"]]
        link = self.item.board.columns.get(through)
        items = Reading(self.item, link, self.state, self.zone).linked() if link else []
        pairs = [
            (item, item.board.columns[column_id]) for item in items for column_id in shown if column_id in item.board.columns
        ]
        return [Reading(item, column, self.state, self.zone).text or "" for item, column in pairs]


def is_image(asset: Asset) -> bool:
    return asset.content_type.startswith("image/")


def asset_url(asset: Asset, state: State) -> str:
    account = state.account
    return f"https://{account.slug}.monday.com/protected_static/{account.id}/resources/{asset.id}/{quote(asset.name)}"


def _file_text(reading: Reading) -> str:
    return ", ".join(asset_url(asset, reading.state) for asset in reading.assets())


def _files(reading: Reading) -> dict[str, Any]:
    return {"files": [_file(asset) for asset in reading.assets()]}


def _file(asset: Asset) -> dict[str, Any]:
    at = {"createdAt": int(asset.created_at.timestamp() * 1000), "createdBy": asset.uploader.id}
    image = str(is_image(asset)).lower()
    return {"name": asset.name, "assetId": int(asset.id), "isImage": image, "fileType": "ASSET", **at}


def _nothing(_: Reading) -> str:
    return ""


def _date_text(reading: Reading) -> str:
    if local := reading.local():
        return local.strftime("%Y-%m-%d %H:%M")
    return reading.stored["date"] if reading.stored else ""


def _status_text(reading: Reading) -> str | None:
    label = reading.label()
    return label["label"] if label else None


def _dropdown_text(reading: Reading) -> str | None:
    return ", ".join(label["label"] for label in reading.options()) or None


def _link_text(reading: Reading) -> str:
    stored = reading.stored or {"url": "", "text": ""}
    return f"{stored['text']} - {stored['url']}" if stored["text"] else str(stored["url"])


def _people_text(reading: Reading) -> str:
    return ", ".join(user.name for user in reading.state.named(str(one["id"]) for one in reading.stored or ()))


def _hour_text(reading: Reading) -> str:
    stored = reading.stored
    if not stored:
        return ""
    half = "AM" if stored["hour"] < 12 else "PM"
    return f"{(stored['hour'] - 1) % 12 + 1:02}:{stored['minute']:02} {half}"


def _tags_text(reading: Reading) -> str:
    return ", ".join(reading.state.tags[str(number)].name for number in reading.stored or ())


def _of(name: str) -> Callable[[Reading], str]:
    return lambda reading: str(reading.stored[name]) if reading.stored else ""


TEXTS: dict[str, Callable[[Reading], str | None]] = {
    "checkbox": lambda reading: "v" if reading.stored else "",
    "color_picker": lambda reading: reading.stored or "",
    "country": _of("name"),
    "creation_log": lambda reading: reading.item.created_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "date": _date_text,
    "dropdown": _dropdown_text,
    "email": _of("text"),
    "file": _file_text,
    "hour": _hour_text,
    "item_id": lambda reading: reading.item.id,
    "last_updated": lambda reading: reading.item.updated_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "link": _link_text,
    "location": _of("address"),
    "long_text": lambda reading: reading.stored or "",
    "numbers": lambda reading: reading.stored or "",
    "people": _people_text,
    "phone": _of("phone"),
    "rating": lambda reading: str(reading.stored or ""),
    "status": _status_text,
    "tags": _tags_text,
    "text": lambda reading: reading.stored or "",
    "timeline": lambda reading: f"{reading.stored['from']} - {reading.stored['to']}" if reading.stored else "",
    "week": lambda reading: f"{reading.stored['startDate']} - {reading.stored['endDate']}" if reading.stored else "",
    "world_clock": lambda reading: reading.stored or "",
}

# (stored, {"changed_at": …}) -> what ``value`` holds as JSON
RAW: dict[str, Callable[[Any, dict[str, str]], Any]] = {
    "checkbox": lambda stored, at: {"checked": True, **at},
    "color_picker": lambda stored, at: {"color": {"hex": stored}, **at},
    "country": lambda stored, at: {"countryCode": stored["code"], "countryName": stored["name"], **at},
    "date": lambda stored, at: {"date": stored["date"], "time": stored.get("time"), "icon": None, **at},
    "dropdown": lambda stored, at: {"ids": stored, **at},
    "email": lambda stored, at: {**stored, **at},
    "hour": lambda stored, at: {**stored, **at},
    "link": lambda stored, at: {**stored, **at},
    "location": lambda stored, at: {**stored, **at},
    "long_text": lambda stored, at: {"text": stored, **at},
    "numbers": lambda stored, at: stored,
    "people": lambda stored, at: {"personsAndTeams": stored, **at},
    "phone": lambda stored, at: {**stored, **at},
    "rating": lambda stored, at: {"rating": stored, **at},
    "status": lambda stored, at: {"index": stored, "post_id": None, **at},
    "tags": lambda stored, at: {"tag_ids": stored},
    "text": lambda stored, at: stored,
    "timeline": lambda stored, at: {**stored, **at},
    "week": lambda stored, at: {"week": stored},
    "world_clock": lambda stored, at: {"timezone": stored, **at},
}

SEARCHABLE = frozenset(
    {"checkbox", "country", "date", "dropdown", "email", "hour", "link", "long_text", "name", "numbers", "people", "phone"}
    | {"status", "text", "timeline", "week", "world_clock"}
)


def keys(column_type: str, value: Any, reading: Reading) -> tuple[str, ...]:
    """What a look-up by value finds this stored value under. Text ignores case, numbers their spelling; the rest is exact."""
    if value is None:
        return ()
    match column_type:
        case "dropdown":
            return tuple(label["label"].casefold() for label in reading.options())
        case "date":
            return (str(value["date"]),)
        case _:
            return (asked_key(column_type, reading.text or ""),)


def asked_key(column_type: str, asked: str) -> str:
    """The same key for a value as a caller writes it."""
    if column_type == "numbers":
        try:
            return f"{Decimal(asked).normalize():f}"
        except ArithmeticError:
            return asked
    return asked if column_type == "long_text" else asked.casefold()

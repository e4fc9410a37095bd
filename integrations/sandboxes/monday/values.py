"""What may be written into a column, type by type, and the plain value that is stored for it.

``parse`` answers the stored value, None for "emptied", or KEEP when Monday accepts the value but changes nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from .answers import Refused, bad_value
from .labels import EMPTY_STATUS, Labels
from .phones import is_plausible
from .state import Board, Column, State

LONG_TEXT = 2_000
TEXT = 60_000
KEEP = object()

# The older names of types, as they stand in error_data and in webhooks.
INTERNAL = {
    "status": "color", "numbers": "numeric", "people": "multiple-person", "long_text": "long-text", "checkbox": "boolean",
    "timeline": "timerange", "board_relation": "board-relation", "mirror": "lookup", "tags": "tag", "creation_log": "pulse-log",
    "last_updated": "pulse-updated", "item_id": "pulse-id", "color_picker": "color-picker", "time_tracking": "duration",
    "world_clock": "timezone", "auto_number": "auto-number",
}  # fmt: skip

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME = re.compile(r"\d{2}:\d{2}:\d{2}")
NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
WEB = re.compile(r"https?://\S+", re.IGNORECASE)
COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True)
class Write:
    """One column of one item about to be written."""

    column: Column
    board: Board
    state: State
    labels: Labels
    names_columns: bool = False  # whether errors tell the column's id too

    def refuse(self, message: str, **data: Any) -> Refused:
        named = {"column_id": self.column.id} if self.names_columns else {}
        return bad_value(message, INTERNAL.get(self.column.type, self.column.type), **named, **data)


def parse(value: Any, write: Write) -> Any:
    """Read what was sent for one column (already decoded from JSON)."""
    parser = PARSERS.get(write.column.type)
    if parser is None:
        raise write.refuse(f"A column of type {write.column.type} can not be written")
    if write.column.type == "file":
        return parser(value, write)
    if value is None or (value == {} and write.column.type not in ("numbers", "text")):
        return None
    if value == "" and write.column.type != "numbers":
        return None
    return parser(value, write)


def _fields(value: Any, write: Write, *required: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise write.refuse("invalid value - an object is expected")
    for name in required:
        if name not in value:
            raise write.refuse(f"invalid value - {name} is missing")
    return value


def _text(value: Any, write: Write) -> Any:
    if not isinstance(value, str):
        raise write.refuse("invalid value - text is expected")
    if len(value) > TEXT:
        raise write.refuse("invalid value - the text is too long")
    return value


def _long_text(value: Any, write: Write) -> Any:
    text = value if isinstance(value, str) else _fields(value, write, "text")["text"]
    if not isinstance(text, str):
        raise write.refuse("invalid value - text is expected")
    if len(text) > LONG_TEXT:
        raise write.refuse(f"invalid value - at most {LONG_TEXT} characters")
    return text or None


def _numbers(value: Any, write: Write) -> Any:
    if value == "":
        return "0"  # the vendor's own trap: only null empties the column
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise write.refuse("invalid value - a number with a dot and no other separators is expected")
    return text


def _is_day(value: Any) -> bool:
    try:
        return bool(isinstance(value, str) and DATE.fullmatch(value) and date.fromisoformat(value))
    except ValueError:
        return False


def _is_time(value: Any) -> bool:
    try:
        return bool(isinstance(value, str) and TIME.fullmatch(value) and time.fromisoformat(value))
    except ValueError:
        return False


def _date(value: Any, write: Write) -> Any:
    if isinstance(value, str):
        day, _, clock = value.partition(" ")
        value = {"date": day, "time": clock}
    given = _fields(value, write, "date")
    if given["date"] in ("", None) and not given.get("time"):
        return None
    if not _is_day(given["date"]):
        raise write.refuse("invalid value - a date is written YYYY-MM-DD")
    if not given.get("time"):
        return {"date": given["date"]}
    if not _is_time(given["time"]):
        raise write.refuse("invalid value - a time is written HH:MM:SS")
    return {"date": given["date"], "time": given["time"]}


def _status(value: Any, write: Write) -> Any:
    if isinstance(value, dict) and len({"label", "index"} & set(value)) != 1:
        raise write.refuse("invalid value - either a label or an index is expected")
    asked = value.get("index", value.get("label")) if isinstance(value, dict) else value
    if asked in (None, ""):
        return None
    if (isinstance(asked, int) and not isinstance(asked, bool)) or (isinstance(asked, str) and asked.isdecimal()):
        return _status_by_id(int(asked), write)
    if not isinstance(asked, str) or (isinstance(value, dict) and "index" in value):
        raise write.refuse("invalid value - a label is text, an index a number")
    return int(write.labels.by_text(write.column, asked)["id"])


def _status_by_id(number: int, write: Write) -> int | None:
    if number == EMPTY_STATUS:
        return None
    if write.labels.by_id(write.column, number) is None:
        raise write.refuse("invalid value - this label index does not exist in the column")
    return number


def _dropdown(value: Any, write: Write) -> Any:
    if isinstance(value, str):
        value = {"labels": [part.strip() for part in value.split(",") if part.strip()]}
    given = _fields(value, write)
    if len({"labels", "ids"} & set(given)) != 1:
        raise write.refuse("invalid value - either labels or ids are expected, never both")
    asked = given.get("labels", given.get("ids"))
    if not isinstance(asked, list):
        raise write.refuse("invalid value - a list is expected")
    chosen = [_option(one, write, by_text="labels" in given) for one in asked]
    allowed = write.column.settings.get("label_limit_count")
    if write.column.settings.get("limit_select") and allowed and len(chosen) > allowed:
        raise write.refuse(f"invalid value - this column takes at most {allowed} labels")
    return list(dict.fromkeys(chosen)) or None


def _option(asked: Any, write: Write, *, by_text: bool) -> int:
    if by_text:
        if not isinstance(asked, str) or not asked:
            raise write.refuse("invalid value - a label is text")
        return int(write.labels.by_text(write.column, asked)["id"])
    if not str(asked).isdecimal() or write.labels.by_id(write.column, int(asked)) is None:
        raise write.refuse(f"invalid value - the dropdown has no id {asked}")
    return int(asked)


def _link(value: Any, write: Write) -> Any:
    if isinstance(value, str):
        url, _, text = value.partition(" ")
        value = {"url": url, "text": text}
    given = _fields(value, write, "url")
    if not isinstance(given["url"], str) or not WEB.fullmatch(given["url"]):
        raise write.refuse("invalid value - a link begins with http:// or https://")
    return {"url": given["url"], "text": str(given.get("text") or "")}


def _email(value: Any, write: Write) -> Any:
    if isinstance(value, str):
        address, _, text = value.partition(" ")
        value = {"email": address, "text": text or address}
    given = _fields(value, write, "email", "text")
    if not isinstance(given["email"], str) or not EMAIL.fullmatch(given["email"]):
        raise write.refuse("invalid value - this is no e-mail address")
    return {"email": given["email"], "text": str(given["text"] or given["email"])}


def _phone(value: Any, write: Write) -> Any:
    if isinstance(value, str):
        phone, _, country = value.rpartition(" ")
        value = {"phone": phone, "countryShortName": country}
    given = _fields(value, write, "phone", "countryShortName")
    if given["phone"] in ("", None):
        return None
    if not is_plausible(str(given["phone"]), str(given["countryShortName"])):
        raise write.refuse("invalid value - this phone number is not valid in its country")
    return {"phone": str(given["phone"]), "countryShortName": given["countryShortName"]}


def _checkbox(value: Any, write: Write) -> Any:
    if not isinstance(value, dict):
        raise write.refuse("invalid value - a checkbox has no simple form")
    checked = _fields(value, write, "checked")["checked"]
    if checked in ("false", False):
        return KEEP  # accepted, and the box stays as it is; only null clears it
    if checked not in ("true", True):
        raise write.refuse('invalid value - checked is "true"')
    return True


def _people(value: Any, write: Write) -> Any:
    if isinstance(value, str):
        value = {"personsAndTeams": [{"id": _whole(part.strip()), "kind": "person"} for part in value.split(",")]}
    given = _fields(value, write, "personsAndTeams")["personsAndTeams"]
    if not isinstance(given, list):
        raise write.refuse("invalid value - a list of persons and teams is expected")
    return [_person(one, write) for one in given] or None


def _person(given: Any, write: Write) -> dict[str, Any]:
    if not isinstance(given, dict) or type(given.get("id")) is not int or given.get("kind") not in ("person", "team"):
        raise write.refuse("invalid value - each entry has a numeric id and the kind person or team")
    if given["kind"] == "team" or str(given["id"]) not in write.board.subscriber_ids:
        raise write.refuse("This person or team is not subscribed to the board", error_reason="invalidPersonAssignment")
    return {"id": given["id"], "kind": given["kind"]}


def _relation(value: Any, write: Write) -> Any:
    asked = _fields(value, write, "item_ids")["item_ids"]
    if not isinstance(asked, list) or any(type(one) is not int for one in asked):
        raise write.refuse("invalid value - item_ids is a list of numbers")
    boards = {str(one) for one in write.column.settings.get("boardIds", ())}
    if write.column.type == "dependency":
        boards = {write.board.id}
    for one in asked:
        item = write.state.items.get(str(one))
        if item is None or item.state == "deleted" or item.board.id not in boards:
            raise write.refuse(f"invalid value - item {one} is not on a connected board")
    if len(asked) > 1 and not write.column.settings.get("allowMultipleItems", True):
        raise write.refuse("invalid value - this column links a single item")
    return [str(one) for one in asked] or None


def _hour(value: Any, write: Write) -> Any:
    given = _fields(value, write, "hour")
    hour, minute = given["hour"], given.get("minute", 0)
    if type(hour) is not int or type(minute) is not int or not (0 <= hour <= 23 and 0 <= minute <= 59):
        raise write.refuse("invalid value - hour and minute are numbers on a 24 hour clock")
    return {"hour": hour, "minute": minute}


def _timeline(value: Any, write: Write) -> Any:
    given = _fields(value, write, "from", "to")
    if not _is_day(given["from"]) or not _is_day(given["to"]) or given["from"] > given["to"]:
        raise write.refuse("invalid value - from and to are dates in this order")
    return {"from": given["from"], "to": given["to"]}


def _tags(value: Any, write: Write) -> Any:
    asked = _fields(value, write, "tag_ids")["tag_ids"]
    if not isinstance(asked, list) or any(str(one) not in write.state.tags for one in asked):
        raise write.refuse("invalid value - unknown tag")
    return [int(one) for one in asked] or None


def _country(value: Any, write: Write) -> Any:
    if isinstance(value, str):
        code, _, name = value.partition(" ")
        value = {"countryCode": code, "countryName": name}
    given = _fields(value, write, "countryCode", "countryName")
    if not re.fullmatch(r"[A-Z]{2}", str(given["countryCode"])) or not given["countryName"]:
        raise write.refuse("invalid value - a two-letter country code and a name are expected")
    return {"code": given["countryCode"], "name": str(given["countryName"])}


def _rating(value: Any, write: Write) -> Any:
    stars = _whole(value if isinstance(value, str) else _fields(value, write, "rating")["rating"])
    if type(stars) is not int or not 1 <= stars <= 5:
        raise write.refuse("invalid value - a rating is a number from 1 to 5")
    return stars


def _week(value: Any, write: Write) -> Any:
    given = _fields(_fields(value, write, "week")["week"], write, "startDate", "endDate")
    if not _is_day(given["startDate"]) or not _is_day(given["endDate"]):
        raise write.refuse("invalid value - startDate and endDate are dates")
    if (date.fromisoformat(given["endDate"]) - date.fromisoformat(given["startDate"])).days != 6:
        raise write.refuse("invalid value - a week has seven days")
    return {"startDate": given["startDate"], "endDate": given["endDate"]}


def _location(value: Any, write: Write) -> Any:
    given = _fields(value, write, "lat", "lng")
    try:
        lat, lng = float(given["lat"]), float(given["lng"])
    except (TypeError, ValueError):
        raise write.refuse("invalid value - lat and lng are numbers") from None
    if not (-90 <= lat <= 90 and -180 <= lng <= 180):
        raise write.refuse("invalid value - no such place")
    return {"lat": lat, "lng": lng, "address": str(given.get("address") or "")}


def _world_clock(value: Any, write: Write) -> Any:
    zone = _fields(value, write, "timezone")["timezone"]
    try:
        return ZoneInfo(zone).key
    except (TypeError, ValueError, LookupError, OSError):
        raise write.refuse("invalid value - unknown time zone") from None


def _color_picker(value: Any, write: Write) -> Any:
    color = _fields(_fields(value, write, "color")["color"], write, "hex")["hex"]
    if not COLOR.fullmatch(str(color)):
        raise write.refuse("invalid value - a color is written #rrggbb")
    return color


def _file(value: Any, write: Write) -> Any:
    """Files come by the door for files only; through here they can go."""
    if not isinstance(value, dict) or value.get("clear_all") not in (True, "true"):
        raise write.refuse("invalid value - a file column takes clear_all only")


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


PARSERS: dict[str, Callable[[Any, Write], Any]] = {
    "board_relation": _relation,
    "checkbox": _checkbox,
    "color_picker": _color_picker,
    "country": _country,
    "date": _date,
    "dependency": _relation,
    "dropdown": _dropdown,
    "email": _email,
    "file": _file,
    "hour": _hour,
    "link": _link,
    "location": _location,
    "long_text": _long_text,
    "numbers": _numbers,
    "people": _people,
    "phone": _phone,
    "rating": _rating,
    "status": _status,
    "tags": _tags,
    "text": _text,
    "timeline": _timeline,
    "week": _week,
    "world_clock": _world_clock,
}

"""The cells of an uploaded CSV: the plain text form of each column type, read into the value that is stored."""

import csv
import re
from collections.abc import Callable
from typing import Any

from .phones import COUNTRIES, is_plausible
from .state import Item, User
from .values import Write, parse

NAMED_MAIL = re.compile(r"(?P<text>[^<>]*)<(?P<email>[^<>]+)>")
NAMED_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<url>[^)]+)\)")
HINTED_PHONE = re.compile(r"(?P<phone>.*\d)\s+(?P<country>[A-Z]{2})")
MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?Z?")
TRUE = frozenset({"true", "yes", "y", "x", "checked", "1", "✓", "✔"})
FALSE = frozenset({"false", "no", "n", "0", "unchecked"})
LINKS_PER_CELL = 50


def stored(cell: str, write: Write) -> Any:
    """The stored value of a cell that is not empty."""
    reader = CELLS.get(write.column.type)
    if reader is None:
        raise write.refuse(f"A column of type {write.column.type} can not be imported")
    return reader(cell, write)


def _list(cell: str) -> list[str]:
    """The parts between commas; a part in double quotes may hold commas itself."""
    parts = next(csv.reader([cell], skipinitialspace=True), [])
    return [part.strip() for part in parts if part.strip()]


def _label(text: str, write: Write) -> int:
    for label in write.labels.of(write.column):
        if label["label"] == text and not label.get("is_deactivated"):
            return int(label["id"])
    raise write.refuse(f'"{text}" is not among the labels of column "{write.column.id}"')


def _date(cell: str, write: Write) -> Any:
    if found := MOMENT.fullmatch(cell.strip()):
        return parse({"date": found[1], "time": found[2] + (found[3] or ":00")}, write)
    return parse({"date": cell.strip()}, write)


def _email(cell: str, write: Write) -> Any:
    found = NAMED_MAIL.fullmatch(cell.strip())
    told = {name: part.strip() for name, part in found.groupdict().items()} if found else {"email": cell.strip(), "text": ""}
    return parse(told, write)


def _link(cell: str, write: Write) -> Any:
    found = NAMED_LINK.fullmatch(cell.strip())
    return parse(found.groupdict() if found else {"url": cell.strip(), "text": ""}, write)


def _phone(cell: str, write: Write) -> Any:
    if found := HINTED_PHONE.fullmatch(cell.strip()):
        return parse({"phone": found["phone"], "countryShortName": found["country"]}, write)
    number = cell.strip() if cell.strip().startswith("+") else f"+{cell.strip()}"
    country = next((one for one in COUNTRIES if is_plausible(number, one)), None)
    if country is None:
        raise write.refuse("invalid value - this phone number belongs to no country")
    return parse({"phone": cell.strip(), "countryShortName": country}, write)


def _people(cell: str, write: Write) -> Any:
    found = [_user(part, write) for part in _list(cell)]
    return [{"id": int(user_id), "kind": "person"} for user_id in dict.fromkeys(user.id for user in found)]


def _user(asked: str, write: Write) -> User:
    told = asked.removeprefix("user:").strip()
    known = [user for user in write.state.users.values() if user.status == "ACTIVE"]
    named = [user for user in known if told in (user.id, user.email) or told.casefold() == user.name.casefold()]
    if len(named) != 1:
        raise write.refuse(f'"{asked}" names {len(named) or "no"} people of this account')
    return named[0]


def _timeline(cell: str, write: Write) -> Any:
    begin, _, end = cell.strip().partition("/")
    return parse({"from": begin, "to": end or begin}, write)


def _checkbox(cell: str, write: Write) -> Any:
    word = cell.strip().casefold()
    if word in FALSE:
        return None
    if word not in TRUE:
        raise write.refuse("invalid value - neither true nor false")
    return True


def _location(cell: str, write: Write) -> Any:
    parts = cell.split("|", 2)
    if len(parts) < 3 or not parts[2].strip():
        raise write.refuse("invalid value - a place is written lat|lng|address")
    return parse({"lat": parts[0], "lng": parts[1], "address": parts[2].strip()}, write)


def _relation(cell: str, write: Write) -> Any:
    boards = [str(one) for one in write.column.settings.get("boardIds", ())]
    asked = _list(cell)
    if len(asked) > LINKS_PER_CELL:
        raise write.refuse(f"invalid value - at most {LINKS_PER_CELL} connected items")
    found = [_item(one, boards, write) for one in asked]
    return parse({"item_ids": [int(item.id) for item in found]}, write)


def _item(asked: str, boards: list[str], write: Write) -> Item:
    """By id or by exact name; a column with several boards wants the board's id before it."""
    board_id, told = boards[0] if boards else "", asked
    if len(boards) > 1:
        board_id, _, told = (part.strip() for part in asked.partition(":"))
    board = write.state.boards.get(board_id) if board_id in boards else None
    if board is None:
        raise write.refuse(f'"{asked}" is on no connected board')
    if told in board.active:
        return board.active[told]
    hits = board.index.get("name", {}).get(told.casefold(), {})
    named = [board.active[item_id] for item_id in hits if item_id in board.active and board.active[item_id].name == told]
    if len(named) != 1:
        raise write.refuse(f'"{asked}" names {len(named) or "no"} items of the connected board')
    return named[0]


CELLS: dict[str, Callable[[str, Write], Any]] = {
    "board_relation": _relation,
    "checkbox": _checkbox,
    "date": _date,
    "dropdown": lambda cell, write: list(dict.fromkeys(_label(part, write) for part in _list(cell))) or None,
    "email": _email,
    "link": _link,
    "location": _location,
    "long_text": lambda cell, write: parse({"text": cell}, write),
    "numbers": lambda cell, write: parse(cell.strip(), write),
    "people": _people,
    "phone": _phone,
    "status": lambda cell, write: _label(cell.strip(), write),
    "text": parse,
    "timeline": _timeline,
}

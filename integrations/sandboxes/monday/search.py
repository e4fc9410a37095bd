"""Finding items: whole walks, look-ups by value, rules; pages and the cursors that lead on."""

import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from .answers import Refused, bad_argument, cursor_expired, no_such_column
from .readings import SEARCHABLE, Reading, asked_key
from .state import Board, Column, Item, State

MOST_PER_PAGE = 500
CURSOR_LIVES = timedelta(minutes=60)
KEPT_WALKS = 256
NEVER_IN_RULES = frozenset(
    {"mirror", "formula", "button", "auto_number", "progress", "file", "time_tracking", "vote", "location"}
)
PSEUDO = frozenset({"__creation_log__", "__last_updated__"})


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A result as it was when first asked for; its pages are cut from it until it expires."""

    item_ids: Sequence[str]
    began_at: datetime


class Walks:
    """Walks that cursors point into. A cursor says which walk and how far, and means nothing to anybody else."""

    def __init__(self) -> None:
        self._walks: OrderedDict[str, Walk] = OrderedDict()
        self._n_begun = 0

    def begin(self, item_ids: Sequence[str], limit: int, state: State, now: datetime) -> dict[str, Any]:
        self._n_begun += 1
        key = f"{random.Random(self._n_begun).getrandbits(64):016x}"
        walk = Walk(item_ids=item_ids, began_at=now)
        if len(item_ids) > limit:
            self._walks[key] = walk
            if len(self._walks) > KEPT_WALKS:
                self._walks.popitem(last=False)
        return self._page(key, walk, 0, limit, state)

    def go_on(self, cursor: str, limit: int, state: State, now: datetime) -> dict[str, Any]:
        key, _, start = cursor.removeprefix("MSw").partition("-")
        walk = self._walks.get(key)
        if walk is None or not start.isdecimal() or now - walk.began_at >= CURSOR_LIVES:
            raise cursor_expired()
        return self._page(key, walk, int(start), limit, state)

    def shuffled(self, item_ids: Iterable[str]) -> list[str]:
        """An order of its own for every walk, the same in every run of the sandbox: nobody may rely on one."""
        ids = list(item_ids)
        random.Random(self._n_begun).shuffle(ids)
        return ids

    def _page(self, key: str, walk: Walk, start: int, limit: int, state: State) -> dict[str, Any]:
        end = start + limit
        items = [state.items[item_id] for item_id in walk.item_ids[start:end]]
        cursor = f"MSw{key}-{end}" if end < len(walk.item_ids) else None
        return {"cursor": cursor, "items": [item for item in items if item.state == "active"]}


def page_size(limit: int) -> int:
    if not 1 <= limit <= MOST_PER_PAGE:
        raise bad_argument(f"limit lies between 1 and {MOST_PER_PAGE}")
    return limit


def by_column_values(board: Board, asked: Sequence[Mapping[str, Any]]) -> list[str]:
    """Active items that have, in every named column, one of the values asked for."""
    found: dict[str, None] | None = None
    for one in asked:
        hits = _hits(board, one["column_id"], [value or "" for value in one["column_values"]])
        found = hits if found is None else {item_id: None for item_id in found if item_id in hits}
    return [item_id for item_id in found or () if item_id in board.active]


def _hits(board: Board, column_id: str, values: Sequence[str]) -> dict[str, None]:
    column = board.columns.get(column_id)
    if column is None or column.archived:
        raise no_such_column(column_id)
    if column.type not in SEARCHABLE:
        raise Refused("InvalidColumnTypeException", f"Items can not be found by a column of type {column.type}")
    entries, found = board.index.get(column_id, {}), {}
    for value in values:
        if value == "":
            found.update(dict.fromkeys(item_id for item_id in board.active if (item_id, column_id) not in board.indexed))
        elif column.type == "dropdown":
            part = value.casefold()
            found.update({item_id: None for label, ids in entries.items() if part in label for item_id in ids})
        else:
            found.update(entries.get(asked_key(column.type, value), {}))
    return found


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Rules on one board. A rule whose value has the wrong form matches nothing and says nothing, as Monday does it."""

    board: Board
    state: State
    zone: str
    now: datetime

    def items(self, query: Mapping[str, Any] | None, candidates: Iterable[Item]) -> list[Item]:
        query = query or {}
        if len(query.get("ids") or ()) > 100:
            raise bad_argument("At most 100 ids can be given")
        if query.get("ids"):
            wanted = set(query["ids"])
            candidates = [item for item in candidates if item.id in wanted]
        accepts = self._accepts(query)
        return self._ordered([item for item in candidates if accepts(item)], query)

    def _accepts(self, query: Mapping[str, Any]) -> Callable[[Item], bool]:
        tests = [self._seen(rule["column_id"], self._rule(rule)) for rule in query.get("rules") or ()]
        tests += [self._accepts(group) for group in query.get("groups") or ()]
        if not tests:
            return lambda item: True
        together = any if query.get("operator") == "or" else all
        return lambda item: together(test(item) for test in tests)

    def _seen(self, column_id: str, test: Callable[[Item], bool]) -> Callable[[Item], bool]:
        """The same test, blind to values that are younger than the lag."""
        if not self.state.lag:
            return test
        settled = self.now - self.state.lag
        return lambda item: item.changed.get(column_id, item.created_at) <= settled and test(item)

    def _rule(self, rule: Mapping[str, Any]) -> Callable[[Item], bool]:
        operator, value = rule.get("operator") or "any_of", rule["compare_value"]
        read = self._reader(rule["column_id"])
        given = value if isinstance(value, list) else [value]
        column = self.board.columns.get(rule["column_id"])
        kind = column.type if column else rule["column_id"]
        if operator in ("is_empty", "is_not_empty"):
            return lambda item: (read(item) in (None, "", [])) == (operator == "is_empty")
        if operator in ("any_of", "not_any_of"):
            return self._any_of(kind, given, read, wanted=operator == "any_of")
        compare = _COMPARE.get(operator)
        if compare is not None:
            return lambda item: _compared(kind, compare, read(item), given)
        test = _TEXT_TESTS.get(operator)
        if test is None:  # within_the_last and within_the_next want a date column and a number of days
            return self._within(given, read, forward=operator == "within_the_next")
        text = self._texts(rule["column_id"])
        return lambda item: all(isinstance(one, str) and test(text(item).casefold(), one.casefold()) for one in given)

    def _any_of(self, kind: str, given: list[Any], read: Callable[[Item], Any], *, wanted: bool) -> Callable[[Item], bool]:
        keys = _rule_keys(kind, given)
        if keys is None:
            return lambda item: False
        return lambda item: bool(keys & _value_keys(kind, read(item))) == wanted

    def _within(self, given: list[Any], read: Callable[[Item], Any], *, forward: bool) -> Callable[[Item], bool]:
        today = self.now.date()
        days = next((int(one) for one in given if str(one).isdecimal()), 0)
        first, last = (today, today + timedelta(days=days)) if forward else (today - timedelta(days=days), today)
        return lambda item: (day := _day(read(item))) is not None and first <= day <= last

    def _reader(self, column_id: str) -> Callable[[Item], Any]:
        """How a rule sees this column: the stored value, or what stands for it."""
        special: dict[str, Callable[[Item], Any]] = {
            "name": lambda item: item.name,
            "group": lambda item: item.group_id,
            "__creation_log__": lambda item: item.created_at,
            "__last_updated__": lambda item: item.updated_at,
        }
        if column_id in special:
            return special[column_id]
        column = self.column(column_id)
        if column.type in NEVER_IN_RULES:
            raise Refused("InvalidColumnTypeException", f"A column of type {column.type} can not be used in a rule")
        return lambda item: item.values.get(column_id)

    def _texts(self, column_id: str) -> Callable[[Item], str]:
        if column_id == "name":
            return lambda item: item.name
        column = self.column(column_id)
        return lambda item: Reading(item, column, self.state, self.zone).text or ""

    def column(self, column_id: str) -> Column:
        column = self.board.columns.get(column_id)
        if column is None or column.archived:
            raise no_such_column(column_id)
        return column

    def _ordered(self, items: list[Item], query: Mapping[str, Any]) -> list[Item]:
        for order in reversed(query.get("order_by") or ()):
            read = self._reader(order["column_id"])
            items.sort(key=lambda item, read=read: _sortable(read(item)), reverse=order.get("direction") == "desc")  # type: ignore[misc]
        return items


def _sortable(value: Any) -> tuple[int, Any]:
    """Empty first, then numbers, then everything else by its text."""
    if value is None:
        return (0, "")
    if isinstance(value, datetime):
        return (2, value.isoformat())
    number = _decimal(value)
    return (
        (1, number) if number is not None else (2, str(value.get("date", value) if isinstance(value, dict) else value).casefold())
    )


def _rule_keys(kind: str, given: list[Any]) -> set[Any] | None:
    """The values of an any_of rule, or None when they have a form that Monday silently ignores."""
    match kind:
        case "date":
            return set(given[1:]) if given[:1] == ["EXACT"] and len(given) > 1 else None
        case "people":
            parts = [str(one).partition("-") for one in given]
            return (
                {int(number) for word, _, number in parts if number.isdecimal()} if all(p[0] == "person" for p in parts) else None
            )
        case "board_relation" | "dependency":
            return {str(one) for one in given} if all(type(one) is int for one in given) else None
        case "status" | "dropdown":
            return {int(one) for one in given if str(one).isdecimal()}
        case "numbers":
            return {_decimal(one) for one in given} - {None}
    return {str(one).casefold() for one in given}


def _value_keys(kind: str, stored: Any) -> set[Any]:
    match kind, stored:
        case _, None:
            return set()
        case "date", {"date": day}:
            return {day}
        case "people", list():
            return {one["id"] for one in stored}
        case "numbers", _:
            return {_decimal(stored)}
        case "status" | "rating", _:
            return {stored} if kind == "status" else {str(stored)}
        case "tags", list():
            return {str(one) for one in stored}
        case _, list():
            return set(stored)
        case "email" | "link", {"text": text}:
            return {str(text).casefold()}
        case "checkbox", _:
            return {"true"}
    return {str(stored).casefold()}


def _decimal(value: Any) -> Decimal | None:
    try:
        return None if isinstance(value, bool | dict | list | datetime) else Decimal(str(value))
    except InvalidOperation:
        return None


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    text = value.get("date") if isinstance(value, dict) else value
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _compared(kind: str, compare: Callable[[Any, list[Any]], bool], stored: Any, given: list[Any]) -> bool:
    convert: Callable[[Any], Any] = _decimal if kind in ("numbers", "rating") else _day
    mine, bounds = convert(stored), [convert(one) for one in given if one != "EXACT"]
    return mine is not None and bool(bounds) and None not in bounds and compare(mine, bounds)


_COMPARE: dict[str, Callable[[Any, list[Any]], bool]] = {
    "greater_than": lambda mine, bounds: mine > bounds[0],
    "greater_than_or_equals": lambda mine, bounds: mine >= bounds[0],
    "lower_than": lambda mine, bounds: mine < bounds[0],
    "lower_than_or_equal": lambda mine, bounds: mine <= bounds[0],
    "between": lambda mine, bounds: len(bounds) == 2 and bounds[0] <= mine <= bounds[1],
}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains_text": lambda text, asked: asked in text,
    "contains_terms": lambda text, asked: all(term in text.split() for term in asked.split()),
    "not_contains_text": lambda text, asked: asked not in text,
    "starts_with": lambda text, asked: text.startswith(asked),
    "ends_with": lambda text, asked: text.endswith(asked),
}

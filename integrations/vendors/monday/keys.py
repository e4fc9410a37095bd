"""Finding our items on a board by the key column: a few by value, or all of them page by page."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from integrations.errors import AnswerTooLarge, VendorUnavailable
from integrations.types import Login
from integrations.vendors.monday.boards import Board
from integrations.vendors.monday.client import MondayClient
from integrations.vendors.monday.errors import CursorExpired, TooHeavy

LARGEST_PAGE: Final = 500
KEYS_PER_CALL: Final = 100
MOST_RESTARTS: Final = 3


def oldest_first(ids: Iterable[str]) -> list[str]:
    """The vendor counts upwards, so the smallest id is the oldest."""
    return sorted(set(ids), key=lambda each: (int(each) if each.isdecimal() else 0, each))


def warn_of_doubles(login: Login, key: str, ids: Sequence[str]) -> None:
    login.warn(
        "duplicate_key",
        f"{len(ids)} items on the Monday.com board have the Source ID {key}: {', '.join(ids)}. "
        f"We update {ids[0]}; delete the copy if nobody needs it.",
    )


def find(client: MondayClient, board: Board, keys: Sequence[str]) -> dict[str, list[str]]:
    """The active items that have exactly these keys, oldest first; keys that are not found are absent.

    "Not found" proves nothing within 60 s of a create, nor of archived items.
    """
    found: dict[str, set[str]] = {}
    column = board.ours.get("key")
    for begin in range(0, len(keys) if column else 0, KEYS_PER_CALL):
        for item in _matches(client, board.id, str(column), keys[begin : begin + KEYS_PER_CALL]):
            if (key := _key(item)) in keys:  # the vendor compares without case, we do not
                found.setdefault(key, set()).add(str(item["id"]))
    return {key: oldest_first(ids) for key, ids in found.items()}


def _matches(client: MondayClient, board: str, column: str, keys: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    try:
        page = client.by_key(board, column, keys, LARGEST_PAGE)
    except TooHeavy:
        if len(keys) == 1:
            raise
        half = len(keys) // 2
        yield from _matches(client, board, column, keys[:half])
        yield from _matches(client, board, column, keys[half:])
        return
    yield from page["items"]
    while page.get("cursor"):
        page = client.next_keys(page["cursor"], column, LARGEST_PAGE)
        yield from page["items"]


def walk(login: Login, client: MondayClient, board: Board) -> Iterator[Mapping[str, Sequence[str]]]:
    """Every key on the board with its ids, page by page, no key twice.

    The walk goes by creation, so that a key is first met at its oldest item; later ones are warned of. A cursor lives for 60
    minutes: when it expires, the walk begins again and leaves out what it gave before.
    """
    first_ids: dict[str, str] = {}
    warned: set[str] = set()
    if not (column := board.ours.get("key")):
        return
    for items in pages(
        lambda size: client.first_keys(board.id, column, size), lambda cursor, size: client.next_keys(cursor, column, size)
    ):
        page: dict[str, list[str]] = {}
        for item in items:
            key, item_id = _key(item), str(item["id"])
            if not key:
                continue
            if key in page or key not in first_ids:
                page.setdefault(key, []).append(item_id)
                first_ids.setdefault(key, item_id)
            if first_ids[key] != item_id and (mark := f"{key} {item_id}") not in warned:
                warned.add(mark)
                warn_of_doubles(login, key, oldest_first([first_ids[key], item_id]))
        yield {key: oldest_first(ids) for key, ids in page.items()}


Pages = Iterator[Sequence[Mapping[str, Any]]]


def pages(first: Callable[[int], Mapping[str, Any]], following: Callable[[str, int], Mapping[str, Any]]) -> Pages:
    """The items of a walk, page by page; after an expired cursor from the beginning again, so a walker has to know what it saw."""
    size, restarts = LARGEST_PAGE, 0
    cursor: str | None = None
    while True:
        try:
            page = following(cursor, size) if cursor else first(size)
        except CursorExpired as error:
            cursor, restarts = None, restarts + 1
            if restarts > MOST_RESTARTS:
                raise VendorUnavailable(
                    error.said, vendor="monday", operation=error.operation, request_id=error.request_id
                ) from error
            continue
        except (TooHeavy, AnswerTooLarge):
            if size == 1:
                raise
            size //= 2
            continue
        yield page["items"]
        if not (cursor := page.get("cursor")):
            return


def newest(client: MondayClient, board: Board, keys: Sequence[str]) -> dict[str, list[str]]:
    """As ``find``, for many keys of items that were just made: they stand on the newest pages, 500 to a call.

    What is not on as many pages as the items could fill is looked up, since an older item may have had the key already.
    """
    wanted, found = set(keys), dict[str, set[str]]()
    column = str(board.ours["key"])
    walk = pages(
        lambda size: client.newest_keys(board.id, column, size), lambda cursor, size: client.next_keys(cursor, column, size)
    )
    for items in islice(walk, -(-len(keys) // LARGEST_PAGE) + 1):
        for item in items:
            if (key := _key(item)) in wanted:
                found.setdefault(key, set()).add(str(item["id"]))
        if len(found) == len(wanted):
            break
    walked = {key: oldest_first(ids) for key, ids in found.items()}
    return walked | find(client, board, [key for key in keys if key not in found])


def _key(item: Mapping[str, Any]) -> str:
    cells = item.get("column_values") or [{}]
    return str(cells[0].get("text") or "")

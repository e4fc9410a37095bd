"""How the board stands against the books: read at the back doors of both sandboxes, past all that we wrote ourselves."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from integrations.models import Flow
from tests.bench.sandboxes import Door


@dataclass(frozen=True, kw_only=True)
class Company:
    """A tenant whose bills lie in the books, and the flow that carries them to a board."""

    flow: Flow
    door: Door


class Standing(NamedTuple):
    """Bills that are not on the board, bills that stand there other than in the books, items too many."""

    missing: int
    stale: int
    doubled: int


class Bill(NamedTuple):
    """What is compared: enough to see any change that a bench makes, and any mix-up of two bills."""

    number: str
    amount: Decimal
    currency: str
    due: date


PERFECT = Standing(missing=0, stale=0, doubled=0)


def compare(made: Company) -> Standing:
    books, board = dict(_in_the_books(made)), list(_on_the_board(made))
    counted = Counter(key for key, _ in board)
    return Standing(
        missing=len(books.keys() - counted.keys()),
        stale=sum(key in books and bill != books[key] for key, bill in board),
        doubled=sum(n - (key in books) for key, n in counted.items()),
    )


def _in_the_books(made: Company) -> Iterator[tuple[str, Bill]]:
    for bill in made.door.bills():
        due = datetime.strptime(bill["WHENDUE"], "%m/%d/%Y").date()
        yield bill["RECORDNO"], Bill(bill["RECORDID"], Decimal(bill["TRX_TOTALENTERED"]), bill["CURRENCY"], due)


def _on_the_board(made: Company) -> Iterator[tuple[str, Bill]]:
    board = next(each for each in made.door.state("monday")["boards"] if each["id"] == made.flow.place)
    ids = {each["title"]: each["id"] for each in board["columns"]}
    for item in board["items"]:
        cells = {title: str(item["columns"].get(id_) or "") for title, id_ in ids.items()}
        due = date.fromisoformat(cells["Due"])
        yield cells["Source ID"].rpartition(":")[2], Bill(item["name"], Decimal(cells["Amount"]), cells["Currency"], due)

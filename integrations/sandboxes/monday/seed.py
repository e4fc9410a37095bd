"""A small company that buys things: one account, four people, the boards "AP bills" and "Vendors"."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from . import building
from .labels import status_label
from .state import Account, Board, Column, State, Token, User, Workspace

TOKEN = "sample-monday-token"  # noqa: S105 - opens nothing but this sandbox
VENDORS = (
    ("Northwind Paper", "ap@northwind.example", "US", "12025550143"),
    ("Bright Office Supply", "billing@brightoffice.example", "US", "12125550187"),
    ("Van Dijk Logistiek", "facturen@vandijk.example", "NL", "31201234567"),
    ("Keller Maschinenbau", "rechnung@keller.example", "DE", "493012345678"),
)
BILL_COLUMNS = (
    ("bill_key", "Source ID", "text"),
    ("vendor", "Vendor", "text"),
    ("vendor_link", "Vendor card", "board_relation"),
    ("amount", "Amount", "numbers"),
    ("currency", "Currency", "dropdown"),
    ("bill_date", "Bill date", "date"),
    ("due_date", "Due", "date"),
    ("approval", "Approval", "status"),
    ("po_number", "PO number", "text"),
    ("gl_code", "GL account", "text"),
    ("lines", "Lines", "long_text"),
    ("document", "Document", "link"),
    ("contact", "Contact", "email"),
    ("contact_phone", "Phone", "phone"),
    ("approver", "Approver", "people"),
    ("needs_review", "Needs review", "checkbox"),
    ("last_synced", "Last synced", "date"),
)
BILL_TYPES = {column_id: kind for column_id, _, kind in BILL_COLUMNS}


def company(plan: str) -> State:
    """Account, workspace and people, but no boards; Nora's token is the one to sign in with."""
    state = State(account=Account(id="31207455", name="Harbor & Pine", slug="harbor-pine", plan=plan))
    state.workspaces["11060000137"] = Workspace(id="11060000137", name="Finance")
    people = (("Nora Ellis", "admin"), ("Tom Reyes", "member"), ("Priya Shah", "member"), ("Jonas Weber", "member"))
    for name, kind in people:
        add_user(state, name, kind=kind)
    state.tokens[TOKEN] = Token(user=next(iter(state.users.values())))
    return state


def add_user(state: State, name: str, *, kind: str = "member") -> User:
    email = f"{name.lower().replace(' ', '.')}@harborpine.example"
    user = User(id=state.new_id("user"), name=name, email=email, kind=kind)
    state.users[user.id] = user
    return user


def boards(state: State, now: datetime) -> None:
    owner, *others = state.users
    shared: dict[str, Any] = {"now": now, "owner_id": owner, "subscriber_ids": others}
    vendors = building.new_board(state, "Vendors", **shared, items_limit=max(state.items_limit, 1_000))
    for column_id, title, kind in (("vendor_key", "Source ID", "text"), ("mail", "E-mail", "email"), ("phone", "Phone", "phone")):
        building.new_column(vendors, title, kind, column_id=column_id)
    for number, (name, mail, country, phone) in enumerate(VENDORS, start=1):
        values = {"vendor_key": f"V-{number:03}", "mail": {"email": mail, "text": mail}}
        values["phone"] = {"phone": phone, "countryShortName": country}
        put(state, vendors, name, values, now)
    bills = building.new_board(state, "AP bills", **shared)
    for column_id, title, kind in BILL_COLUMNS:
        building.new_column(bills, title, kind, column_id=column_id, settings=_settings(column_id, vendors))
    building.new_group(bills, "Paid", group_id="paid", color="#00c875")


def _settings(column_id: str, vendors: Board) -> dict[str, Any]:
    match column_id:
        case "vendor_link":
            return {"boardIds": [int(vendors.id)], "allowMultipleItems": False}
        case "amount":
            return {"unit": {"symbol": "", "custom_unit": None, "direction": "left", "precision": 2}}
        case "currency":
            texts = ("USD", "EUR", "GBP")
            return {"labels": [{"id": n, "label": text, "is_deactivated": False} for n, text in enumerate(texts, start=1)]}
        case "approval":
            labels = (("Open", 0), ("Approved", 1), ("Rejected", 2), ("Paid", 6))
            return {
                "labels": [status_label(text, number, n, is_done=number in (1, 6)) for n, (text, number) in enumerate(labels)]
            }
    return {}


def put(state: State, board: Board, name: str, values: dict[str, Any], now: datetime) -> str:
    """Place an item with stored values as they are, past all checks."""
    group_id, creator = board.live_groups()[0].id, next(iter(state.users))
    item = building.new_item(state, board, name, group_id=group_id, now=now, creator_id=creator)
    for column_id, value in values.items():
        building.store(state, item, board.columns[column_id], value, now)
    return item.id


def bills(state: State, board: Board, n: int, now: datetime) -> list[str]:
    """Put ``n`` more believable bills on a board, filling the columns it has."""
    first = len(board.active) + 1
    return [put(state, board, f"Bill {number:05}", _bill(board, number, now), now) for number in range(first, first + n)]


def _bill(board: Board, number: int, now: datetime) -> dict[str, Any]:
    name, mail, _, _ = VENDORS[number % len(VENDORS)]
    day = (now - timedelta(days=number % 60)).date()
    amount = Decimal(1250 + 17 * (number % 400)) + Decimal(number % 100) / 100
    stored: dict[str, Any] = {
        "bill_key": f"sample:bill:{number}",
        "vendor": name,
        "amount": f"{amount:.2f}",
        "currency": [1 + number % 2],
        "bill_date": {"date": day.isoformat()},
        "due_date": {"date": (day + timedelta(days=30)).isoformat()},
        "approval": (0, 1, 0, 6)[number % 4],
        "gl_code": f"{4000 + 10 * (number % 5)}-01-00",
        "contact": {"email": mail, "text": mail},
    }
    return {column_id: value for column_id, value in stored.items() if _fits(board.columns.get(column_id), column_id)}


def _fits(column: Column | None, column_id: str) -> bool:
    return column is not None and column.type == BILL_TYPES[column_id]

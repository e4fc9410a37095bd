"""From writes to the exact body of one call, and from its answer back to one outcome per write."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from integrations.errors import IntegrationError, RecordRejected, VendorUnavailable
from integrations.types import Batch, Done, Write
from integrations.vendors.monday import subitems
from integrations.vendors.monday.boards import Board, split_place
from integrations.vendors.monday.calls import Reply
from integrations.vendors.monday.catalogue import kind_of
from integrations.vendors.monday.complaints import Complaint
from integrations.vendors.monday.documents import alias
from integrations.vendors.monday.errors import detail_of, error_of
from integrations.vendors.monday.objects import Unfit, as_column_values, encode
from integrations.vendors.monday.preparing import Found
from integrations.vendors.monday.puts import Put, move_alias, write_items
from integrations.vendors.monday.texts import cut_value, plain_text
from mappings.fields import Column, Value

NOTHING: Final = Found()


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an answer says of one write: its item, or the error beside it; neither when its outcome is open."""

    done: Done | None = None
    error: IntegrationError | None = None
    complaint: Complaint | None = None

    @property
    def is_open(self) -> bool:
        return self.done is None and self.error is None


def by_board(writes: Sequence[Write], place: str) -> Iterator[list[Write]]:
    """Writes by the board they go to, in the order in which boards first appear."""
    boards: dict[str, list[Write]] = {}
    for write in writes:
        boards.setdefault(split_place(place_of(write, place))[0], []).append(write)
    yield from boards.values()


def place_of(write: Write, place: str) -> str:
    """Where a write goes: what is made below an item goes to the board of subitems."""
    where = write.place or place
    return subitems.place_of(where) if write.parent_id else where


def body_of(writes: Sequence[Write], board: Board, place: str, now: datetime, found: Found = NOTHING) -> str:
    """The body that carries these writes; "" when none of them can be sent.

    A write with a value that its column cannot hold gets no alias: ``misfit`` says why, and its neighbours go out.
    """
    puts = {n: _put(write, board, place, now, found) for n, write in enumerate(writes) if misfit(write, board) is None}
    if not puts:
        return ""
    document, variables = write_items(board.id, puts)
    return document.body(variables)


def misfit(write: Write, board: Board) -> RecordRejected | None:
    """Why this write cannot be sent as it is: every column that cannot hold its value. None when it can."""
    found: dict[str, str] = {}
    for column, value in _going(write, board):
        try:
            encode(column, value)
        except Unfit as error:
            found[column.id] = f"“{column.title}”: {error}."
    if not found:
        return None
    return RecordRejected(" ".join(found.values()), columns=tuple(found), vendor="monday", operation="WriteItems")


def _going(write: Write, board: Board) -> list[tuple[Column, Value]]:
    """What can go out with this write: a deferred column waits until its item exists, and nobody is told of that."""
    columns = [(board.column(column_id), value) for column_id, value in write.values.items()]
    return [(column, value) for column, value in columns if not (write.creates and column.deferred)]


def _put(write: Write, board: Board, place: str, now: datetime, found: Found) -> Put:
    if write.archives:
        return Put(item_id=write.target_id, archives=True)
    going = _going(write, board)
    values = {column.id: encode(column, found.merged(write, column, v) if column.deferred else v) for column, v in going}
    name = values.pop("name", None)
    values |= stamp(board, now)
    if not write.creates:
        values |= {"name": name} if name else {}  # a name cannot be cleared
        values |= {board.ours["key"]: write.key} if write.rekeys and "key" in board.ours else {}
        move = found.moves.get(write.target_id)
        return Put(item_id=write.target_id, column_values=as_column_values(values), move=move)
    values |= {board.ours["key"]: write.key} if "key" in board.ours else {}
    called = name or name_of(write)
    if write.parent_id:
        return Put(name=called, parent=write.parent_id, column_values=as_column_values(values))
    return Put(name=called, group=split_place(write.place or place)[1], column_values=as_column_values(values))


def stamp(board: Board, now: datetime) -> dict[str, Any]:
    """The last-synced column, in UTC."""
    now = now.astimezone(UTC)
    column = board.ours.get("synced")
    return {column: {"date": now.date().isoformat(), "time": now.strftime("%H:%M:%S")}} if column else {}


def name_of(write: Write) -> str:
    """How an item is called that nobody mapped a name to."""
    return cut_value(plain_text(write.label)).strip() or cut_value(write.key)


def sent_values(batch: Batch) -> dict[int, Mapping[str, Any]]:
    """The column values that a body really holds, by position: the body is the truth, not what we would send today."""
    variables = json.loads(batch.body)["variables"] if batch.body else {}
    positions = [n for n in range(len(batch.writes)) if f"item{n}" in variables or f"name{n}" in variables]
    return {n: json.loads(variables.get(f"values{n}", "{}")) for n in positions}


def sent_name(batch: Batch, position: int) -> str:
    """The name that the body gives to a new item."""
    return str(json.loads(batch.body)["variables"][f"name{position}"])


def tell(batch: Batch, reply: Reply, now: datetime) -> dict[int, Told]:
    """What the answer says of each write that was in the body; of a write with a move, what went wrong first."""
    variables = json.loads(batch.body)["variables"] if batch.body else {}
    told = {}
    for n in sent_values(batch):
        moves = f"item{n}" in variables and (f"group{n}" in variables or f"into{n}" in variables)
        steps = [_told(batch.writes[n], name, reply, now) for name in ((move_alias(n),) if moves else ()) + (alias(n),)]
        told[n] = next((each for each in steps if each.done is None), steps[-1])
    return told


def _told(write: Write, name: str, reply: Reply, now: datetime) -> Told:
    item = reply.data.get(name)
    if isinstance(item, Mapping) and item.get("id"):
        return Told(done=Done(external_id=write.external_id, target_id=str(item["id"])))
    mine = [each for each in reply.complaints if each.path[:1] == (name,)]
    general = [each for each in reply.complaints if not each.path]
    for complaint in mine or general:
        error = error_of(complaint, operation="WriteItems", now=now, of_record=True)
        if isinstance(error, VendorUnavailable):
            return Told(complaint=complaint)
        return Told(error=error, complaint=complaint)
    return Told()


def refusal(told: Told, write: Write, values: Mapping[str, Any], board: Board) -> RecordRejected:
    """The error of one write with the columns that may be the cause: the named one, those of the named type, else all of them."""
    complaint = told.complaint or Complaint(message="")
    if said := _as_a_whole(complaint, write):
        return RecordRejected(
            said, vendor="monday", operation="WriteItems", detail=detail_of(complaint), request_id=complaint.request_id
        )
    columns = _suspects(complaint, told.error, values, board, creates=write.creates)
    titles = " or ".join(f"“{board.column(each).title}”" for each in columns if each in _ids(board)) or "this item"
    return RecordRejected(
        f"Monday.com does not accept the value for {titles}: “{complaint.message}”. Correct the mapping or the board.",
        columns=columns, vendor="monday", operation="WriteItems", detail=detail_of(complaint), request_id=complaint.request_id,
    )  # fmt: skip


def _as_a_whole(complaint: Complaint, write: Write) -> str:
    """The sentence for a refusal that no column is to blame for; "" for all others."""
    if write.archives:
        return f"Monday.com does not archive this item: “{complaint.message}”. Archive it there, or ask the board's owner."
    if str((complaint.path or ("",))[0]).startswith("m"):
        return f"Monday.com does not move this item: “{complaint.message}”. Move it there, or choose another board or group."
    if write.creates and write.parent_id and is_missing(complaint):
        return "The item that this line belongs to is no longer on the Monday.com board."
    return ""


def is_missing(complaint: Complaint) -> bool:
    return complaint.code.replace("_", "").casefold() == "resourcenotfoundexception"


def _suspects(
    complaint: Complaint, error: IntegrationError | None, values: Mapping[str, Any], board: Board, *, creates: bool
) -> tuple[str, ...]:
    ours = set(board.ours.values())
    sent = tuple(each for each in values if each not in ours)
    named = str(complaint.data.get("column_id") or "")
    if named in sent:
        return (named,)
    if isinstance(error, RecordRejected) and error.columns:
        return error.columns
    kind = kind_of(str(complaint.data.get("column_type") or ""))
    of_kind = tuple(each for each in sent if each in _ids(board) and board.column(each).kind == kind)
    return of_kind or sent


def _ids(board: Board) -> set[str]:
    return {each.id for each in board.schema.columns}

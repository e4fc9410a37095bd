"""Carrying out a bulk import: every row is checked, matched with an item of the board, and created or updated.

Rows stand for themselves: a bad one is left out and told in the report, the others are written.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import building, cells
from .answers import Refused
from .jobs import Job
from .labels import Labels
from .limits import Limits
from .readings import Reading, keys
from .sheets import Rejected, Sheet, read
from .state import Board, Column, Item, State
from .values import KEEP, Write

CLEAR = "<NULL>"
MATCHABLE = frozenset({"date", "email", "link", "long_text", "name", "numbers", "phone", "status", "text"})


@dataclass(kw_only=True)
class Row:
    serial: int
    name: str
    values: dict[str, Any] = field(default_factory=dict)  # column id -> stored value, None to empty it
    errors: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    match: Item | None = None
    status: str = ""
    item_id: str = ""

    @property
    def is_open(self) -> bool:
        return not self.status

    def close(self, status: str) -> None:
        self.status = status


@dataclass(kw_only=True)
class Import:
    """One job at the moment it is due."""

    state: State
    limits: Limits
    job: Job
    now: datetime
    most_bytes: int

    def run(self) -> None:
        job = self.job
        try:
            if job.fate.rejected:
                raise Rejected(job.fate.rejected, job.fate.message)
            sheet = read(job.body, most_bytes=self.most_bytes)
            board = self._board()
            rows = self._rows(sheet, sheet.columns(board, job.match_column_id), board)
            self._refuse_too_many(rows, board)
        except Rejected as rejected:
            job.end("REJECTED", rejected.reason, None if rejected.reason == "INTERNAL_ERROR" else rejected.message)
            return
        is_whole = self._write(rows, board)
        job.report = report(sheet.column_ids, rows)
        job.end("COMPLETED") if is_whole else job.end("FAILED", "INTERNAL_ERROR")

    def _board(self) -> Board:
        board = self.state.boards[self.job.board_id]
        if board.state != "active":
            raise Rejected("PERMISSION_DENIED", "The board can not be written any more")
        return board

    def _rows(self, sheet: Sheet, columns: dict[str, Column], board: Board) -> list[Row]:
        labels = Labels(may_create=False)  # an import never makes labels
        writes = [Write(column=column, board=board, state=self.state, labels=labels) for column in columns.values()]
        match = board.columns.get(self.job.match_column_id)
        scratch = Item(
            id="", name="", board=board, group_id="", created_at=self.now, updated_at=self.now, creator_id=self.job.user.id
        )
        rows = [self._row(serial, line, writes) for serial, line in enumerate(sheet.rows, start=1)]
        for row in rows if match else ():
            assert match is not None
            row.key = _key(row, match, Reading(scratch, match, self.state))
        self._matched(rows, board)
        return rows

    def _row(self, serial: int, line: Sequence[str], writes: Sequence[Write]) -> Row:
        row = Row(serial=serial, name=line[0].strip())
        for write, cell in zip(writes, line[1:], strict=True):
            if not cell.strip():
                continue
            if cell == CLEAR and self.job.behaviour == "UPSERT":
                row.values[write.column.id] = None
                continue
            try:
                value = cells.stored(cell, write)
            except Refused as refused:
                row.errors[write.column.id] = refused.message
                continue
            if value is not KEEP:
                row.values[write.column.id] = value
        return row

    def _matched(self, rows: list[Row], board: Board) -> None:
        """Find the item of each row, and settle the rows that will not be written."""
        last = {row.key: row.serial for row in rows if row.key}
        entries = board.index.get(self.job.match_column_id, {})
        for row in rows:
            if row.key and last[row.key] != row.serial:
                row.close("skipped")
                continue
            hits = [item_id for item_id in entries.get(row.key, ()) if item_id in board.active] if row.key else []
            row.match = board.active[max(hits, key=int)] if hits else None  # ids grow: the largest is the newest
            self._judge(row)

    def _judge(self, row: Row) -> None:
        try:
            if row.name or row.match is None:
                building.checked_name(row.name)
        except Refused as refused:
            row.errors["name"] = refused.message
        if row.errors:
            row.close("validation_error")
        elif row.match is not None and self.job.behaviour == "SKIP":
            row.close("skipped")

    def _refuse_too_many(self, rows: list[Row], board: Board) -> None:
        to_write = [row for row in rows if row.is_open]
        if len(to_write) > self.limits.import_room(self.now):
            raise Rejected("ACCOUNT_CAPACITY_EXCEEDED", "The account may not import that many items this hour")
        if len(board.active) + sum(row.match is None for row in to_write) > board.items_limit:
            raise Rejected("BOARD_CAPACITY_EXCEEDED", "The board has no room for that many items")

    def _write(self, rows: list[Row], board: Board) -> bool:
        """Write the rows one by one; False when the job broke on the way."""
        counts, fate, n_done = self.job.counts, self.job.fate, 0
        counts.submitted = len(rows)
        counts.skipped = sum(row.status == "skipped" for row in rows)
        counts.invalid = sum(row.status == "validation_error" for row in rows)
        for row in rows:
            if not row.is_open:
                continue
            if fate.breaks_after is not None and n_done >= fate.breaks_after:
                return False
            n_done += 1
            if row.serial - 1 in fate.refused_rows:
                row.errors["name"] = "The item could not be written"
                row.close("execution_error")
                counts.failed += 1
                continue
            self._write_row(row, board)
        return True

    def _write_row(self, row: Row, board: Board) -> None:
        counts, item = self.job.counts, row.match
        if item is None:
            counts.created += 1
            item = building.new_item(
                self.state, board, row.name, group_id=self._group(board), now=self.now, creator_id=self.job.user.id
            )
        else:
            counts.updated += 1
            if row.name and row.name != item.name:
                building.rename(self.state, item, row.name, self.now)
        self.limits.imported(1, self.now)
        for column_id, value in row.values.items():
            building.store(self.state, item, board.columns[column_id], value, self.now)
        row.item_id = item.id
        row.close("success")

    def _group(self, board: Board) -> str:
        """The group asked for, or the first one when that is gone by now."""
        live = [group.id for group in board.live_groups()]
        return self.job.group_id if self.job.group_id in live else live[0]


def _key(row: Row, match: Column, reading: Reading) -> str | None:
    """What items are matched by: the same key that look-ups by value use."""
    if match.type == "name":
        return row.name.casefold() or None
    value = row.values.get(match.id)
    if value is None:
        return None
    reading.item.values[match.id] = value
    found = keys(match.type, value, reading)
    return found[0] if found else None


def report(column_ids: Sequence[str], rows: Sequence[Row]) -> bytes:
    """One line per row of the file, with a column of its own for what was wrong in each column."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["serialNo", "status", "itemId", "error", *column_ids])
    for row in rows:
        error = "; ".join(f"[{column_id}]: {message}" for column_id, message in row.errors.items())
        told = [row.errors.get(column_id, "") for column_id in column_ids]
        writer.writerow([row.serial, row.status or "not_processed", row.item_id, error, *told])
    return out.getvalue().encode()

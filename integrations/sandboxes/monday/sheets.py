"""An uploaded CSV file as a table, or the reason for which the whole of it is rejected."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from .state import Board, Column

MOST_ROWS = 10_000
RELATIONS = 5


class Rejected(Exception):
    """The job is rejected; nothing of the file is written."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Column ids of the head without "name", and the rows with the name in front."""

    column_ids: list[str]
    rows: list[list[str]]

    def columns(self, board: Board, match_column_id: str) -> dict[str, Column]:
        """The board's columns that the head names."""
        live = {column.id: column for column in board.live_columns()}
        unknown = [column_id for column_id in self.column_ids if column_id not in live or column_id == "name"]
        if unknown:
            raise Rejected("INVALID_UPLOAD", f"The board has no column with the id {', '.join(map(repr, unknown))}")
        if match_column_id not in ("", "name", *self.column_ids):
            raise Rejected("INVALID_UPLOAD", f"The file has no column {match_column_id!r} to match items by")
        found = {column_id: live[column_id] for column_id in self.column_ids}
        if _n_relations(found) > RELATIONS:
            raise Rejected("INVALID_UPLOAD", f"At most {RELATIONS} columns with connected items can be imported at once")
        return found


def _n_relations(columns: Mapping[str, Column]) -> int:
    return sum(column.type == "board_relation" for column in columns.values())


def read(body: bytes, *, most_bytes: int) -> Sheet:
    if len(body) > most_bytes:
        raise Rejected("FILE_TOO_LARGE", "The file is too large")
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Rejected("INVALID_UPLOAD", f"The file is no CSV in UTF-8: {error}") from None
    if not lines or lines[0][0] != "name":
        raise Rejected("INVALID_UPLOAD", 'The first column of the file is "name"')
    head, *rows = lines
    if len(set(head)) < len(head):
        raise Rejected("INVALID_UPLOAD", "A column stands twice in the head of the file")
    if any(len(row) != len(head) for row in rows):
        raise Rejected("INVALID_UPLOAD", "Each row has as many values as the head of the file")
    if len(rows) > MOST_ROWS:
        raise Rejected("INVALID_UPLOAD", f"At most {MOST_ROWS} rows can be imported at once")
    return Sheet(column_ids=head[1:], rows=rows)


def n_rows(body: bytes) -> int:
    """How many rows were submitted, also of a file that will be rejected."""
    try:
        return len(read(body, most_bytes=len(body)).rows)
    except Rejected:
        return 0

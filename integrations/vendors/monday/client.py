"""Which calls we make: one method per call, a parsed answer or one of our errors, never a raw response. How: ``calls.py``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from integrations.errors import ContractBroken, VendorUnavailable
from integrations.vendors.monday import documents
from integrations.vendors.monday.calls import INCOMPLETE, Calls, Reply
from integrations.vendors.monday.documents import NewColumn
from integrations.vendors.monday.forms import multipart

PAGE_OF_BOARDS: Final = 50
MOST_IDS: Final = 100  # ``items`` silently answers 25 unless it is told a limit, and refuses more than 100
BOARDS_PER_MINUTE: Final = 40
_BOARDS_LATER = "Monday.com lets nobody make more than 40 boards a minute. We go on by ourselves in the next minute."


class MondayClient(Calls):
    """Everything that is asked of Monday.com for one connection."""

    # -- reading -----------------------------------------------------------------------------------------------------------

    def me(self) -> Mapping[str, Any]:
        return self._read(documents.ME, {}, background=False)

    def daily_limit(self) -> int | None:
        """How many calls a day the account has; None where Monday.com does not say."""
        limit = self._read(documents.DAILY_LIMIT, {}, background=False, must_have="platform_api")["platform_api"].get(
            "daily_limit"
        )
        return (limit or {}).get("total")

    def boards(self, page: int) -> Sequence[Mapping[str, Any]]:
        """One page of the boards that this user sees, from page 1; a short one is the last."""
        found = self._read(documents.BOARDS, {"limit": PAGE_OF_BOARDS, "page": page}, background=False, must_have="boards")
        return [each for each in found["boards"] if each]

    def board(self, board: str) -> Mapping[str, Any] | None:
        """Its name, columns, groups and room; None for a board that is not there or not shown to this user."""
        found = self._read(documents.BOARD, {"boards": [board]}, must_have="boards")["boards"]
        return found[0] if found else None

    def first_keys(self, board: str, key_column: str, limit: int) -> Mapping[str, Any]:
        """The first page of a walk over a board: {"cursor", "items"}."""
        variables = {"boards": [board], "key": key_column, "limit": limit}
        found = self._read(documents.FIRST_KEYS, variables, must_have="boards")["boards"]
        page: Mapping[str, Any] = found[0]["items_page"] if found else {"cursor": None, "items": []}
        return page

    def newest_keys(self, board: str, key_column: str, limit: int) -> Mapping[str, Any]:
        """The first page of a walk that begins with the item that was made last."""
        found = self._read(documents.NEWEST_KEYS, {"boards": [board], "key": key_column, "limit": limit}, must_have="boards")[
            "boards"
        ]
        page: Mapping[str, Any] = found[0]["items_page"] if found else {"cursor": None, "items": []}
        return page

    def first_items(self, board: str, columns: Sequence[str], limit: int) -> Mapping[str, Any]:
        """The first page of a walk over a board's active items with these columns: {"cursor", "items"}."""
        found = self._read(
            documents.FIRST_ITEMS, {"boards": [board], "columns": list(columns), "limit": limit}, must_have="boards"
        )
        page: Mapping[str, Any] = found["boards"][0]["items_page"] if found["boards"] else {"cursor": None, "items": []}
        return page

    def next_items(self, cursor: str, columns: Sequence[str], limit: int) -> Mapping[str, Any]:
        """A further page. Raises CursorExpired 60 minutes after the first one was read."""
        variables = {"cursor": cursor, "columns": list(columns), "limit": limit}
        page: Mapping[str, Any] = self._read(documents.NEXT_ITEMS, variables, must_have="next_items_page")["next_items_page"]
        return page

    def next_keys(self, cursor: str, key_column: str, limit: int) -> Mapping[str, Any]:
        """A further page. Raises CursorExpired 60 minutes after the first one was read."""
        variables = {"cursor": cursor, "key": key_column, "limit": limit}
        page: Mapping[str, Any] = self._read(documents.NEXT_KEYS, variables, must_have="next_items_page")["next_items_page"]
        return page

    def by_key(self, board: str, key_column: str, keys: Sequence[str], limit: int) -> Mapping[str, Any]:
        """Active items whose key is one of up to 100; the vendor compares without case and lags writes by some 30 s."""
        variables = {"board": board, "key": key_column, "keys": list(keys), "limit": limit}
        found = self._read(documents.BY_KEY, variables, must_have="items_page_by_column_values")
        page: Mapping[str, Any] = found["items_page_by_column_values"]
        return page

    def items(self, ids: Sequence[str], columns: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Up to 100 items with these columns, archived and deleted ones too."""
        variables = {"ids": list(ids), "limit": MOST_IDS, "columns": list(columns)}
        return [each for each in self._read(documents.ITEMS, variables, must_have="items")["items"] if each]

    def subitems(self, parents: Sequence[str], columns: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """The subitems of up to 100 items with these columns."""
        variables = {"ids": list(parents), "limit": MOST_IDS, "columns": list(columns)}
        found = self._read(documents.SUBITEMS, variables, must_have="items")["items"]
        return [each for parent in found if parent for each in parent.get("subitems") or [] if each]

    def states(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The state of up to 100 items by id; those that are gone altogether are absent."""
        found = self._read(documents.ITEM_STATES, {"ids": list(ids), "limit": MOST_IDS}, must_have="items")["items"]
        return {str(each["id"]): str(each.get("state") or "active") for each in found if each}

    # -- writing -----------------------------------------------------------------------------------------------------------

    def create_columns(self, board: str, columns: Sequence[NewColumn], *, key: str) -> Reply:
        document, variables = documents.create_columns(board, columns)
        return self._mutate(board, document.body(variables), key=key, operation=document.name, n_writes=0)

    def create_board(self, name: str, kind: str) -> str:
        """A new board without sample items; at most 40 a minute, whatever the plan."""
        self._login.budgets.spend("create_board", 1, limit=BOARDS_PER_MINUTE, window=timedelta(minutes=1), said=_BOARDS_LATER)
        body = documents.CREATE_BOARD.body({"name": name, "kind": kind})
        reply = self._mutate("new", body, key=str(uuid4()), operation="CreateBoard", n_writes=0)
        return str(self._made(reply, "create_board", "CreateBoard")["id"])

    def start_job(self, board: str, group: str, key_column: str) -> tuple[str, str]:
        """A job that makes or updates items by our key, and the address that its file goes to. By itself it changes nothing."""
        body = documents.START_JOB.body({"board": board, "group": group, "key": key_column})
        reply = self._mutate(board, body, key=str(uuid4()), operation="StartJob", n_writes=0)
        job = self._made(reply, "ingest_items", "StartJob")
        return str(job["job_id"]), str(job["upload_url"])

    def job(self, job: str) -> Mapping[str, Any]:
        """How far a job is: its status, what was wrong, and its counts."""
        told: Mapping[str, Any] = self._read(documents.JOB, {"job": job}, must_have="fetch_job_status")["fetch_job_status"]
        return told

    def upload(self, address: str, text: str) -> bool:
        """Put a job's file where the vendor said. False when it certainly was not taken. Our token stays out of it."""
        if not self._may_go_to(address):
            raise ContractBroken(
                "Monday.com named an address for an upload that we do not follow. We are looking into it.",
                vendor="monday", operation="Upload", detail=f"host {urlsplit(address).hostname}",
            )  # fmt: skip
        headers = {"Content-Type": "text/csv; charset=utf-8"}
        try:
            answer = self._login.http.send("PUT", address, operation="Upload", headers=headers, content=text.encode())
        except VendorUnavailable as error:
            if error.may_have_acted:
                raise
            return False
        if answer.status >= 500:
            raise VendorUnavailable(
                "Monday.com did not finish the upload. We find out by ourselves what became of it.",
                status=answer.status, vendor="monday", operation="Upload",
            )  # fmt: skip
        return answer.status < 300

    def _may_go_to(self, address: str) -> bool:
        """An encrypted address, or the very host that we speak to anyway."""
        told, own = urlsplit(address), urlsplit(self._login.base_url)
        return bool(told.hostname) and (told.scheme == "https" or (told.scheme, told.netloc) == (own.scheme, own.netloc))

    def files(self, item: str, column: str) -> Mapping[str, str]:
        """The files in a column of an item: name → asset id."""
        found = self._read(documents.FILES, {"ids": [item], "columns": [column]}, must_have="items")["items"]
        cells = [cell for each in found if each for cell in each.get("column_values") or []]
        files = [file for cell in cells for file in cell.get("files") or [] if file.get("asset_id")]
        return {str(each["name"]): str(each["asset_id"]) for each in files}

    def add_file(self, board: str, item: str, column: str, filename: str, content: bytes, *, key: str) -> str:
        """Put a file into a column and answer its asset id."""
        form, kind = multipart(documents.ADD_FILE, {"item": item, "column": column}, filename, content)
        reply = self._mutate(board, form, key=key, operation="AddFile", n_writes=0, path="/file", content_type=kind)
        return str(self._made(reply, "add_file_to_column", "AddFile")["id"])

    def _made(self, reply: Reply, name: str, operation: str) -> Mapping[str, Any]:
        """What a mutation of a single field answered; raises what was said instead."""
        self._raise_all(reply.complaints, operation)
        made = reply.data.get(name)
        if not isinstance(made, Mapping):
            raise ContractBroken(INCOMPLETE, vendor="monday", operation=operation, detail=f"no {name}")
        return made

    def write_items(self, board: str, body: str, *, key: str, n_writes: int) -> Reply:
        """Send the exact body of a batch. Raises when the outcome is open, or when the whole document was refused."""
        return self._mutate(board, body, key=key, operation="WriteItems", n_writes=n_writes)

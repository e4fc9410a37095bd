"""Bulk imports: a job, a CSV put at an address, a status to poll, a report."""

import csv
import io
from typing import Any
from urllib.parse import urlsplit

import pytest

from integrations.sandboxes.core import ConnectionCut
from integrations.sandboxes.monday.limits import JOBS_PER_HOUR
from tests.sandboxes.test_monday import Monday, Reply, a_monday

START = """mutation ($b: ID!, $g: ID!, $m: OnMatchInput) {
  ingest_items(board_id: $b, group_id: $g, on_match: $m) { job_id upload_url } }"""
STATUS = """query ($j: ID!) { fetch_job_status(job_id: $j) { ... on ItemsJobStatus { status progress_percentage fully_imported
  counts { submitted invalid skipped created updated failed } failure_reason failure_message report_created report_url } } }"""
BY_KEY = {"match_column_id": "bill_key", "behaviour": "UPSERT"}
ENDED = {"submitted": 0, "invalid": 0, "skipped": 0, "created": 0, "updated": 0, "failed": 0}


def start(monday: Monday, match: Any = BY_KEY, group: str = "topics", board: str = "") -> Reply:
    return monday.ask(START, b=board or monday.bills, g=group, m=match)


def at(monday: Monday, url: str, body: bytes = b"", method: str = "PUT", **headers: str) -> Reply:
    """A call to one of the signed addresses, without a token."""
    parts = urlsplit(url)
    where = {"REQUEST_METHOD": method, "PATH_INFO": parts.path, "QUERY_STRING": parts.query, "CONTENT_TYPE": "text/csv"}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return monday.send(body or b" ", {"Authorization": "", **sent}, **where)


def sheet(*rows: tuple[Any, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def status(monday: Monday, job: str) -> dict[str, Any]:
    return dict(monday.ask(STATUS, j=job).data["fetch_job_status"])


def ingest(monday: Monday, *rows: tuple[Any, ...], match: Any = BY_KEY, body: bytes = b"") -> dict[str, Any]:
    job = start(monday, match).data["ingest_items"]
    assert at(monday, job["upload_url"], body or sheet(*rows)).status == 200
    return status(monday, job["job_id"])


def told(monday: Monday, found: dict[str, Any]) -> list[dict[str, str]]:
    reply = at(monday, found["report_url"], method="GET")
    assert reply.status == 200 and reply.headers["Content-Type"] == "text/csv"
    return list(csv.DictReader(io.StringIO(reply.raw.decode())))


def bills(monday: Monday) -> list[dict[str, Any]]:
    return monday.world.board_items("AP bills")


def test_an_import_creates_items_with_their_values() -> None:
    monday = a_monday()
    vendor = monday.world.board_items("Vendors")[0]
    values = {
        "bill_key": "sample:bill:1", "vendor": 'Northwind, "Paper"', "vendor_link": vendor["id"], "amount": "12.50",
        "currency": "EUR", "bill_date": "2026-11-30", "approval": "Approved", "lines": "a\nb",
        "document": "[Bill 1](https://x.example/1)", "contact": "Ann <ann@x.example>", "contact_phone": "+12025550169",
        "approver": "tom.reyes@harborpine.example", "needs_review": "yes", "last_synced": "2026-11-30 08:15",
    }  # fmt: skip
    found = ingest(monday, ("name", *values), ("Bill 1", *values.values()))
    assert found["status"] == "COMPLETED" and found["fully_imported"] and found["progress_percentage"] == 100
    assert found["counts"] == ENDED | {"submitted": 1, "created": 1}
    shown = bills(monday)[0]["columns"]
    assert shown["vendor"] == values["vendor"] and shown["amount"] == "12.50" and shown["currency"] == "EUR"
    assert shown["vendor_link"] == "Northwind Paper" and shown["approval"] == "Approved" and shown["lines"] == "a\nb"
    assert shown["document"] == "Bill 1 - https://x.example/1" and shown["contact"] == "Ann"
    assert shown["contact_phone"] == "+12025550169" and shown["approver"] == "Tom Reyes" and shown["needs_review"] == "v"
    assert shown["last_synced"] == "2026-11-30 08:15"
    assert told(monday, found) == [
        {"serialNo": "1", "status": "success", "itemId": bills(monday)[0]["id"], "error": "", **dict.fromkeys(values, "")}
    ]


def test_an_upsert_updates_the_match_leaves_empty_cells_alone_and_clears_where_told() -> None:
    monday = a_monday()
    ingest(monday, ("name", "bill_key", "amount", "vendor", "po_number"), ("Bill 1", "k1", "10", "X", "PO-1"))
    found = ingest(monday, ("name", "bill_key", "amount", "vendor", "po_number"), ("", "K1", "11", " ", "<NULL>"))
    assert found["counts"] == ENDED | {"submitted": 1, "updated": 1}
    assert len(bills(monday)) == 1 and bills(monday)[0]["name"] == "Bill 1"
    shown = bills(monday)[0]["columns"]
    assert (shown["amount"], shown["vendor"], shown["po_number"]) == ("11", "X", "")


def test_the_same_file_twice_creates_nothing_twice() -> None:
    monday = a_monday()
    rows = (("name", "bill_key"), ("A", "1"), ("B", "2"))
    ingest(monday, *rows)
    assert ingest(monday, *rows)["counts"] == ENDED | {"submitted": 2, "updated": 2}
    assert [item["name"] for item in bills(monday)] == ["A", "B"]


def test_without_a_match_rule_and_without_a_key_every_row_is_a_new_item() -> None:
    monday = a_monday()
    ingest(monday, ("name", "bill_key"), ("A", "1"), ("A", "1"), match=None)
    ingest(monday, ("name", "bill_key"), ("A", ""), ("A", ""))
    assert len(bills(monday)) == 4


def test_of_equal_keys_in_one_file_the_last_row_wins() -> None:
    monday = a_monday()
    found = ingest(monday, ("name", "bill_key"), ("First", "k"), ("Other", "o"), ("Last", "K"))
    assert found["counts"] == ENDED | {"submitted": 3, "skipped": 1, "created": 2}
    assert sorted(item["name"] for item in bills(monday)) == ["Last", "Other"]
    assert [row["status"] for row in told(monday, found)] == ["skipped", "success", "success"]


def test_of_several_matching_items_the_newest_is_updated() -> None:
    monday = a_monday()
    old = monday.create("Old", {"bill_key": "k"}).data["create_item"]["id"]
    new = monday.world.duplicate_item(old)
    ingest(monday, ("name", "bill_key"), ("Updated", "k"))
    assert {item["id"]: item["name"] for item in bills(monday)} == {old: "Old", new: "Updated"}


def test_skip_leaves_matching_items_alone() -> None:
    monday = a_monday()
    ingest(monday, ("name", "bill_key"), ("A", "1"))
    found = ingest(monday, ("name", "bill_key"), ("B", "1"), ("C", "2"), match=BY_KEY | {"behaviour": "SKIP"})
    assert found["counts"] == ENDED | {"submitted": 2, "skipped": 1, "created": 1}
    assert [item["name"] for item in bills(monday)] == ["A", "C"]


@pytest.mark.parametrize(
    ("column", "cell"),
    [("name", "Same"), ("amount", "12.500"), ("bill_date", "2026-11-30"), ("approval", "Paid"), ("contact", "a@b.example"),
     ("lines", "line"), ("document", "https://x.example/1"), ("contact_phone", "+12025550169")],
)  # fmt: skip
def test_items_are_matched_by_these_column_types(column: str, cell: str) -> None:
    monday = a_monday()
    rows = (("name",), ("Same",)) if column == "name" else (("name", column), ("Same", cell))
    match = {"match_column_id": column, "behaviour": "UPSERT"}
    assert [ingest(monday, *rows, match=match)["counts"]["created"] for _ in range(2)] == [1, 0]
    assert len(bills(monday)) == 1


def test_new_items_go_to_the_group_named_and_matches_stay_where_they_are() -> None:
    monday = a_monday()
    ingest(monday, ("name", "bill_key"), ("A", "1"))
    job = start(monday, group="paid").data["ingest_items"]
    at(monday, job["upload_url"], sheet(("name", "bill_key"), ("A", "1"), ("B", "2")))
    assert [item["group"] for item in bills(monday)] == ["topics", "paid"]


BAD_CELLS = [
    ("amount", "1,234.50"), ("bill_date", "30.11.2026"), ("approval", "Nearly"), ("approval", "0"), ("currency", "USD, YEN"),
    ("document", "x.example"), ("contact", "nobody"), ("contact_phone", "555"), ("approver", "Nobody"), ("needs_review", "maybe"),
    ("lines", "x" * 2_001), ("vendor_link", "No such vendor"), ("vendor_link", "Keller Maschinenbau, Northwind Paper"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cell"), BAD_CELLS)
def test_a_bad_cell_costs_its_row_only(column: str, cell: str) -> None:
    monday = a_monday()
    found = ingest(monday, ("name", "bill_key", column), ("Bad", "1", cell), ("Good", "2", ""))
    assert found["status"] == "COMPLETED" and found["counts"] == ENDED | {"submitted": 2, "invalid": 1, "created": 1}
    assert [item["name"] for item in bills(monday)] == ["Good"]
    bad = told(monday, found)[0]
    assert bad["status"] == "validation_error" and bad[column] and bad[column] in bad["error"] and not bad["itemId"]


def test_a_new_item_needs_a_name_and_labels_are_never_made() -> None:
    monday = a_monday()
    found = ingest(monday, ("name", "bill_key", "currency"), ("", "1", ""), ("x" * 256, "2", ""), ("A", "3", "YEN"))
    assert found["counts"]["invalid"] == 3 and bills(monday) == []


REJECTED = [
    b"title,bill_key\nA,1\n", b"name;bill_key\nA;1\n", b"name,Source ID\nA,1\n", b"name,bill_key\nA\n", b"name,amount\nA,1\n",
    b"name,bill_key,bill_key\nA,1,1\n", b'name,bill_key\n"A,1\n', "name,bill_key\nÄ,1\n".encode("latin-1"), b" ",
    b"\xef\xbb\xbfname,bill_key\nA,1\n", b"name,bill_key\n" + b"A,1\n" * 10_001,
]  # fmt: skip


@pytest.mark.parametrize("body", REJECTED)
def test_a_file_of_the_wrong_form_is_rejected_as_a_whole(body: bytes) -> None:
    monday = a_monday()
    found = ingest(monday, body=body)
    assert found["status"] == "REJECTED" and found["failure_reason"] == "INVALID_UPLOAD" and found["failure_message"]
    assert not found["report_created"] and found["report_url"] is None and bills(monday) == []


def test_a_file_that_is_too_large_is_rejected() -> None:
    found = ingest(a_monday(ingest_bytes=10), ("name", "bill_key"), ("A", "1"))
    assert found["status"] == "REJECTED" and found["failure_reason"] == "FILE_TOO_LARGE"


def test_a_job_waits_for_its_file_and_takes_its_time() -> None:
    monday = a_monday(ingest_seconds=40)
    job = start(monday).data["ingest_items"]
    waiting = status(monday, job["job_id"])
    assert (waiting["status"], waiting["counts"], waiting["progress_percentage"]) == ("UPLOAD_PENDING", None, 0)
    reply = at(monday, job["upload_url"], sheet(("name", "bill_key"), ("A", "1")))
    assert reply.status == 200 and reply.headers["ETag"].startswith('"')
    monday.mounted.clock.advance(20)
    running = status(monday, job["job_id"])
    assert running["status"] == "PROCESSING" and running["counts"] == ENDED | {"submitted": 1}
    assert 49 <= running["progress_percentage"] <= 51 and not running["fully_imported"] and bills(monday) == []
    monday.mounted.clock.advance(20)
    assert [item["name"] for item in bills(monday)] == ["A"]
    assert status(monday, job["job_id"])["status"] == "COMPLETED"


def test_the_addresses_are_good_for_ten_minutes() -> None:
    monday = a_monday()
    late = start(monday).data["ingest_items"]
    found = ingest(monday, ("name", "bill_key"), ("A", "1"))
    monday.mounted.clock.advance(601)
    for reply in (at(monday, late["upload_url"], b"name\nB\n"), at(monday, found["report_url"], method="GET")):
        assert reply.status == 403 and b"Request has expired" in reply.raw
    assert status(monday, late["job_id"])["status"] == "UPLOAD_PENDING" and len(bills(monday)) == 1


def test_an_address_takes_no_checksum_no_token_and_no_change() -> None:
    monday = a_monday()
    url = start(monday).data["ingest_items"]["upload_url"]
    assert b"HeadersNotSigned" in at(monday, url, b"name\n", x_amz_checksum_crc32="AAAAAA==").raw
    assert at(monday, url, b"name\n", Authorization=monday.token).status == 400
    assert at(monday, url.replace("Expires=600", "Expires=900"), b"name\n").status == 403
    assert at(monday, url.partition("?")[0], b"name\n").status == 403
    assert at(monday, url, b"name\n", method="POST").status == 403


def test_a_file_sent_twice_for_one_job_is_imported_once() -> None:
    monday = a_monday()
    url = start(monday, None).data["ingest_items"]["upload_url"]
    assert [at(monday, url, b"name\nA\n").status for _ in range(2)] == [200, 200]
    assert len(bills(monday)) == 1


def test_a_lost_reply_of_the_upload_leaves_the_file_accepted() -> None:
    monday = a_monday()
    monday.mounted.faults.arm("upload_lost_reply")
    job = start(monday).data["ingest_items"]
    with pytest.raises(ConnectionCut):
        at(monday, job["upload_url"], b"name,bill_key\nA,1\n")
    assert status(monday, job["job_id"])["status"] == "COMPLETED" and len(bills(monday)) == 1
    assert monday.mounted.calls[-2]["operation"] == "upload" and monday.mounted.calls[-2]["status"] is None


def test_an_upload_can_be_refused_and_sent_again() -> None:
    monday = a_monday()
    monday.mounted.faults.arm("upload_refused")
    url = start(monday).data["ingest_items"]["upload_url"]
    assert [at(monday, url, b"name,bill_key\nA,1\n").status for _ in range(2)] == [503, 200]


def test_faults_reject_a_job_let_it_break_or_run_for_ever() -> None:
    monday = a_monday()
    monday.mounted.faults.arm("ingest_rejected", operation="ingest_items", reason="PERMISSION_DENIED")
    found = ingest(monday, ("name", "bill_key"), ("A", "1"))
    assert (found["status"], found["failure_reason"], bills(monday)) == ("REJECTED", "PERMISSION_DENIED", [])
    monday.mounted.faults.arm("ingest_failed", rows=1)
    found = ingest(monday, ("name", "bill_key"), ("A", "1"), ("B", "2"))
    assert (found["status"], found["failure_reason"], found["failure_message"]) == ("FAILED", "INTERNAL_ERROR", None)
    assert [item["name"] for item in bills(monday)] == ["A"] and not found["fully_imported"]
    assert [row["status"] for row in told(monday, found)] == ["success", "not_processed"]
    monday.mounted.faults.arm("ingest_never_ends")
    assert ingest(monday, ("name", "bill_key"), ("C", "3"))["status"] == "PROCESSING"


def test_a_row_can_be_refused_while_it_is_written() -> None:
    monday = a_monday()
    for index in (0, 2):
        monday.mounted.faults.arm("ingest_row_refused", index=index)
    found = ingest(monday, ("name", "bill_key"), ("A", "1"), ("B", "2"), ("C", "3"))
    assert found["status"] == "COMPLETED" and not found["fully_imported"]
    assert found["counts"] == ENDED | {"submitted": 3, "created": 1, "failed": 2}
    assert [row["status"] for row in told(monday, found)] == ["execution_error", "success", "execution_error"]


def test_a_hundred_jobs_can_be_started_in_an_hour() -> None:
    monday = a_monday()
    assert start(monday, group="nowhere").code == "InvalidArgumentException"  # nothing started, nothing counted
    assert {start(monday).status for _ in range(JOBS_PER_HOUR)} == {200}
    refused = start(monday)
    assert refused.status == 429 and refused.code == "RATE_LIMIT_EXCEEDED"
    assert 0 < refused.error["extensions"]["retryAfterMs"] <= 3_600_000
    monday.mounted.clock.advance(3_601)
    assert start(monday).status == 200


def test_nineteen_thousand_items_can_be_imported_in_an_hour_and_a_board_holds_what_it_holds() -> None:
    monday = a_monday(items_limit=3)
    rows = [("name", "bill_key"), *((f"Bill {n}", str(n)) for n in range(4))]
    found = ingest(monday, *rows)
    assert (found["status"], found["failure_reason"]) == ("REJECTED", "BOARD_CAPACITY_EXCEEDED")
    ingest(monday, *rows[:3])
    monday.world.limits.imported(19_000 - 4, monday.mounted.clock.now())
    assert ingest(monday, *rows[:4])["failure_reason"] == "ACCOUNT_CAPACITY_EXCEEDED"
    assert ingest(monday, *rows[:3])["status"] == "COMPLETED"  # two are left, and two are asked for
    monday.mounted.clock.advance(3_601)
    assert ingest(monday, *rows[:4])["counts"] == ENDED | {"submitted": 3, "updated": 2, "created": 1}


def test_a_job_wants_a_board_a_group_and_a_column_that_can_be_matched_by() -> None:
    monday = a_monday()
    assert start(monday, board="1").code == "InvalidBoardIdException"
    assert start(monday, {"match_column_id": "nope", "behaviour": "UPSERT"}).code == "InvalidColumnIdException"
    assert start(monday, {"match_column_id": "currency", "behaviour": "UPSERT"}).code == "InvalidArgumentException"
    assert monday.ask(STATUS, j="nope").code == "ResourceNotFoundException"
    monday.world.add_token("reader", scopes=["boards:read"])
    monday.token = "reader"
    assert start(monday).code == "UNAUTHORIZED_FIELD_OR_TYPE"


def test_matching_sees_what_look_ups_see() -> None:
    monday = a_monday(visibility_lag=30)
    monday.create("A", {"bill_key": "1"})
    assert ingest(monday, ("name", "bill_key"), ("A", "1"))["counts"]["created"] == 1
    monday.mounted.clock.advance(31)
    assert ingest(monday, ("name", "bill_key"), ("A", "1"))["counts"]["updated"] == 1


def test_ten_thousand_rows_are_imported_at_once() -> None:
    monday = a_monday()
    head = ("name", "bill_key", "vendor", "amount", "currency", "bill_date", "approval", "gl_code", "lines")
    rows = [(f"Bill {n}", f"k{n}", "Northwind", f"{n}.50", "EUR", "2026-11-30", "Open", "4000", "x") for n in range(10_000)]
    body = sheet(head, *rows)
    found = ingest(monday, body=body)
    assert found["counts"] == ENDED | {"submitted": 10_000, "created": 10_000}

"""First loads by file: few calls, every record once, and nothing that a cell cannot say."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.errors import ContractBroken, RateLimited, VendorUnavailable
from integrations.types import Batch, Done, NotWritten, Refused, Result, Write
from integrations.vendors.monday.bulk import BulkLoads
from integrations.vendors.monday.target import MondayTarget

from .conftest import BILL_COLUMNS, TOKEN, Desk


def loader(desk: Desk, **settings: str) -> MondayTarget:
    return desk.target(**{"bulk_load": "auto", **settings})


def rows_of(batch: Batch) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(batch.body.partition("\n")[2])))


def done(results: Sequence[Result]) -> list[str]:
    return [each.target_id for each in results if isinstance(each, Done)]


def bills(desk: Desk, n: int) -> list[Write]:
    columns = {title: desk.column(title) for title in ("Vendor", "Amount", "Due date", "Status", "Notes")}
    return [
        replace(
            desk.bill(number, name=f"INV-{number}"),
            values={
                "name": f"INV-{number}",
                columns["Vendor"]: "Harbor, Supply & “Sons”",
                columns["Amount"]: Decimal(number) / 4,
                columns["Due date"]: date(2026, 11, 30),
                columns["Status"]: "Waiting",
                columns["Notes"]: "two\nlines",
            },
        )
        for number in range(n)
    ]


def unlimited(desk: Desk, **settings: Any) -> None:
    desk.world.reset(limits=False, **settings)
    desk.board_id = desk.world.add_board("Bills", BILL_COLUMNS)
    desk.carry(desk.target(), [desk.bill("label", Status="Waiting", Category="Freight")], key="label")
    desk.world.delete_item(desk.items()[0]["id"])


@pytest.fixture(autouse=True)
def _no_limits(desk: Desk) -> None:
    unlimited(desk)


def test_2000_creates_take_at_most_20_calls_and_each_bill_stands_there_once(desk: Desk) -> None:
    target = loader(desk)
    desk.forget_calls()
    (batch,) = target.batches(bills(desk, 2000))
    assert batch.bulk
    results = target.write(batch, key="k")
    assert len(desk.calls) <= 20 and len(set(done(results))) == len(desk.items()) == 2000
    shown = {item["id"]: item for item in desk.items()}
    last = shown[done(results)[-1]]
    assert (last["name"], last["columns"]["ml_key"]) == ("INV-1999", "intacct:ACME:APBILL:1999")
    assert last["columns"][desk.column("Vendor")] == "Harbor, Supply & “Sons”"
    assert last["columns"][desk.column("Amount")] == "499.75" and last["columns"][desk.column("Due date")] == "2026-11-30"
    assert last["columns"][desk.column("Status")] == "Waiting" and last["columns"][desk.column("Notes")] == "two\nlines"
    assert last["columns"]["ml_synced"].startswith("2026-11-30")


def test_what_was_loaded_reads_back_as_written(desk: Desk) -> None:
    target = loader(desk)
    more = {
        desk.column("Document"): "https://example.com/7?a=1,2",
        desk.column("Category"): "Freight",
        desk.column("GL account"): "4000-01-00",
    }
    writes = [replace(each, values={**each.values, **more}) for each in bills(desk, 200)]
    (batch,) = target.batches(writes)
    items = done(target.write(batch, key="k"))
    read = [each for page in target.standing(items, list(writes[0].values)) for each in page]
    assert [each.values for each in read] == [each.values for each in writes]


@pytest.mark.parametrize("settings", [{}, {"bulk_load": "never"}, {"bulk_load": ""}])
def test_it_is_off_unless_switched_on(desk: Desk, settings: dict[str, str]) -> None:
    target = desk.target(**settings)
    assert not any(batch.bulk for batch in target.batches(bills(desk, 300)))


def test_fewer_than_200_creates_go_one_by_one_and_updates_always_do(desk: Desk) -> None:
    target = loader(desk)
    assert not any(batch.bulk for batch in target.batches(bills(desk, 199)))
    updates = [replace(each, target_id=str(n + 1)) for n, each in enumerate(bills(desk, 200))]
    assert not any(batch.bulk for batch in target.batches(updates))


def test_a_load_is_cut_into_files_of_2000_rows(desk: Desk) -> None:
    batches = list(loader(desk).batches(bills(desk, 4100)))
    assert [len(batch.writes) for batch in batches if batch.bulk] == [2000, 2000]
    assert sum(len(batch.writes) for batch in batches if not batch.bulk) == 100


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Phone", "+31201234567"),
        ("Paid", True),
        ("Due date", datetime(2026, 11, 30, 9, tzinfo=UTC)),
        ("Document", "https://example.com/7 Bill 7"),
        ("Category", "A, B"),
        ("Vendor", " outer blanks "),
        ("Vendor", "<NULL>"),
        ("Amount", "twelve"),
        ("Status", "2026"),
    ],
)
def test_what_no_cell_can_say_without_doubt_goes_one_by_one(desk: Desk, title: str, value: Any) -> None:
    writes = bills(desk, 200)
    writes.insert(100, desk.bill("odd", **{title.replace(" ", "_"): value}))
    first, *rest = loader(desk).batches(writes)
    assert first.bulk and len(first.writes) == 200
    assert [[write.external_id for write in batch.writes] for batch in rest] == [["odd"]]


def test_cells_say_what_a_single_write_would_say(desk: Desk) -> None:
    writes = bills(desk, 200)
    writes[0] = desk.bill(
        "first",
        Document="https://example.com/7",
        Category="Freight",
        Amount=None,
        GL_account="4000-01-00",
        Notes="n" * 3000,
    )
    (batch,) = loader(desk).batches(writes)
    row = rows_of(batch)[0]
    assert row["name"] == "Bill first" and row["ml_key"] == "intacct:ACME:APBILL:first" and row["ml_synced"] == "2026-11-30"
    assert row[desk.column("Amount")] == "<NULL>" and row[desk.column("Vendor")] == ""
    assert row[desk.column("GL account")] == "4000-01-00" and row[desk.column("Document")] == "https://example.com/7"
    assert len(row[desk.column("Notes")]) == 2000 and row[desk.column("Notes")].endswith("(shortened)")


def test_line_breaks_and_quotes_of_every_kind_stay_inside_their_cell(desk: Desk) -> None:
    notes = ["a\rb", "a\r\nb", "a\nb", 'say "no", twice', "a,b;c\td", "=1+1", "’“”🙂"]
    writes = [replace(each, values={desk.column("Notes"): notes[n % 7]}) for n, each in enumerate(bills(desk, 203))]
    target = loader(desk)
    (batch,) = target.batches(writes)
    items = done(target.write(batch, key="k"))
    read = [each.values[desk.column("Notes")] for page in target.standing(items, [desk.column("Notes")]) for each in page]
    assert len(items) == 203 and read[:7] == notes


def test_links_are_left_for_the_second_call(desk: Desk) -> None:
    suppliers = desk.world.add_board("Suppliers")
    column = desk.world.connect_boards(desk.board_id, "Supplier", suppliers)
    writes = [replace(each, values={**each.values, column: "123"}) for each in bills(desk, 200)]
    (batch,) = loader(desk).batches(writes)
    assert batch.bulk and column not in rows_of(batch)[0]


def test_our_token_is_not_sent_with_the_file(desk: Desk) -> None:
    sent = desk.record()
    target = loader(desk)
    (batch,) = target.batches(bills(desk, 200))
    target.write(batch, key="k")
    (upload,) = [call for call in sent if call.method == "PUT"]
    assert {name.casefold() for name in upload.headers} == {"content-type"} and TOKEN.encode() not in upload.content
    assert upload.content.decode() == batch.body.partition("\n")[2]


@pytest.mark.parametrize("address", ["http://elsewhere.example/put", "ftp://sandbox.test/x", "file:///etc/passwd", "//x/y", ""])
def test_an_address_that_is_neither_encrypted_nor_our_own_is_not_followed(desk: Desk, address: str) -> None:
    sent = desk.record()
    target = loader(desk)
    with pytest.raises(ContractBroken):
        target._client.upload(address, "name\n")
    assert [call for call in sent if call.method == "PUT"] == []


def test_a_job_that_takes_long_is_waited_for_and_the_file_is_not_sent_again(desk: Desk) -> None:
    unlimited(desk, ingest_seconds=90)
    sent = desk.record()
    target, sent_at = loader(desk), desk.login.now()
    (batch,) = target.batches(bills(desk, 300))
    with pytest.raises(RateLimited) as caught:
        target.write(batch, key="k")
    assert caught.value.retry_after == timedelta(seconds=15) and desk.login.now() - sent_at <= timedelta(seconds=20)
    assert len([call for call in sent if call.operation == "Job"]) == 3
    with pytest.raises(RateLimited):
        loader(desk).resolve(desk.sent(batch, "k", sent_at))
    desk.wait(90)
    results = loader(desk).resolve(desk.sent(batch, "k", sent_at))
    assert len(set(done(results))) == len(desk.items()) == 300
    assert len([call for call in sent if call.method == "PUT"]) == 1


def test_a_lost_answer_to_the_upload_is_settled_from_the_board(desk: Desk) -> None:
    target, sent_at = loader(desk), desk.login.now()
    (batch,) = target.batches(bills(desk, 250))
    desk.faults.arm("upload_lost_reply")
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")
    desk.wait(60)
    assert len(done(loader(desk).resolve(desk.sent(batch, "k", sent_at)))) == len(desk.items()) == 250


def test_a_refused_upload_wrote_nothing(desk: Desk) -> None:
    target = loader(desk)
    (batch,) = target.batches(bills(desk, 200))
    desk.faults.arm("upload_refused", status=403)
    assert target.write(batch, key="k") == [NotWritten(external_id=str(n)) for n in range(200)]
    assert desk.items() == []
    assert not any(each.bulk for each in loader(desk).batches(bills(desk, 200)))


def test_an_upload_that_broke_down_is_settled_when_its_address_is_void(desk: Desk) -> None:
    target, sent_at = loader(desk), desk.login.now()
    (batch,) = target.batches(bills(desk, 200))
    desk.faults.arm("upload_refused", status=503)
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="k")
    desk.wait(11 * 60)
    assert {type(each) for each in target.resolve(desk.sent(batch, "k", sent_at))} == {NotWritten}


@pytest.mark.parametrize("reason", ["INVALID_UPLOAD", "BOARD_CAPACITY_EXCEEDED"])
def test_a_rejected_file_wrote_nothing_and_the_records_go_one_by_one(desk: Desk, reason: str) -> None:
    target = loader(desk)
    (batch,) = target.batches(bills(desk, 200))
    desk.faults.arm("ingest_rejected", reason=reason)
    assert {type(each) for each in target.write(batch, key="k")} == {NotWritten}
    assert not any(each.bulk for each in loader(desk).batches(bills(desk, 200)))


def test_of_a_job_that_broke_the_rows_that_stand_there_are_done_and_the_others_are_not(desk: Desk) -> None:
    target = loader(desk)
    (batch,) = target.batches(bills(desk, 300))
    desk.faults.arm("ingest_failed", rows=120)
    results = target.write(batch, key="k")
    assert len(done(results)) == len(desk.items()) == 120 and {type(each) for each in results[120:]} == {NotWritten}


def test_one_row_that_cannot_be_written_costs_no_other_anything(desk: Desk) -> None:
    target = loader(desk)
    (batch,) = target.batches(bills(desk, 200))
    desk.faults.arm("ingest_row_refused", index=5)
    results = target.write(batch, key="k")
    assert [n for n, each in enumerate(results) if isinstance(each, NotWritten)] == [5] and len(desk.items()) == 199
    assert next(iter(loader(desk).batches(bills(desk, 200)))).bulk


def test_labels_are_made_by_the_first_few_bills_and_the_rest_goes_by_file(desk: Desk) -> None:
    writes = bills(desk, 300)
    for n in range(300):
        label = "Freight" if n % 2 else "Rent"
        writes[n] = replace(
            writes[n], values={**writes[n].values, desk.column("Status"): f"Stage {n % 3}", desk.column("Category"): label}
        )
    target = loader(desk)
    batches: list[tuple[bool, int]] = []
    results: list[Result] = []
    for n, batch in enumerate(target.batches(writes)):
        batches.append((batch.bulk, len(batch.writes)))
        results += target.write(batch, key=f"k{n}")
    assert batches == [(False, 3), (True, 297)] and len(set(done(results))) == len(desk.items()) == 300


def test_a_label_that_cannot_be_made_keeps_its_records_out_of_the_file(desk: Desk) -> None:
    desk.world.manage_column(desk.board_id, "Category")
    category = desk.column("Category")
    writes = [
        replace(each, values={**each.values, **({category: "Rent"} if n < 5 else {})}) for n, each in enumerate(bills(desk, 300))
    ]
    target = loader(desk)
    batches: list[tuple[bool, int]] = []
    results: list[Result] = []
    for n, batch in enumerate(target.batches(writes)):
        batches.append((batch.bulk, len(batch.writes)))
        results += target.write(batch, key=f"k{n}")
    assert batches == [(False, 1), (True, 295), (False, 4)] and len(done(results)) == 295
    assert all(each.error.columns == (category,) for each in results if isinstance(each, Refused))


def test_a_file_whose_address_nobody_has_any_more_was_never_sent(desk: Desk) -> None:
    (batch,) = loader(desk).batches(bills(desk, 200))
    sent = desk.record()
    assert {type(each) for each in loader(desk).write(batch, key="k")} == {NotWritten}
    assert [call for call in sent if call.method == "PUT"] == []


def test_keys_that_differ_in_case_alone_go_one_by_one(desk: Desk) -> None:
    writes = [*bills(desk, 200), desk.bill("a", key="gl:Ab"), desk.bill("b", key="gl:aB")]
    first, second = loader(desk).batches(writes)
    assert (len(first.writes), [each.key for each in second.writes]) == (200, ["gl:Ab", "gl:aB"])


def test_a_job_that_the_vendor_no_longer_knows_is_settled_from_the_board(desk: Desk) -> None:
    target, sent_at = loader(desk), desk.login.now()
    (batch,) = target.batches(bills(desk, 200))
    results = target.write(batch, key="k")
    lost = replace(batch, body="404" + batch.body[batch.body.index("\n") :])
    assert target.resolve(desk.sent(lost, "k", sent_at)) == results
    nothing = replace(lost, writes=tuple(replace(each, key=each.key + "?") for each in batch.writes))
    with pytest.raises(RateLimited):
        target.resolve(desk.sent(nothing, "k", sent_at))
    desk.wait(31 * 60)
    assert {type(each) for each in target.resolve(desk.sent(nothing, "k", sent_at))} == {NotWritten}


def test_items_that_are_not_visible_yet_are_waited_for(desk: Desk) -> None:
    unlimited(desk, visibility_lag=30)
    target, sent_at = loader(desk), desk.login.now()
    (batch,) = target.batches(bills(desk, 200))
    try:
        results = target.write(batch, key="k")
    except RateLimited:
        desk.wait(60)
        results = target.resolve(desk.sent(batch, "k", sent_at))
    assert len(done(results)) == len(desk.items()) == 200


def test_a_file_that_never_went_out_is_planned_anew_once_its_address_is_void(desk: Desk) -> None:
    sent_at = desk.login.now()
    (batch,) = loader(desk).batches(bills(desk, 200))
    fresh = loader(desk)
    desk.wait(9 * 60)
    with pytest.raises(RateLimited):
        fresh.resolve(desk.sent(batch, "k", sent_at))
    desk.wait(2 * 60)
    assert {type(each) for each in fresh.resolve(desk.sent(batch, "k", sent_at))} == {NotWritten}
    assert not any(each.bulk for each in loader(desk).batches(bills(desk, 200)))  # one by one they will say what is wrong


def test_a_load_that_is_sent_twice_makes_no_second_item(desk: Desk) -> None:
    target = loader(desk)
    first, second = (next(iter(target.batches(bills(desk, 200)))) for _ in range(2))
    assert done(target.write(first, key="k1")) == done(target.write(second, key="k2"))
    assert len(desk.items()) == 200


def test_when_no_more_jobs_may_be_started_records_go_one_by_one(desk: Desk) -> None:
    for _ in range(100):
        desk.budgets.spend("ingest_jobs", 1, limit=100, window=timedelta(hours=1), said="")
    batches = list(loader(desk).batches(bills(desk, 200)))
    assert len(batches) == 20 and not any(batch.bulk for batch in batches)
    desk.wait(3600)
    assert next(iter(loader(desk).batches(bills(desk, 200)))).bulk


def test_when_the_vendor_refuses_the_job_records_go_one_by_one(desk: Desk) -> None:
    target = loader(desk)
    desk.faults.arm("user_unauthorized", operation="ingest_items")
    batches = list(target.batches(bills(desk, 250)))
    assert len(batches) == 25 and not any(batch.bulk for batch in batches)


def test_more_than_19000_rows_an_hour_go_one_by_one(desk: Desk) -> None:
    desk.budgets.spend("ingest_rows", 18_900, limit=19_000, window=timedelta(hours=1), said="")
    assert not any(batch.bulk for batch in loader(desk).batches(bills(desk, 200)))


def test_items_go_to_the_group_of_their_place(desk: Desk) -> None:
    writes = [replace(each, place=f"{desk.board_id}/topics") for each in bills(desk, 200)]
    target = loader(desk)
    (batch,) = target.batches(writes)
    assert len(done(target.write(batch, key="k"))) == 200
    assert {item["group"] for item in desk.items()} == {"topics"}


def test_a_hanging_job_is_looked_at_more_and_more_rarely(desk: Desk) -> None:
    unlimited(desk, ingest_seconds=7200)
    target, sent_at = loader(desk), desk.login.now()
    (batch,) = target.batches(bills(desk, 200))
    with pytest.raises(RateLimited):
        target.write(batch, key="k")
    desk.forget_calls()
    n_looks = 0
    while True:
        n_looks += 1
        try:
            results = target.resolve(desk.sent(batch, "k", sent_at))
        except RateLimited as error:
            desk.wait(error.retry_after.total_seconds())
            continue
        break
    assert {type(each) for each in results} == {NotWritten} and n_looks <= 20
    assert desk.login.now() - sent_at >= timedelta(minutes=30)
    assert isinstance(target._bulk, BulkLoads)

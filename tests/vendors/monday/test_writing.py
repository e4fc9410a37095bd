"""Batches and what comes back: one outcome per record, and no record sinks its neighbours."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.types import Done, NotWritten, Refused, Result
from integrations.vendors.monday.target import MondayTarget

from .conftest import Desk


def columns_of(result: Result) -> tuple[str, ...]:
    assert isinstance(result, Refused), result
    return result.error.columns


def done(results: list[Result]) -> list[Done]:
    return [each for each in results if isinstance(each, Done)]


def test_monday_case_06_a_new_bill_is_one_create_with_key_stamp_amount_and_a_day_without_time(desk: Desk) -> None:
    target = desk.target()
    write = desk.bill("B1", name="INV-7", Amount=Decimal("1234.50"), Due_date=date(2026, 11, 30))
    (batch,) = target.batches([write])
    desk.forget_calls()
    (result,) = target.write(batch, key="k1")
    (call,) = desk.calls
    assert call["operation"] == "complexity,create_item" and call["headers"]["idempotency-key"] == "k1"
    values = json.loads(json.loads(batch.body)["variables"]["values0"])
    assert values == {
        desk.column("Amount"): "1234.50",
        desk.column("Due date"): {"date": "2026-11-30"},
        "ml_key": "intacct:ACME:APBILL:B1",
        "ml_synced": {"date": "2026-11-30", "time": "12:00:00"},
    }
    (item,) = desk.items()
    assert (item["id"], item["name"]) == (result.target_id, "INV-7")  # type: ignore[union-attr]
    assert item["columns"]["ml_key"] == "intacct:ACME:APBILL:B1"
    assert item["columns"][desk.column("Amount")] == "1234.50" and item["columns"][desk.column("Due date")] == "2026-11-30"


def test_monday_case_08_a_changed_amount_is_one_change_of_that_column_and_the_stamp(desk: Desk) -> None:
    target = desk.target()
    (created,) = desk.carry(target, [desk.bill(1, name="A", Amount=1, Vendor="Harbor")])
    desk.forget_calls()
    desk.wait(60)
    (batch,) = target.batches([desk.bill(1, target_id=created.target_id, Amount=Decimal("2.00"))])  # type: ignore[union-attr]
    assert target.write(batch, key="k2") == [created]
    (call,) = desk.calls
    assert call["operation"] == "complexity,change_multiple_column_values"
    assert set(json.loads(json.loads(batch.body)["variables"]["values0"])) == {desk.column("Amount"), "ml_synced"}
    (item,) = desk.items()
    assert item["columns"][desk.column("Amount")] == "2.00" and item["columns"][desk.column("Vendor")] == "Harbor"
    assert item["columns"]["ml_synced"] == "2026-11-30 12:01"


def test_an_update_may_rename_the_item_in_the_same_call(desk: Desk) -> None:
    target = desk.target()
    (created,) = done(desk.carry(target, [desk.bill(1, name="A")]))
    desk.carry(target, [desk.bill(1, target_id=created.target_id, name="B")], key="second")
    assert [item["name"] for item in desk.items()] == ["B"]


def test_monday_case_12_a_label_that_cannot_be_made_costs_its_own_bill_a_column_and_no_other_anything(desk: Desk) -> None:
    desk.world.manage_column(desk.board_id, "Category")
    target = desk.target()
    writes = [desk.bill(n, Vendor="Harbor") for n in range(1, 26)]
    writes[6] = desk.bill(7, Vendor="Harbor", Category="Freight")
    desk.forget_calls()
    results: list[Result] = []
    sizes: list[int] = []
    for n, batch in enumerate(target.batches(writes)):
        sizes.append(len(batch.writes))
        results += target.write(batch, key=f"k{n}")
    assert sizes == [10, 10, 5] and len(desk.calls) == 3 and len(desk.items()) == 24
    refused = results[6]
    assert columns_of(refused) == (desk.column("Category"),)
    assert isinstance(refused, Refused) and "ColumnValueException" in refused.error.detail and refused.error.request_id
    assert "Category" in refused.error.said
    kept = {column: value for column, value in writes[6].values.items() if column not in columns_of(refused)}
    (again,) = desk.carry(target, [replace(writes[6], values=kept)], key="again")
    assert isinstance(again, Done) and len(desk.items()) == 25


def test_monday_case_13_a_phone_number_that_is_none_is_the_phone_columns_fault_alone(desk: Desk) -> None:
    target = desk.target()
    (result,) = desk.carry(target, [desk.bill(1, Vendor="Harbor", Phone="555", GL_account="4000")])
    assert columns_of(result) == (desk.column("Phone"),) and desk.items() == []


def test_monday_case_14_a_gl_code_reads_back_byte_for_byte(desk: Desk) -> None:
    target = desk.target()
    (created,) = done(desk.carry(target, [desk.bill(1, GL_account="4000-01-00")]))
    column = desk.column("GL account")
    (((standing),),) = target.standing([created.target_id], [column])
    assert standing.values == {column: "4000-01-00"}


def test_monday_case_15_long_texts_and_names_are_cut_where_no_character_breaks(desk: Desk) -> None:
    target = desk.target()
    name = "n" * 254 + "👩‍👩‍👧" + "x" * 45
    (result,) = desk.carry(target, [desk.bill(1, name=name, Notes="d" * 5000)])
    assert isinstance(result, Done)
    (item,) = desk.items()
    note = item["columns"][desk.column("Notes")]
    assert item["name"] == "n" * 254 and len(note) == 2000 and note.endswith("(shortened)")
    desk.carry(target, [desk.bill(2, name="m" * 300)], key="second")
    assert sorted(len(each["name"]) for each in desk.items()) == [254, 255]


def test_monday_case_16_a_cleared_amount_is_sent_as_null_and_reads_empty_not_zero(desk: Desk) -> None:
    target = desk.target()
    (created,) = done(desk.carry(target, [desk.bill(1, Amount=5)]))
    (batch,) = target.batches([desk.bill(1, target_id=created.target_id, Amount=None)])
    assert json.loads(json.loads(batch.body)["variables"]["values0"])[desk.column("Amount")] is None
    target.write(batch, key="second")
    assert desk.items()[0]["columns"][desk.column("Amount")] == ""


def test_a_value_that_fits_no_column_is_refused_without_being_sent_and_its_neighbours_go(desk: Desk) -> None:
    target = desk.target()
    writes = [desk.bill(1, Amount=1), desk.bill(2, Amount="twelve", Document="nowhere", Vendor="V"), desk.bill(3, Amount=3)]
    (batch,) = target.batches(writes)
    assert batch.writes == tuple(writes) and "twelve" not in batch.body
    first, second, third = target.write(batch, key="k")
    assert isinstance(first, Done) and isinstance(third, Done)
    assert columns_of(second) == (desk.column("Amount"), desk.column("Document"))
    assert len(desk.items()) == 2


def test_a_batch_of_nothing_but_misfits_costs_no_call(desk: Desk) -> None:
    target = desk.target()
    desk.forget_calls()
    (batch,) = target.batches([desk.bill(1, Amount="x")])
    assert batch.body == ""
    (result,) = target.write(batch, key="k")
    assert columns_of(result) == (desk.column("Amount"),) and desk.calls == []
    sent = desk.sent(batch, "k", desk.login.now())
    assert target.resolve(sent) == [NotWritten(external_id="1")] and desk.calls == []


def test_a_status_label_of_digits_is_written_by_the_labels_number_or_not_at_all(desk: Desk) -> None:
    target = desk.target()
    (made,) = done(desk.carry(target, [desk.bill(1, Status="Waiting")]))
    (result,) = desk.carry(target, [desk.bill(2, Status="2026")], key="second")
    assert columns_of(result) == (desk.column("Status"),)
    assert [each["id"] for each in desk.items()] == [made.target_id]


def test_suspects_are_the_columns_of_the_named_type_else_all_that_were_sent(desk: Desk) -> None:
    target = desk.target()
    write = desk.bill(1, name="A", Status="Open", Vendor="V", Amount=1)
    desk.faults.arm("column_value", index=0, column_type="color")
    (by_type,) = desk.carry(target, [write])
    assert columns_of(by_type) == (desk.column("Status"),)
    desk.faults.arm("column_value", index=0, column_type="never-heard-of")
    (unknown,) = desk.carry(target, [write], key="second")
    desk.faults.arm("column_value", index=0, column_type="color", column_id=desk.column("Vendor"))
    (by_name,) = desk.carry(target, [write], key="third")
    assert columns_of(by_name) == (desk.column("Vendor"),)
    assert set(columns_of(unknown)) == {desk.column("Status"), desk.column("Vendor"), desk.column("Amount")}


def test_writes_for_another_board_go_there_in_batches_of_their_own(desk: Desk) -> None:
    other = desk.world.add_board("Other", [("Vendor", "text")])
    target = desk.target()
    column = desk.column("Vendor", other)
    there = [replace(desk.bill(n), values={column: "V"}, place=other) for n in (2, 4)]
    writes = [desk.bill(1), there[0], desk.bill(3), there[1]]
    batches = list(target.batches(writes))
    assert [[each.external_id for each in batch.writes] for batch in batches] == [["1", "3"], ["2", "4"]]
    for n, batch in enumerate(batches):
        target.write(batch, key=f"k{n}")
    assert len(desk.items()) == 2 and len(desk.world.board_items(other)) == 2
    assert desk.turns.taken[-2:] == [f"monday/board/{desk.board_id}", f"monday/board/{other}"]


def test_one_write_at_a_time_is_in_flight_per_board(desk: Desk) -> None:
    target = desk.target()
    held: list[bool] = []
    send = desk.login.http.send

    class Watching:
        def send(self, *args: Any, **more: Any) -> Any:
            held.append(f"monday/board/{desk.board_id}" in desk.turns.held)
            return send(*args, **more)

    watched = MondayTarget(replace(desk.login, http=Watching()), desk.board_id)  # type: ignore[arg-type]
    watched.schema()
    desk.carry(watched, [desk.bill(1, Vendor="V")])
    assert held == [False, True] and target is not None

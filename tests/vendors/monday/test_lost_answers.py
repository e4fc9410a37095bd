"""An answer that never came: the record stands on the board once, whatever happened to the call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.errors import RateLimited, VendorUnavailable
from integrations.types import Batch, Done, NotWritten
from integrations.vendors.monday.target import MondayTarget

from .conftest import Desk


def lose(desk: Desk, target: MondayTarget, n: int = 3, fault: str = "commit_then_drop") -> Batch:
    """Send a batch of creates whose answer is lost."""
    (batch,) = target.batches([desk.bill(number, Vendor="Harbor") for number in range(n)])
    desk.faults.arm(fault, operation="create_item")
    with pytest.raises(VendorUnavailable) as caught:
        target.write(batch, key="key-1")
    assert caught.value.may_have_acted
    return batch


@pytest.mark.parametrize("fault", ["commit_then_drop", "commit_then_slow", "truncated"])
def test_monday_case_09_a_lost_answer_is_asked_for_again_under_the_same_key(desk: Desk, fault: str) -> None:
    target = desk.target()
    sent_at = desk.login.now()
    batch = lose(desk, target, fault=fault)
    desk.wait(30)
    desk.forget_calls()
    results = desk.target().resolve(desk.sent(batch, "key-1", sent_at))
    written = [call for call in desk.calls if "create_item" in call["operation"]]
    assert [call["headers"]["idempotency-key"] for call in written] == ["key-1"]
    assert [each.target_id for each in results if isinstance(each, Done)] == sorted(item["id"] for item in desk.items())
    assert len(desk.items()) == 3


@pytest.mark.parametrize("fault", ["slow", "server_error", "gateway_timeout_text", "timeout", "html_page"])
def test_a_call_that_never_arrived_is_made_by_the_same_key_and_body(desk: Desk, fault: str) -> None:
    target = desk.target()
    sent_at = desk.login.now()
    batch = lose(desk, target, fault=fault)
    assert desk.items() == []
    results = target.resolve(desk.sent(batch, "key-1", sent_at))
    assert len(desk.items()) == len(results) == 3 and all(isinstance(each, Done) for each in results)


def test_monday_case_10_after_31_minutes_the_items_are_found_by_their_keys(desk: Desk) -> None:
    desk.world.reset(visibility_lag=30)
    desk.board_id = desk.world.add_board("Bills", [("Vendor", "text")])
    sent_at = desk.login.now()
    batch = lose(desk, desk.target())
    desk.wait(31 * 60)
    fresh = desk.target()
    desk.forget_calls()
    results = fresh.resolve(desk.sent(batch, "key-1", sent_at))
    assert [call["operation"] for call in desk.calls] == ["complexity,items_page_by_column_values"]
    assert [each.target_id for each in results if isinstance(each, Done)] == sorted(item["id"] for item in desk.items())
    assert len(desk.items()) == 3


def test_monday_case_11_an_empty_look_up_proves_nothing_for_a_minute(desk: Desk) -> None:
    desk.world.reset(visibility_lag=30)
    desk.board_id = desk.world.add_board("Bills", [("Vendor", "text")])
    sent_at = desk.login.now()
    target = desk.target()
    batch = lose(desk, target, n=1)
    desk.wait(5)
    with pytest.raises(RateLimited) as caught:
        target.resolve(desk.sent(batch, "key-1", sent_at, same_login=False))
    assert caught.value.retry_after == timedelta(seconds=55)
    desk.wait(55)
    (result,) = target.resolve(desk.sent(batch, "key-1", sent_at, same_login=False))
    assert isinstance(result, Done) and [item["id"] for item in desk.items()] == [result.target_id]


def test_what_was_never_written_is_told_so_after_a_minute(desk: Desk) -> None:
    target = desk.target()
    sent_at = desk.login.now()
    batch = lose(desk, target, fault="slow")
    desk.wait(60)
    results = target.resolve(desk.sent(batch, "key-1", sent_at, same_login=False))
    assert results == [NotWritten(external_id=str(n)) for n in range(3)]


def test_lost_updates_are_simply_planned_again(desk: Desk) -> None:
    target = desk.target()
    (made,) = desk.carry(target, [desk.bill(1, Vendor="A")])
    (batch,) = target.batches([desk.bill(1, target_id=made.target_id, Vendor="B")])  # type: ignore[union-attr]
    desk.forget_calls()
    sent = desk.sent(batch, "key-1", desk.login.now() - timedelta(minutes=26))
    assert target.resolve(sent) == [NotWritten(external_id="1")] and desk.calls == []


@pytest.mark.parametrize(("age", "n_writes"), [(24.9, 1), (25, 0)])
def test_the_same_key_is_sent_again_for_25_minutes_only(desk: Desk, age: float, n_writes: int) -> None:
    target = desk.target()
    sent_at = desk.login.now()
    batch = lose(desk, target)
    desk.wait(age * 60)
    desk.forget_calls()
    target.resolve(desk.sent(batch, "key-1", sent_at))
    assert len([call for call in desk.calls if "create_item" in call["operation"]]) == n_writes
    assert len(desk.items()) == 3


def test_a_key_that_is_still_being_worked_on_is_waited_for(desk: Desk) -> None:
    target = desk.target()
    sent_at = desk.login.now()
    batch = lose(desk, target)
    desk.faults.arm("idempotency_conflict", wait=2)
    with pytest.raises(RateLimited) as caught:
        target.resolve(desk.sent(batch, "key-1", sent_at))
    assert caught.value.retry_after == timedelta(seconds=2)
    assert len(target.resolve(desk.sent(batch, "key-1", sent_at))) == 3 and len(desk.items()) == 3


def test_an_answer_that_the_vendor_forgot_makes_no_second_link(desk: Desk) -> None:
    """The memory for keys has a budget: over it, the same call is carried out again."""
    target = desk.target()
    sent_at = desk.login.now()
    (batch,) = target.batches([desk.bill(1, Vendor="Harbor")])
    (first,) = target.write(batch, key="another-key")
    desk.wait(120)
    (result,) = target.resolve(desk.sent(batch, "key-1", sent_at))
    assert result == first and len(desk.items()) == 2
    ((code, said),) = desk.warnings
    assert code == "duplicate_key" and all(item["id"] in said for item in desk.items())


def test_a_look_up_compares_exactly_although_the_vendor_does_not(desk: Desk) -> None:
    target = desk.target()
    desk.carry(target, [desk.bill(1, key="intacct:acme:APBILL:1", Vendor="Other")])
    (batch,) = target.batches([desk.bill(1, key="intacct:ACME:APBILL:1", Vendor="Ours")])
    desk.wait(3600)
    sent = desk.sent(batch, "key-1", desk.login.now() - timedelta(minutes=30))
    assert target.resolve(sent) == [NotWritten(external_id="1")]


def test_monday_case_28_of_two_items_with_one_key_the_oldest_counts_and_both_are_named(desk: Desk) -> None:
    target = desk.target()
    sent_at = desk.login.now()
    batch = lose(desk, target, n=1)
    (item,) = desk.items()
    copy = desk.world.duplicate_item(item["id"])
    desk.wait(31 * 60)
    assert target.resolve(desk.sent(batch, "key-1", sent_at)) == [Done(external_id="0", target_id=item["id"])]
    ((code, said),) = desk.warnings
    assert code == "duplicate_key" and item["id"] in said and copy in said


def test_a_refusal_that_is_replayed_is_a_refusal_still(desk: Desk) -> None:
    target = desk.target()
    sent_at = desk.login.now()
    desk.world.manage_column(desk.board_id, "Category")
    (batch,) = target.batches([desk.bill(1, Vendor="A"), desk.bill(2, Category="Freight")])
    desk.faults.arm("commit_then_drop", operation="create_item")
    with pytest.raises(VendorUnavailable):
        target.write(batch, key="key-1")
    first, second = desk.target().resolve(desk.sent(batch, "key-1", sent_at))
    assert isinstance(first, Done)
    assert second.error.columns == (desk.column("Category"),)  # type: ignore[union-attr]


def test_a_full_board_that_is_replayed_is_planned_anew_and_not_refused_for_ever(desk: Desk) -> None:
    desk.board_id = desk.world.add_board("Small", [("Vendor", "text")], items_limit=0)
    target = desk.target()
    sent_at = desk.login.now()
    batch = lose(desk, target, n=2)
    assert desk.items() == []
    assert target.resolve(desk.sent(batch, "key-1", sent_at)) == [NotWritten(external_id=str(n)) for n in range(2)]

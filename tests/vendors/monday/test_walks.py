"""Reading a board: every key once, by pages, whatever happens to the cursor; look-ups by key and by id."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from integrations.errors import VendorUnavailable
from integrations.types import Done, Standing
from integrations.vendors.monday import keys

from .conftest import Desk


@pytest.fixture
def full(desk: Desk) -> Desk:
    """A board of 1,200 bills."""
    desk.world.reset(limits=False)
    desk.board_id = desk.world.add_board("Bills", [("Vendor", "text"), ("Amount", "numbers")])
    results = desk.carry(desk.target(), [desk.bill(n, Amount=n) for n in range(1200)])
    assert all(isinstance(each, Done) for each in results)
    desk.forget_calls()
    return desk


def test_a_walk_reads_the_key_column_in_pages_of_500(full: Desk) -> None:
    target = full.target()
    full.forget_calls()
    pages = list(target.existing())
    assert [len(page) for page in pages] == [500, 500, 200] and len(full.calls) == 3
    found = {key: ids for page in pages for key, ids in page.items()}
    assert found == {item["columns"]["ml_key"]: [item["id"]] for item in full.items()}


def test_monday_case_22_an_expired_cursor_begins_the_walk_again_and_gives_no_key_twice(full: Desk) -> None:
    walk = full.target().existing()
    seen = list(next(walk))
    full.wait(61 * 60)
    seen += [key for page in walk for key in page]
    assert len(seen) == len(set(seen)) == 1200


def test_a_cursor_that_always_expires_is_an_outage_and_not_an_endless_walk(full: Desk) -> None:
    walk = full.target().existing()
    with pytest.raises(VendorUnavailable):
        for _page in walk:
            full.wait(61 * 60)


def test_items_without_a_key_are_nobody_of_ours(desk: Desk) -> None:
    desk.world.rename_column("Vendors", "Source ID", "Vendor code")
    desk.board_id = desk.world.board("Vendors").id
    assert [dict(page) for page in desk.target().existing()] == [{}]


def test_monday_case_28_a_duplicated_item_is_named_in_a_warning_and_the_oldest_comes_first(full: Desk) -> None:
    first, last = full.items()[0], full.items()[-1]
    copies = [full.world.duplicate_item(each["id"]) for each in (first, last)]
    seen: dict[str, list[str]] = {}
    for page in full.target().existing():
        for key, ids in page.items():
            assert key not in seen
            seen[key] = list(ids)
    for original, copy in zip((first, last), copies, strict=True):
        assert seen[original["columns"]["ml_key"]][0] == original["id"]
        assert any(code == "duplicate_key" and original["id"] in said and copy in said for code, said in full.warnings)
    assert len(full.warnings) == 2


def test_a_hundred_keys_are_looked_up_in_one_call(full: Desk) -> None:
    target = full.target()
    board = target._known(full.board_id)
    full.forget_calls()
    found = keys.find(target._client, board, [f"intacct:ACME:APBILL:{n}" for n in range(100)])
    assert len(found) == 100 and len(full.calls) == 1
    keys.find(target._client, board, [f"intacct:ACME:APBILL:{n}" for n in range(101)])
    assert len(full.calls) == 3


def test_a_look_up_that_is_too_heavy_is_halved(full: Desk) -> None:
    target = full.target()
    board = target._known(full.board_id)
    full.faults.arm("single_query_too_complex")
    assert len(keys.find(target._client, board, [f"intacct:ACME:APBILL:{n}" for n in range(100)])) == 100


def test_a_page_that_is_too_heavy_is_halved(full: Desk) -> None:
    target = full.target()
    full.faults.arm("single_query_too_complex")
    pages = list(target.existing())
    assert [len(page) for page in pages] == [250, 250, 250, 250, 200]


def test_monday_case_23_120_items_are_verified_in_two_calls(full: Desk) -> None:
    sent = full.record()
    target = full.target()
    items = full.items()[:120]
    full.world.archive_item(items[0]["id"])
    full.world.delete_item(items[1]["id"])
    sent.clear()
    amount = full.column("Amount")
    pages = list(target.standing([each["id"] for each in items], [amount]))
    assert [len(page) for page in pages] == [100, 20] and len(sent) == 2
    assert [json.loads(call.content)["variables"]["limit"] for call in sent] == [100, 100]
    read = [each for page in pages for each in page]
    assert [each.target_id for each in read] == [each["id"] for each in items]
    assert [each.is_active for each in read] == [False, False] + [True] * 118
    assert [each.values[amount] for each in read] == list(range(120))


def test_an_item_that_the_vendor_no_longer_knows_is_told_as_removed(full: Desk) -> None:
    ((standing,),) = full.target().standing(["404"], ["name"])
    assert standing == Standing(target_id="404", key="", name="", is_active=False, values={})


def test_every_active_item_is_read_with_its_key_and_place_in_pages_of_500(full: Desk) -> None:
    target = full.target()
    first = full.items()[0]
    full.world.archive_item(full.items()[-1]["id"])
    full.forget_calls()
    pages = list(target.standing(None, [full.column("Amount"), "name"]))
    assert [len(page) for page in pages] == [500, 500, 199] and len(full.calls) == 3
    assert pages[0][0] == Standing(
        target_id=first["id"],
        key="intacct:ACME:APBILL:0",
        name="Bill 0",
        is_active=True,
        values={full.column("Amount"): Decimal(0), "name": "Bill 0"},
        place=f"{full.board_id}/topics",
    )


def test_a_cursor_that_expires_gives_no_item_twice(full: Desk) -> None:
    walk = full.target().standing(None, [])
    seen = [each.target_id for each in next(walk)]
    full.wait(61 * 60)
    seen += [each.target_id for page in walk for each in page]
    assert len(seen) == len(set(seen)) == 1200


def test_a_moved_item_says_where_it_stands_and_keeps_its_key(full: Desk) -> None:
    other = full.world.add_board("Other", [("Vendor", "text")])
    full.target(other)
    full.world.delete_column(other, "Source ID")  # its id is never free again, so the key column of this board has another
    there = full.target(other)
    item = full.items()[0]
    ((standing,),) = there.standing([item["id"]], [])
    assert (standing.key, standing.place) == ("intacct:ACME:APBILL:0", f"{full.board_id}/topics")


def test_a_walk_waits_for_nothing_by_itself(full: Desk) -> None:
    before = full.login.now()
    list(full.target().existing())
    assert full.login.now() - before == timedelta(0)

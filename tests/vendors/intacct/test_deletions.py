"""What was deleted: told only when it is certain, and compared by keys where nobody tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.errors import ContractBroken, RateLimited
from integrations.sandboxes.core import Mounted
from integrations.vendors.intacct.source import IntacctSource
from tests.vendors.intacct.conftest import Carried, Desk, all_keys, answer, make_desk, page, result, scripted, signed_in

Calls = Callable[[], list[str]]
Bills = Callable[[], IntacctSource]
POLL = "query APBILL,query APBILL,query AUDITHISTORY"
BROKEN = result(
    status="failure",
    errors="<error><errorno>DL02000001</errorno><description2>There was an error processing the request.</description2></error>",
)
TIMES = dict.fromkeys(("read_at", "looked_back_at", "lines_since"), "2026-11-20T00:00:00+00:00")


@pytest.fixture
def bills(desk: Desk) -> Bills:
    return lambda: IntacctSource(desk.login, "APBILL", ["RECORDID"])


@pytest.fixture
def carried() -> Carried:
    return Carried()


def deleted(source: IntacctSource, carried: Carried) -> list[str]:
    gone: list[str] = []
    for each in source.changed_since(carried.cursor, carried.known):
        carried.take(each)
        gone += each.deleted
    return gone


def test_a_deleted_bill_is_told_once(world: Any, bills: Bills, carried: Carried, mounted: Mounted, calls: Calls) -> None:
    numbers = world.seed(bills=5)["bills"]
    assert deleted(bills(), carried) == []
    mounted.clock.advance(600)
    world.delete_bill(numbers[2])
    calls()
    assert deleted(bills(), carried) == [numbers[2]]
    assert calls() == [POLL, "query APBILL"]
    for wait in (0, 60, 900):
        mounted.clock.advance(wait)
        assert deleted(bills(), carried) == []
        assert calls() == [POLL]


def test_the_first_load_asks_for_no_deletions(world: Any, bills: Bills, carried: Carried, calls: Calls, mounted: Mounted) -> None:
    numbers = world.seed(bills=5)["bills"]
    world.delete_bill(numbers[0])
    mounted.clock.advance(60)
    assert deleted(bills(), carried) == []
    assert "AUDITHISTORY" not in "".join(calls())
    mounted.clock.advance(600)
    assert deleted(bills(), carried) == []  # what was gone before is nobody's business


def test_a_bill_deleted_during_the_first_load_is_told_by_the_next_poll(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    numbers = world.seed(bills=1500, start="2026-11-20T08:00:00+00:00", over=3600)["bills"]
    pages = bills().changed_since(None, carried.known)
    carried.take(next(pages))
    mounted.clock.advance(5)
    world.delete_bill(numbers[3])
    for each in pages:
        carried.take(each)
    assert deleted(bills(), carried) == [numbers[3]]


def test_a_recreated_bill_is_told_under_its_old_number_and_comes_under_its_new_one(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    number = world.seed(bills=3)["bills"][0]
    carried.poll(bills())
    mounted.clock.advance(60)
    new = world.recreate_bill(number)
    (found,) = bills().changed_since(carried.cursor, carried.known)
    assert found.deleted == (number,) and [each.external_id for each in found.records] == [new]
    old = next(each for each in carried.records if each.external_id == number)
    same = ("VENDORID", "RECORDID")
    assert [found.records[0].values[each] for each in same] == [old.values[each] for each in same]
    assert "MODULEKEY" in found.records[0].values


def test_many_deletions_at_one_time_are_all_told(world: Any, bills: Bills, carried: Carried, mounted: Mounted) -> None:
    numbers = world.seed(bills=2600)["bills"]
    carried.poll(bills())
    mounted.clock.advance(60)
    for each in numbers[:2500]:
        world.delete_bill(each)
    assert sorted(deleted(bills(), carried)) == sorted(numbers[:2500])


def history(*keys: str, at: str = "11/20/2026 09:00:00", n_remaining: int = 0) -> str:
    rows = [{"ID": f"h{n}", "OBJECTKEY": key, "ACCESSTIME": at} for n, key in enumerate(keys)]
    return page("AUDITHISTORY", *rows, n_remaining=n_remaining)


def cursor(**more: Any) -> dict[str, Any]:
    streams = {name: {"at": "2026-11-20T00:00:00+00:00", "after": ""} for name in ("modified", "created", "deleted")}
    return {"streams": streams, "more": False, **TIMES, **more}


def polled(*answers: str, start: dict[str, Any] | None = None) -> tuple[Any, Desk]:
    desk = make_desk(base_url="https://api.intacct.com/x", now=lambda: datetime.fromisoformat("2026-11-20T10:00:00+00:00"))
    with scripted(*signed_in(), *((200, each) for each in answers)):
        (found,) = IntacctSource(desk.login, "APBILL", ["RECORDID"]).changed_since(start or cursor(), lambda ids: {})
    return found, desk


def test_what_the_history_calls_deleted_but_is_there_is_not_deleted() -> None:
    first = answer(page("APBILL"), page("APBILL"), history("7", "8"))
    found, _ = polled(first, answer(page("APBILL", {"RECORDNO": "7"})))
    assert found.deleted == ("8",)
    assert found.cursor["seen"] == {"deleted/h1": "2026-11-20T09:00:00Z"}  # 7 may go on vanishing: it is asked again


def test_an_object_written_down_by_its_name_makes_all_keys_be_compared_now() -> None:
    found, _ = polled(answer(page("APBILL"), page("APBILL"), history("V-011")))
    assert found.deleted == () and found.cursor["compare_keys_at"] == "2026-11-20T10:00:00+00:00"


def test_a_broken_history_is_asked_once_more() -> None:
    first = answer(page("APBILL"), page("APBILL"), BROKEN)
    found, desk = polled(first, answer(history("8")), answer(page("APBILL")))
    assert found.deleted == ("8",) and "compare_keys_at" not in found.cursor and desk.warned == []


def test_a_history_that_stays_broken_is_left_for_the_next_time() -> None:
    found, desk = polled(answer(page("APBILL"), page("APBILL"), BROKEN), answer(BROKEN))
    assert found.deleted == () and desk.warned == []
    assert found.cursor["streams"]["deleted"]["at"] <= "2026-11-20T00:00:00+00:00"  # nothing after it is lost
    assert found.cursor["compare_keys_at"] == "2026-11-27T10:00:00+00:00"


@pytest.mark.parametrize(("times", "told_at_once"), [(1, True), (2, False)])
def test_a_history_that_stumbles_loses_no_deletion(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, times: int, told_at_once: bool
) -> None:
    number = world.seed(bills=3)["bills"][0]
    carried.poll(bills())
    mounted.clock.advance(60)
    world.delete_bill(number)
    mounted.faults.arm("audithistory_error", times=times)
    assert deleted(bills(), carried) == ([number] if told_at_once else [])
    mounted.clock.advance(60)
    assert deleted(bills(), carried) == ([] if told_at_once else [number])


def test_another_error_than_the_historys_own_is_not_swallowed() -> None:
    slow = result(status="failure", errors="<error><errorno>GW-0010</errorno></error>")
    with pytest.raises(RateLimited):
        polled(answer(page("APBILL"), page("APBILL"), slow))


def test_a_history_that_does_not_go_on_is_an_error_and_no_loop() -> None:
    with pytest.raises(ContractBroken, match="does not go on"):
        polled(answer(page("APBILL"), page("APBILL"), history("8", at="11/19/2026 00:00:00", n_remaining=9)))


def test_intacct_case_25_without_the_audit_history_all_keys_are_compared_once_a_week(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted, desk: Desk, calls: Calls
) -> None:
    numbers = world.seed(bills=5)["bills"]
    carried.poll(bills())
    mounted.clock.advance(600)
    mounted.faults.arm("audithistory_denied", times=None)
    world.delete_bill(numbers[2])
    calls()
    assert deleted(bills(), carried) == []  # and yet no error: bills go on
    assert calls() == [POLL]
    ((code, said),) = set(desk.warned)
    assert code == "deletions_off" and "once a week" in said and "Custom reports: View" in said
    due = datetime.fromisoformat(carried.cursor["compare_keys_at"])
    assert abs(due - mounted.clock.now() - timedelta(days=7)) < timedelta(seconds=5)
    mounted.clock.advance(3 * 86400)
    deleted(bills(), carried)
    assert datetime.fromisoformat(carried.cursor["compare_keys_at"]) == due  # not put off by further polls
    mounted.clock.advance(5 * 86400)
    assert datetime.fromisoformat(carried.cursor["compare_keys_at"]) < mounted.clock.now()
    assert set(carried.versions) - set(all_keys(bills())) == {numbers[2]}
    now = mounted.clock.now()
    carried.cursor = bills().compared(carried.cursor, now)
    assert datetime.fromisoformat(carried.cursor["compare_keys_at"]) == now + timedelta(days=7)
    mounted.faults.clear()
    mounted.clock.advance(60)
    assert deleted(bills(), carried) == [numbers[2]]  # the position stayed where it was
    assert "compare_keys_at" not in carried.cursor


def test_an_overdue_comparison_stays_due_though_deletions_are_told_again(
    world: Any, bills: Bills, carried: Carried, mounted: Mounted
) -> None:
    carried.poll(bills())
    carried.cursor = {**carried.cursor, "compare_keys_at": mounted.clock.now().isoformat()}
    mounted.clock.advance(60)
    carried.poll(bills())
    assert "compare_keys_at" in carried.cursor

"""Budgets, throttles and the size of a batch: nothing is lost, nobody hurries, and a thousand bills cost a hundred calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from integrations.errors import RateLimited
from integrations.types import Done, NotWritten, Result
from integrations.vendors.monday import VENDOR
from integrations.vendors.monday.limits import Limit, Pace, limits_of, until_midnight

from .conftest import NOON, Desk

POLICY = (
    '"minuteRate";q=5000;w=60, "concurrency";q=250;qu="concurrent-requests", "complexityMinute";q=5000000;w=60;qu="content-bytes"'
)
STATE = '"minuteRate";r=4999, "concurrency";r=249, "complexityMinute";r=4950000;t=45'


def test_both_header_lines_are_read_by_policy() -> None:
    limits = limits_of(httpx.Headers({"ratelimit-policy": POLICY, "ratelimit": STATE}))
    assert limits["minuteRate"] == Limit(quota=5000, remaining=4999)
    assert limits["complexityMinute"] == Limit(quota=5_000_000, remaining=4_950_000, resets_in=timedelta(seconds=45))


@pytest.mark.parametrize("line", ["", "nonsense", '"minuteRate"', '"minuteRate";q=many', ";;;=,", '"a;q=1'])
def test_header_lines_that_nobody_understands_are_no_limits(line: str) -> None:
    limits = limits_of({"RateLimit-Policy": line, "RateLimit": line})
    assert all(each == Limit() for each in limits.values())


def test_monday_case_17_a_minutes_limit_is_waited_for_and_the_same_call_made_again(desk: Desk) -> None:
    target = desk.target()
    (batch,) = target.batches([desk.bill(1, Vendor="Harbor")])
    desk.faults.arm("minute_limit", wait=58)
    sent_at = desk.login.now()
    with pytest.raises(RateLimited) as caught:
        target.write(batch, key="key-1")
    assert caught.value.retry_after >= timedelta(seconds=58) and caught.value.request_id
    desk.forget_calls()
    with pytest.raises(RateLimited):
        desk.target()
    assert desk.calls == []
    desk.wait(caught.value.retry_after.total_seconds())
    (result,) = target.resolve(desk.sent(batch, "key-1", sent_at))
    assert isinstance(result, Done) and len(desk.items()) == 1
    assert next(call for call in desk.calls if "create_item" in call["operation"])["headers"]["idempotency-key"] == "key-1"


@pytest.mark.parametrize("fault", ["subgraph_throttle_partial", "field_limit"])
def test_monday_case_18_a_throttle_inside_a_200_is_a_throttle(desk: Desk, fault: str) -> None:
    target = desk.target()
    desk.faults.arm(fault, field="columns", operation="boards")
    with pytest.raises(RateLimited) as caught:
        target.schema()
    desk.wait(caught.value.retry_after.total_seconds())
    assert target.schema().title == "Bills 2026"


def test_monday_case_19_the_daily_limit_parks_until_midnight_with_one_probe_an_hour(desk: Desk) -> None:
    desk.wait(3 * 3600)
    target = desk.target()
    (batch,) = target.batches([desk.bill(1, Vendor="Harbor")])
    sent_at = desk.login.now()
    desk.faults.arm("daily_limit", times=None, wait=3599)
    desk.forget_calls()
    end = datetime(2026, 12, 1, tzinfo=UTC)
    while desk.login.now() < end:
        with pytest.raises(RateLimited) as caught:
            target.write(batch, key="key-1")
        assert caught.value.said == "waiting for Monday.com's daily limit, goes on at 00:00 UTC"
        with pytest.raises(RateLimited):
            desk.target()
        desk.wait(caught.value.retry_after.total_seconds())
    assert len(desk.calls) == 9 and desk.login.now() == end
    assert {kind for kind, _until, _said in desk.budgets.exhausted} == {"day"}
    desk.faults.clear()
    (result,) = target.resolve(desk.sent(batch, "key-1", sent_at, same_login=True))
    assert result == NotWritten(external_id="1")
    assert len(desk.carry(desk.target(), [desk.bill(1, Vendor="Harbor")], key="anew")) == len(desk.items()) == 1


def test_background_work_leaves_a_tenth_of_the_day_to_people(desk: Desk) -> None:
    target = desk.target(daily_limit="20")
    for _ in range(16):
        target.schema()
    with pytest.raises(RateLimited, match="goes on at 00:00 UTC") as caught:
        target.schema()
    assert caught.value.retry_after == timedelta(hours=12)
    VENDOR.ping(desk.login)
    assert len(desk.calls) == 20


@pytest.mark.parametrize(("setting", "limit"), [("10000", 9000), ("", 22_500), ("unlimited", 22_500), ("0", 22_500), ("1", 1)])
def test_the_days_limit_is_the_one_that_ping_learned(desk: Desk, setting: str, limit: int) -> None:
    desk.target(daily_limit=setting) if setting != "1" else None
    if setting == "1":
        with pytest.raises(RateLimited):
            desk.target(daily_limit=setting)
    assert {each[2] for each in desk.budgets.spent if each[0] == "day"} == {limit}


def test_monday_case_20_three_thousand_updates_never_pass_the_minutes_quota(desk: Desk) -> None:
    desk.world.reset(plan="standard", daily_limit=100_000, minute_limit=100, mutation_cost=1_000)
    desk.board_id = desk.world.add_board("Bills", [("Amount", "numbers")])
    target = desk.target()
    column = desk.column("Amount")
    made = desk.carry(target, [desk.bill(n, Amount=n) for n in range(5)])
    ids = [each.target_id for each in made if isinstance(each, Done)]
    writes = [desk.bill(n, target_id=ids[n % 5]) for n in range(3000)]
    writes = [type(each)(**{**vars(each), "values": {column: 7}}) for each in writes]
    results = 0
    n, batches = 0, target.batches(writes)
    batch = next(batches, None)
    while batch:
        try:
            results += len(target.write(batch, key=f"k{n}"))
        except RateLimited as error:
            desk.wait(error.retry_after.total_seconds())
            n += 1
            continue
        n += 1
        batch = next(batches, None)
    assert results == 3000
    assert all(call["status"] == 200 for call in desk.calls)
    by_minute: dict[str, int] = {}
    for call in desk.calls:
        by_minute[call["at"][:16]] = by_minute.get(call["at"][:16], 0) + 1
    assert max(by_minute.values()) <= 100 and len(by_minute) > 1


def test_a_thousand_creates_cost_at_most_105_calls_all_told(desk: Desk) -> None:
    target = desk.target()
    assert list(target.existing()) == [{}]
    writes = [desk.bill(n, Vendor="Harbor", Amount=n) for n in range(1000)]
    results: list[Result] = []
    for n, batch in enumerate(target.batches(writes)):
        results += target.write(batch, key=f"key-{n}")
        desk.wait(1)
    assert sum(isinstance(each, Done) for each in results) == len(desk.items()) == 1000
    assert len(desk.calls) == 103


def test_what_an_answer_says_of_limits_is_shared_with_all_workers(desk: Desk) -> None:
    desk.target()
    assert ("minute", 2499, 2500) in desk.budgets.learned
    assert [each[2] for each in desk.budgets.spent if each[0] == "minute"] == [1000, 2500]
    assert any(kind == "complexity" and limit == 10_000_000 for kind, _left, limit in desk.budgets.learned)


class TestPace:
    def learned(self, *, cost: int = 10_000, n: int = 10, left: int = 9_000_000, calls: tuple[int, int] = (2500, 2499)) -> Pace:
        pace = Pace()
        headers = {"RateLimit-Policy": f'"minuteRate";q={calls[0]};w=60', "RateLimit": f'"minuteRate";r={calls[1]}'}
        pace.learn(n, limits_of(headers), {"query": cost * n, "after": left, "reset_in_x_seconds": 30}, NOON)
        return pace

    def test_a_batch_has_ten_writes_while_all_is_plentiful(self) -> None:
        assert Pace().size(NOON) == self.learned().size(NOON) == 10

    def test_a_batch_shrinks_to_what_four_fifths_of_the_points_left_can_pay(self) -> None:
        assert self.learned(cost=30_000, left=200_000).size(NOON) == 5
        assert self.learned(cost=30_000, left=40_000).size(NOON) == 1
        assert self.learned(cost=2_000_000, n=1).size(NOON) == 2

    def test_a_batch_grows_again_when_the_minute_is_over(self) -> None:
        assert self.learned(cost=30_000, left=40_000).size(NOON + timedelta(seconds=30)) == 10

    def test_a_batch_that_only_the_next_minute_can_pay_is_as_large_as_usual(self) -> None:
        assert self.learned(cost=30_000, left=0).size(NOON) == 10

    def test_a_batch_has_25_writes_when_calls_are_scarce_and_points_are_not(self) -> None:
        assert self.learned(calls=(1000, 99)).size(NOON) == 25
        assert self.learned(calls=(1000, 99), cost=30_000, left=450_000).size(NOON) == 12

    def test_a_batch_that_was_too_heavy_is_never_as_large_again(self) -> None:
        pace = Pace()
        assert pace.halve(10) and pace.size(NOON) == 5
        assert pace.halve(3) and pace.size(NOON) == 1
        assert not pace.halve(1) and pace.size(NOON) == 1


@pytest.mark.parametrize(
    ("at", "wait"),
    [
        (NOON, timedelta(hours=12)),
        (NOON.replace(hour=0), timedelta(hours=24)),
        (NOON.replace(hour=23, minute=59), timedelta(minutes=1)),
    ],
)
def test_a_day_ends_at_midnight_utc(at: datetime, wait: timedelta) -> None:
    assert until_midnight(at) == wait

"""Budgets and their headers, and failures by name."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations.sandboxes.core import ConnectionCut, TooSlow
from integrations.sandboxes.monday.faults import NAMES
from tests.sandboxes.test_monday import Monday, Reply, a_monday, many

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "vendors" / "monday" / "error-samples.json"


def me(monday: Monday) -> Reply:
    return monday.ask("{ me { id } }")


def test_the_headers_tell_quota_and_rest() -> None:
    monday = a_monday(plan="enterprise")
    reply = me(monday)
    assert reply.headers["RateLimit-Policy"].startswith('"minuteRate";q=5000;w=60, "concurrency";q=250;qu="concurrent-requests"')
    assert reply.headers["RateLimit"].startswith('"minuteRate";r=4999, "concurrency";r=249, "complexityMinute";r=99999')


def test_the_minute_is_a_window_that_begins_with_its_first_call() -> None:
    monday = a_monday(minute_limit=3)
    assert [me(monday).status for _ in range(4)] == [200, 200, 200, 429]
    monday.mounted.clock.advance(20)
    late = me(monday)
    assert late.code == "MINUTE_RATE_LIMIT_EXCEEDED" and 39 <= int(late.headers["Retry-After"]) <= 40
    assert late.error["extensions"]["retry_in_seconds"] == int(late.headers["Retry-After"])
    assert '"minuteRate";r=0;t=' in late.headers["RateLimit"]
    monday.mounted.clock.advance(41)
    assert me(monday).status == 200


def test_the_day_counts_refused_calls_a_tenth_and_ends_at_midnight_utc() -> None:
    monday = a_monday(daily_limit=2)
    assert [me(monday).status for _ in range(3)] == [200, 200, 429]
    assert me(monday).code == "DAILY_LIMIT_EXCEEDED" and monday.world.limits.used_today == pytest.approx(2.2)
    now = monday.mounted.clock.now()
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    monday.mounted.clock.advance((midnight - now).total_seconds() + 1)
    assert me(monday).status == 200


def test_a_bare_complexity_query_costs_a_tenth_of_a_call() -> None:
    monday = a_monday()
    monday.ask("{ complexity { before after } }")
    assert monday.world.limits.used_today == pytest.approx(0.1)


def test_failed_requests_count_too() -> None:
    monday = a_monday(minute_limit=1)
    monday.ask("{ nope }")
    assert me(monday).status == 429


def test_too_many_at_once_are_refused() -> None:
    monday = a_monday(concurrency_limit=2)
    monday.world.limits.n_running = 2
    assert me(monday).code == "MAX_CONCURRENCY_EXCEEDED"
    monday.world.limits.n_running = 1
    assert me(monday).status == 200


def test_complexity_is_counted_per_document_and_per_minute() -> None:
    monday = a_monday(mutation_cost=600_000)
    names: dict[str, Any] = {f"n{i}": "x" for i in range(9)} | {f"c{i}": "{}" for i in range(9)}
    too_heavy = monday.ask(many(9), b=monday.bills, **names)
    assert too_heavy.status == 200 and too_heavy.code == "REQUEST_MAX_COMPLEXITY_EXCEEDED"
    replies = [monday.ask(many(8), b=monday.bills, **names) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].code == "COMPLEXITY_BUDGET_EXHAUSTED" and len(monday.world.board_items("AP bills")) == 16
    monday.mounted.clock.advance(61)
    assert monday.ask(many(8), b=monday.bills, **names).status == 200


def test_ids_count_as_rows_and_not_as_numbers() -> None:
    monday = a_monday()
    one, two = f"boards(ids: {monday.bills}) {{ id }}", "boards(ids: $b) { id }"
    assert monday.ask(f"{{ {one} complexity {{ query }} }}").data["complexity"]["query"] == 11 + 11
    text = f"query ($b: [ID!]) {{ {two} complexity {{ query }} }}"
    assert monday.ask(text, b=[monday.bills, "1"]).data["complexity"]["query"] == 22 + 11
    assert monday.ask(text, b=int(monday.bills)).data["complexity"]["query"] == 11 + 11


def test_an_app_has_a_budget_of_its_own() -> None:
    monday = a_monday()
    monday.world.add_token("app", scopes=["me:read"])
    reply = monday.ask("{ me { id } }", {"Authorization": "app"})
    assert '"complexityMinute";q=5000000' in reply.headers["RateLimit-Policy"]


def test_forty_boards_a_minute_are_enough() -> None:
    monday = a_monday()
    make = 'mutation { create_board(board_name: "B", board_kind: public, empty: true) { id } }'
    assert {monday.ask(make).status for _ in range(40)} == {200}
    assert monday.ask(make).code == "RATE_LIMIT_EXCEEDED"
    monday.mounted.clock.advance(61)
    assert monday.ask(make).status == 200


def test_limits_can_be_switched_off() -> None:
    monday = a_monday(limits=False, minute_limit=1, daily_limit=1)
    assert {me(monday).status for _ in range(5)} == {200}


def test_all_items_can_be_asked_for_once_in_two_minutes() -> None:
    monday = a_monday()
    assert [item["name"] for item in monday.ask("{ items(limit: 2) { name } }").data["items"]]
    assert monday.ask("{ items { id } }").body["data"] == {"items": None}


def test_only_admins_read_the_daily_limit() -> None:
    monday = a_monday()
    assert monday.ask("{ platform_api { daily_limit { base total } } }").data["platform_api"]["daily_limit"]["total"] == 10_000
    monday.world.add_token("member")
    reply = monday.ask("{ platform_api { daily_limit { total } } }", {"Authorization": "member"})
    assert reply.code == "UserUnauthorizedException"


def two_aliases(monday: Monday, key: str = "") -> Reply:
    names = {"n0": "A", "n1": "B", "c0": "{}", "c1": "{}"}
    return monday.send({"query": many(2), "variables": {"b": monday.bills, **names}}, {"Idempotency-Key": key} if key else None)


def test_slow_does_nothing_and_commit_then_slow_does_the_work() -> None:
    monday = a_monday()
    for name, n_items in (("slow", 0), ("commit_then_slow", 2)):
        monday.mounted.faults.arm(name)
        with pytest.raises(TooSlow):
            two_aliases(monday)
        assert len(monday.world.board_items("AP bills")) == n_items


@pytest.mark.parametrize("name", ["commit_then_drop", "lost_reply"])
def test_a_dropped_connection_leaves_the_work_done(name: str) -> None:
    monday = a_monday()
    monday.mounted.faults.arm(name, times=2)
    for _ in range(2):
        with pytest.raises(ConnectionCut):
            two_aliases(monday, key="k")
    assert two_aliases(monday, key="k").headers["Idempotency-Replayed"] == "true"
    assert len(monday.world.board_items("AP bills")) == 2


def test_broken_answers_come_as_pages_halves_and_heaps() -> None:
    monday = a_monday()
    faults = monday.mounted.faults
    faults.arm("html_page", status=502)
    reply = me(monday)
    assert reply.status == 502 and reply.headers["Content-Type"].startswith("text/html")
    faults.arm("html_page")
    assert me(monday).raw.startswith(b"<!DOCTYPE")
    faults.arm("truncated")
    with pytest.raises(json.JSONDecodeError):
        _ = me(monday).body
    faults.arm("huge")
    assert len(me(monday).raw) > 10_000_000
    faults.arm("version_changed")
    assert me(monday).headers["API-Version"] == "2025-04" and me(monday).headers["API-Version"] == "2026-10"
    faults.arm("string_errors", message="odd", status=200)
    assert me(monday).body == {"errors": ["odd"]}


def test_one_alias_fails_where_it_is_told_to() -> None:
    monday = a_monday()
    monday.mounted.faults.arm("one_bad_alias", index=1, column_type="phone", column_id="contact_phone")
    reply = two_aliases(monday)
    assert reply.body["data"]["r1"] is None and reply.error["path"] == ["r1"]
    assert reply.error["extensions"]["error_data"] == {"column_type": "phone", "column_id": "contact_phone"}
    assert [item["name"] for item in monday.world.board_items("AP bills")] == ["A"]


def test_faults_strike_one_operation_and_every_nth_call() -> None:
    monday = a_monday()
    monday.mounted.faults.arm("server_error", times=None, every=3, operation="create_item")
    assert me(monday).status == 200
    assert [two_aliases(monday).status for _ in range(6)] == [200, 200, 500, 200, 200, 500]


def test_a_throttled_column_read_nulls_the_columns_only() -> None:
    monday = a_monday()
    monday.mounted.faults.arm("subgraph_throttle_partial")
    body = monday.ask("{ boards { id columns { id } } }").body
    assert body["data"]["boards"][0]["columns"] is None and body["data"]["boards"][1]["columns"]
    assert body["errors"][0]["path"] == ["boards", 0, "columns"]


def samples() -> dict[str, Any]:
    if not SAMPLES.exists():
        return {}
    return {sample["name"]: sample for sample in json.loads(SAMPLES.read_text())}


def provoke(monday: Monday, name: str) -> Reply:
    """Arm the fault and ask what its sample was an answer to."""
    monday.mounted.faults.arm(name)
    item = monday.world.seed(n=1)["item_ids"][0]
    if name == "field_limit":
        return monday.ask("query ($i: [ID!]) { items(ids: $i) { subitems { id } } }", i=[item])
    if name == "subgraph_throttle_partial":
        return monday.ask("{ boards { id name columns { id } } }")
    values: dict[str, Any] = {f"n{i}": "x" for i in range(3)} | {f"c{i}": "{}" for i in range(3)}
    return monday.ask(many(3), b=monday.bills, **values) if name == "aliased_partial_success" else monday.create()


def shape(error: Any) -> Any:
    if isinstance(error, str):
        return error
    extensions = error.get("extensions", {})
    return {
        "keys": sorted(error),
        "code": extensions.get("code"),
        "extensions": sorted(extensions),
        "error_data": sorted(extensions.get("error_data", {})),
        "status_code": extensions.get("status_code"),
        "message": None if "code" not in extensions and "value" in extensions else error["message"],
    }


@pytest.mark.skipif(not SAMPLES.exists(), reason="the collection of error samples is not beside this repository")
@pytest.mark.parametrize("name", sorted(samples()) or ["none"])
def test_an_error_has_the_shape_of_its_sample(name: str) -> None:
    sample = samples()[name]
    reply = provoke(a_monday(), name)
    assert name in NAMES and reply.status == sample["http_status"]
    assert {key: reply.headers.get(key) for key in sample["headers"]} == sample["headers"]
    if isinstance(sample["body"], str):
        assert reply.raw.decode() == sample["body"]
        return
    assert set(sample["body"]) - {"account_id"} == set(reply.body) - {"account_id"}
    theirs, ours = shape(sample["body"]["errors"][0]), shape(reply.error)
    if name in ("unknown_field",):
        theirs["message"], ours["message"] = theirs["message"].split(" on ")[0], ours["message"].split(" on ")[0]
    assert ours == theirs

"""The board against the books, both sandboxed: damage that people did is named bill by bill, and nothing else is."""

import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.models import Flow, Reconciliation
from integrations.sync import verbs
from integrations.sync.reconcile import reconcile, reconcile_if_due, words
from tenants.audit import SYSTEM
from tests.flows.conftest import Harbor

pytestmark = pytest.mark.database

N = 120


@pytest.fixture
def loaded(harbor: Harbor) -> Harbor:
    harbor.books.world.seed(bills=N)
    harbor.finish()
    harbor.again()
    harbor.forget_calls()
    return harbor


def named(made: Reconciliation) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in made.differences["named"]:
        found.setdefault(each["what"], set()).add(each["record"])
    return found


def bills(harbor: Harbor) -> list[dict[str, Any]]:
    return harbor.books.world.bills()


def totals(harbor: Harbor) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for bill in bills(harbor):
        found[bill["CURRENCY"]] = found.get(bill["CURRENCY"], Decimal()) + Decimal(bill["TRX_TOTALENTERED"])
    return found


def test_an_untouched_board_agrees_to_the_cent_for_a_handful_of_calls(loaded: Harbor) -> None:
    made = reconcile(loaded.flow, by=SYSTEM)
    assert made.agrees, made.differences
    assert made.differences == {"counts": {}, "named": []}
    on_board: dict[str, Decimal] = {}
    for each in made.sums:
        on_board[each["currency"]] = on_board.get(each["currency"], Decimal()) + Decimal(each["board"]["amount"])
    assert on_board == totals(loaded)
    assert sum(each["books"]["n"] for each in made.sums) == N
    assert (made.n_source_calls, made.n_target_calls) == (len(loaded.calls("books")), len(loaded.calls("board"))) == (2, 2)
    assert "credits" in {each["kind"] for each in made.sums} or all(
        Decimal(bill["TRX_TOTALENTERED"]) >= 0 for bill in bills(loaded)
    )
    assert "all bills of all entities" in made.population


def damage(harbor: Harbor) -> dict[str, set[str]]:
    """One of everything that people do to a board."""
    world = harbor.board.world
    lost, archived, doubled, altered, recoined, unsigned = [bill["RECORDNO"] for bill in bills(harbor)[10:70:10]]
    world.delete_item(harbor.item(lost)["id"])
    world.archive_item(harbor.item(archived)["id"])
    world.duplicate_item(harbor.item(doubled)["id"])
    amount = Decimal(harbor.text(harbor.item(altered), "Amount"))
    world.set_value(harbor.item(altered)["id"], "Amount", str(amount + Decimal("0.01")))
    was = harbor.text(harbor.item(recoined), "Currency")
    world.set_value(harbor.item(recoined)["id"], "Currency", "USD" if was != "USD" else "EUR")
    extra = world.duplicate_item(harbor.item(unsigned)["id"])
    world.set_value(extra, "Source ID", "intacct:SAMPLE:APBILL:999999")
    theirs = world.duplicate_item(harbor.item(unsigned)["id"])
    world.set_value(theirs, "Source ID", "")
    world.set_value(harbor.item(unsigned)["id"], "Source ID", "mine")
    return {
        "missing": {lost, archived, unsigned},
        "doubled": {doubled},
        "different": {altered, recoined},
        "extra": {"999999"},
    }


def test_every_damaged_bill_is_named_and_no_other(loaded: Harbor) -> None:
    expected = damage(loaded)
    loaded.forget_calls()
    made = reconcile(loaded.flow, by=SYSTEM)
    assert not made.agrees
    assert named(made) == expected
    assert (made.n_source_calls, made.n_target_calls) == (len(loaded.calls("books")), len(loaded.calls("board")))
    assert made.n_source_calls <= 6 and made.n_target_calls <= 4
    said = words.in_words(made)
    assert (
        words.verdict(made)
        == "The board ‘AP bills’ does not agree with Sage Intacct: 3 missing, 1 extra, 1 doubled, 2 different."
    )
    assert "Sage Intacct has no such bill." in said


def test_bills_that_changed_since_the_last_run_wait_and_agree_after_it(loaded: Harbor) -> None:
    loaded.later(hours=4)
    changed, deleted = (bill["RECORDNO"] for bill in bills(loaded)[5:7])
    loaded.books.world.change_bill(changed, TRX_TOTALENTERED="77.70", TOTALENTERED="77.70")
    loaded.books.world.seed(bills=3)
    made = reconcile(loaded.again(), by=SYSTEM)
    assert made.agrees, made.differences
    assert made.differences["counts"] == {"waiting": 4}
    loaded.books.world.delete_bill(deleted)
    loaded.later(hours=4)
    loaded.finish()
    made = reconcile(loaded.again(), by=SYSTEM)
    assert made.agrees, made.differences
    assert named(made) in ({}, {"deleted": {deleted}})


def run(*words_: str) -> str:
    out = io.StringIO()
    call_command(*words_, stdout=out)
    return out.getvalue()


def test_the_command_tells_and_exits_by_what_it_found(loaded: Harbor) -> None:
    said = run("reconcile", "harbor/bills")
    assert said.startswith("The board ‘AP bills’ agrees with Sage Intacct, to the cent.\nCompared: all bills of all entities")
    assert said.endswith("2 calls to Sage Intacct, 2 to Monday.com.\n")
    loaded.board.world.delete_item(loaded.items()[0]["id"])
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"^They do not agree\.$"):
        call_command("reconcile", "harbor/bills", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["agrees"] is False
    assert told["differences"]["counts"] == {"missing": 1}


def test_a_day_without_calls_left_keeps_nothing_and_says_when_it_goes_on(loaded: Harbor) -> None:
    loaded.flow.target.settings = {**loaded.flow.target.settings, "daily_limit": "1"}
    loaded.flow.target.save(update_fields=["settings"])
    with pytest.raises(CommandError) as refused:
        run("reconcile", "harbor/bills")
    assert "goes on when you ask again, at 2026-11-28 00:00:00 UTC (18:00 America/Chicago). Nothing was kept of it." in str(
        refused.value
    )
    assert not Reconciliation.objects.exists()
    Flow.objects.update(options={"reconcile_nightly": True})
    assert reconcile_if_due(loaded.again(), loaded.now()) is None
    loaded.flow.target.settings = {**loaded.flow.target.settings, "daily_limit": "1000"}
    loaded.flow.target.save(update_fields=["settings"])
    loaded.later(hours=14, minutes=59)
    assert reconcile_if_due(loaded.again(), loaded.now()) is None
    loaded.later(minutes=2)
    assert reconcile_if_due(loaded.again(), loaded.now()) is not None


def test_an_amount_that_is_not_mapped_is_told_in_the_vendors_words(loaded: Harbor) -> None:
    from mappings.sets import new_version, rules_of

    rules = [rule for rule in rules_of(loaded.flow.mapping) if rule.field != "TRX_TOTALENTERED"]
    loaded.flow.mapping = new_version(loaded.flow.mapping.line, rules, by=SYSTEM)
    loaded.flow.save(update_fields=["mapping"])
    with pytest.raises(CommandError, match="‘Bill amount’ is not mapped to a column of the board ‘AP bills’"):
        run("reconcile", "harbor/bills")


def test_a_paused_flow_is_compared_all_the_same(loaded: Harbor) -> None:
    verbs.pause(loaded.flow, by=SYSTEM, because="Year end")
    loaded.later(hours=1)
    loaded.books.world.seed(bills=1)
    made = reconcile(loaded.again(), by=SYSTEM)
    assert made.differences["counts"] == {"missing": 1}
    bill = bills(loaded)[-1]
    assert made.differences["named"][0]["label"] == f"Bill {bill['RECORDID']}, {bill['VENDORNAME']}"
    assert made.made_at - loaded.now() < timedelta(seconds=1)

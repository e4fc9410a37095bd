"""Rate limits: budgets that all workers share, turns, and waiting instead of failing."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations import sharing
from integrations.errors import RateLimited
from integrations.models import Budget, Turn

pytestmark = pytest.mark.database

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def spend(budgets: sharing.SharedBudgets, cost: int = 1, *, limit: int = 3, window: timedelta = MINUTE) -> None:
    budgets.spend("minute", cost, limit=limit, window=window, said="Waiting for the minute's limit.")


@pytest.mark.django_db
def test_a_budget_counts_for_everybody_and_waits_until_its_window_ends(clock: Any) -> None:
    mine, theirs = sharing.SharedBudgets("account 1"), sharing.SharedBudgets("account 1")
    spend(mine, 2)
    spend(theirs)
    clock.shift(20)
    with pytest.raises(RateLimited) as refused:
        spend(mine)
    assert refused.value.retry_after == timedelta(seconds=40)
    assert refused.value.said == "Waiting for the minute's limit."
    clock.shift(40)
    spend(mine, 3)
    spend(sharing.SharedBudgets("account 2"), 3)


@pytest.mark.django_db
def test_a_days_budget_starts_again_at_midnight_utc(clock: Any) -> None:
    budgets = sharing.SharedBudgets("account 1")
    spend(budgets, 3, window=DAY)
    with pytest.raises(RateLimited) as refused:
        spend(budgets, window=DAY)
    assert timezone.now() + refused.value.retry_after == timezone.now().replace(hour=0) + DAY


@pytest.mark.django_db
def test_what_the_vendor_says_of_its_limit_wins(clock: Any) -> None:
    budgets = sharing.SharedBudgets("account 1")
    spend(budgets, limit=1000)
    budgets.learn("minute", limit=2, remaining=0)
    with pytest.raises(RateLimited):
        spend(budgets, limit=1000)
    assert Budget.objects.get().used == 2


@pytest.mark.django_db
def test_an_exhausted_budget_stops_everybody_until_then(clock: Any) -> None:
    budgets = sharing.SharedBudgets("account 1")
    budgets.exhaust("day", until=timedelta(hours=9), said="Used up.")
    with pytest.raises(RateLimited) as refused:
        budgets.spend("day", 1, limit=1000, window=DAY, said="Used up.")
    assert refused.value.retry_after == timedelta(hours=9)
    clock.shift(9 * 3600)
    budgets.spend("day", 1, limit=1000, window=DAY, said="Used up.")


@pytest.mark.django_db
def test_a_turn_has_one_holder_and_a_dead_holder_frees_it(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "TURN_PATIENCE", timedelta(0))
    with (
        sharing.turn("sender/company"),
        sharing.turn("sender/another"),
        pytest.raises(RateLimited),
        sharing.turn("sender/company"),
    ):
        pass
    with sharing.turn("sender/company"):
        pass
    Turn.objects.update(until=timezone.now() + sharing.TURN_LASTS)
    clock.shift(sharing.TURN_LASTS + timedelta(seconds=1))
    with sharing.turn("sender/company"):
        pass


@pytest.mark.django_db
def test_a_turn_says_nothing_of_whose_it_is() -> None:
    with sharing.turn("acmeMPP/ACME"):
        assert "acme" not in Turn.objects.get().key.lower()

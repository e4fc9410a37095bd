"""Killed after every single call and every single database write of a real run, and started again: the same board."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from integrations.models import Attempt, Link, RecordOutcome
from integrations.sync.endings import Ending
from tenants.audit import verify
from tests.flows.conftest import Harbor

N_STEPS_MOST = 90


class Killed(BaseException):
    """The process is gone: nothing after this reaches the database or a vendor."""


class Executioner:
    """Lets the process die at the n-th step: before a write, before a request is sent, or before its answer is read."""

    def __init__(self, harbor: Harbor, at: int) -> None:
        self.harbor, self.at, self.n, self.is_dead = harbor, at, 0, False
        self.steps: list[str] = []

    def step(self, what: str) -> None:
        if self.is_dead:
            raise Killed(what)
        self.n += 1
        self.steps.append(what)
        if self.n == self.at:
            self.is_dead = True
            raise Killed(what)

    def on_sql(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            self.step("write")
        return execute(sql, params, many, context)

    def watch(self) -> None:
        """Serve one slice under observation."""
        line = self.harbor.line
        line.on_send, line.on_answer = lambda: self.step("send"), lambda: self.step("answer")
        try:
            with connection.execute_wrapper(self.on_sql):
                self.harbor.serve()
        except Killed:
            self.is_dead = True
        finally:
            line.on_send = line.on_answer = lambda: None


def prepare(harbor: Harbor) -> None:
    """Some bills stand on the board, one of them changed, and more than a batch is new."""
    recordnos = harbor.books.world.seed(bills=3)["bills"]
    harbor.finish()
    harbor.later(minutes=5)
    harbor.books.world.change_bill(recordnos[1], TRX_TOTALENTERED="55.55", TOTALENTERED="55.55")
    harbor.books.world.seed(bills=11)


def test_the_enumeration_covers_every_step(harbor: Harbor) -> None:
    prepare(harbor)
    executioner = Executioner(harbor, at=-1)
    executioner.watch()
    harbor.assert_agrees()
    assert len(executioner.steps) <= N_STEPS_MOST
    assert executioner.steps.count("send") == executioner.steps.count("answer") >= 5
    assert executioner.steps.count("write") > 20


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, N_STEPS_MOST + 1))
def test_killed_at_any_step_and_started_again_the_board_is_the_same(harbor: Harbor, at: int) -> None:
    prepare(harbor)
    executioner = Executioner(harbor, at)
    executioner.watch()
    if not executioner.is_dead:
        return  # the run has fewer steps than this
    harbor.later(seconds=151 if at % 2 else 31 * 60)
    harbor.finish(wait=True)
    harbor.assert_agrees()
    assert not Attempt.objects.exists()
    assert set(Link.objects.values_list("state", flat=True)) == {"settled"}
    happened = RecordOutcome.objects.exclude(what="updated").values_list("external_id", flat=True)
    assert len(happened) == len(set(happened)) == 14
    assert verify(harbor.tenant).ok
    assert harbor.serve() is Ending.DONE


def test_memory_of_a_call_is_gone_once_it_is_settled(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=25)
    harbor.finish()
    assert not Attempt.objects.exists()

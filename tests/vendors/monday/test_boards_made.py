"""Boards that we make: 40 a minute, whatever the plan."""

from __future__ import annotations

from datetime import timedelta

from integrations.errors import RateLimited

from .conftest import Desk


def test_monday_case_21_of_45_boards_in_a_minute_40_go_out_and_5_wait_for_the_next(desk: Desk) -> None:
    target = desk.target()
    made: list[str] = []
    waits: list[timedelta] = []
    desk.forget_calls()
    for n in range(45):
        try:
            made.append(target.create_board(f"Bills {n}"))
        except RateLimited as error:
            waits.append(error.retry_after)
    assert len(made) == len(set(made)) == len(desk.calls) == 40
    assert waits == [timedelta(minutes=1)] * 5
    desk.wait(60)
    made += [target.create_board(f"Bills {n}") for n in range(40, 45)]
    assert len(set(made)) == 45 and desk.world.board_items(made[-1]) == []

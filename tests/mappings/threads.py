"""Several people at the same moment, each on a connection of their own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections


def at_once(do: Callable[[int], Any], numbers: Iterable[int]) -> list[Any]:
    """What each of them got. They start together, so that what can collide does."""
    people = list(numbers)
    start = Barrier(len(people))

    def one(number: int) -> Any:
        try:
            start.wait(timeout=10)
            return do(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(one, people))

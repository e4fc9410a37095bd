"""Answers remembered under an ``Idempotency-Key``: for thirty minutes, per user and app."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.sandboxes.core import Answer

from .answers import idempotency_conflict

LIVES = timedelta(minutes=30)
LARGEST = 1_000_000
BUDGET = 64 * 1024 * 1024

Key = tuple[str, str, str]  # user, app, what the caller sent


@dataclass(frozen=True)
class Kept:
    answer: Answer
    until: datetime


class Remembered:
    """Keys that are running now, and the answers of those that ended."""

    def __init__(self) -> None:
        self._running: set[Key] = set()
        self._kept: dict[Key, Kept] = {}
        self._size = 0

    def begin(self, key: Key, now: datetime) -> Answer | None:
        """The remembered answer; or None, and the key counts as running until ``end``. Refuses a key that runs already."""
        if key in self._running:
            raise idempotency_conflict()
        kept = self._kept.get(key)
        if kept and now < kept.until:
            return kept.answer
        self._running.add(key)
        return None

    def end(self, key: Key, answer: Answer | None, now: datetime) -> None:
        """The request ended; ``answer`` None: nothing was executed, so there is nothing to remember."""
        self._running.discard(key)
        if answer is None or len(answer.body) > LARGEST:
            return
        self._forget(key)
        if self._size + len(answer.body) > BUDGET:
            self._sweep(now)
        if self._size + len(answer.body) <= BUDGET:
            self._kept[key] = Kept(answer, now + LIVES)
            self._size += len(answer.body)

    def _forget(self, key: Key) -> None:
        if kept := self._kept.pop(key, None):
            self._size -= len(kept.answer.body)

    def _sweep(self, now: datetime) -> None:
        for key in [key for key, kept in self._kept.items() if now >= kept.until]:
            self._forget(key)

"""How much at once and how often: places per company, calls per period, and the count that ends up on the customer's invoice."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from integrations.sandboxes.intacct.settings import Settings


class Crowded(Exception):
    """No place came free in time, or too many calls came in one period."""


class Gate:
    """Lets a few requests of each company in at once; the next ones wait for a real while and are then sent away."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._inside: Counter[str] = Counter()
        self._at_the_door: Counter[tuple[str, str]] = Counter()
        self._recent: dict[str, deque[float]] = {}
        self.n_in_flight_max: Counter[tuple[str, str]] = Counter()  # (sender, company) -> most requests seen at one time

    @contextmanager
    def entered(self, senderid: str, companyid: str, settings: Settings, now: float) -> Iterator[None]:
        caller = senderid, companyid
        with self._free:
            self._at_the_door[caller] += 1
            self.n_in_flight_max[caller] = max(self.n_in_flight_max[caller], self._at_the_door[caller])
        try:
            self._enter(companyid, settings, now)
            try:
                if settings.hold:
                    time.sleep(settings.hold)
                yield
            finally:
                self._leave(companyid)
        finally:
            with self._free:
                self._at_the_door[caller] -= 1

    def _enter(self, companyid: str, settings: Settings, now: float) -> None:
        with self._free:
            self._count_call(companyid, settings, now)
            is_free = self._free.wait_for(
                lambda: not settings.limits or self._inside[companyid] < settings.concurrency, timeout=settings.waits_for
            )
            if not is_free:
                raise Crowded
            self._inside[companyid] += 1

    def _count_call(self, companyid: str, settings: Settings, now: float) -> None:
        if not settings.rate or not settings.limits:
            return
        recent = self._recent.setdefault(companyid, deque())
        while recent and recent[0] <= now - settings.rate_for:
            recent.popleft()
        if len(recent) >= settings.rate:
            raise Crowded
        recent.append(now)

    def _leave(self, companyid: str) -> None:
        with self._free:
            self._inside[companyid] -= 1
            self._free.notify_all()

"""What all workers share about a vendor, as rows: turns, budgets, and each connection's session."""

import hashlib
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from integrations.errors import RateLimited
from integrations.models import Budget, Connection, Turn, VendorSession
from integrations.types import Session, Spent
from tenants.secrets import open_sealed

TURN_LASTS = timedelta(seconds=90)  # longer than any call may last
TURN_PATIENCE = timedelta(seconds=20)
_FREE = datetime(2000, 1, 1, tzinfo=UTC)


@contextmanager
def turn(name: str) -> Iterator[None]:
    """Hold the one turn of this name, waiting for it up to ``TURN_PATIENCE``; a holder that died frees it after ``TURN_LASTS``.

    Raises RateLimited when somebody else keeps it: the flow goes on a little later.
    """
    key, holder = hashlib.sha256(name.encode()).hexdigest(), uuid.uuid4()
    _take(key, holder)
    try:
        yield
    finally:
        Turn.objects.filter(key=key, holder=holder).update(holder=None, until=_FREE)


def take_until(name: str, until: datetime) -> bool:
    """Take the turn of this name until then, whatever becomes of its holder; False while somebody has it."""
    key, now = hashlib.sha256(name.encode()).hexdigest(), timezone.now()
    Turn.objects.bulk_create([Turn(key=key, until=_FREE)], ignore_conflicts=True)
    return bool(Turn.objects.filter(key=key, until__lt=now).update(holder=uuid.uuid4(), until=until))


def keep_until(name: str, until: datetime) -> None:
    """Let nobody take this turn before then."""
    Turn.objects.filter(key=hashlib.sha256(name.encode()).hexdigest()).update(until=until)


def _take(key: str, holder: uuid.UUID) -> None:
    patience = time.monotonic() + TURN_PATIENCE.total_seconds()
    while not _took(key, holder):
        if time.monotonic() > patience:
            raise RateLimited(
                "Another call to the same company is under way. This flow goes on in a moment.", retry_after=timedelta(seconds=15)
            )
        time.sleep(random.uniform(0.02, 0.1))  # noqa: S311 - spreads the waiters, guards nothing


def _took(key: str, holder: uuid.UUID) -> bool:
    now = timezone.now()
    if Turn.objects.filter(key=key, until__lt=now).update(holder=holder, until=now + TURN_LASTS):
        return True
    if Turn.objects.filter(key=key).exists():
        return False
    Turn.objects.bulk_create([Turn(key=key, until=_FREE)], ignore_conflicts=True)
    return _took(key, holder)


class SharedBudgets:
    """The budgets of one scope (an account, an application) as rows; each question is one conditional UPDATE."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    def spend(self, kind: str, cost: int, *, limit: int, window: timedelta, said: str) -> None:
        """Count ``cost``, or raise RateLimited(``said``) until the window ends. A day's window ends at midnight UTC."""
        now = timezone.now()
        mine = self._rows(kind)
        fits = Q(learned_limit=None, used__lte=limit - cost) | Q(learned_limit__gte=F("used") + cost)
        is_open = Q(blocked_until=None) | Q(blocked_until__lte=now)
        if mine.filter(is_open, fits, ends_at__gt=now).update(used=F("used") + cost):
            return None
        if mine.filter(is_open, ends_at__lte=now).update(used=cost, **_window(now, window)):
            return None
        row = mine.first()
        if row is None:
            Budget.objects.bulk_create([Budget(scope=self._scope, kind=kind, **_window(now, window))], ignore_conflicts=True)
            return self.spend(kind, cost, limit=limit, window=window, said=said)
        until = max(row.ends_at, row.blocked_until or row.ends_at) if row.ends_at > now else row.blocked_until or row.ends_at
        raise RateLimited(said, retry_after=max(until - now, timedelta(seconds=1)))

    def learn(
        self, kind: str, *, remaining: int | None = None, limit: int | None = None, resets_in: timedelta | None = None
    ) -> None:
        """Take over what an answer said; writes only where it differs from what we know, which one look at the row tells."""
        now, mine = timezone.now(), self._rows(kind)
        row = mine.first()
        if row is None:
            return
        known_limit = row.learned_limit if limit is None else limit
        if known_limit != row.learned_limit:
            mine.update(learned_limit=known_limit)
        if remaining is not None and known_limit is not None and known_limit > row.used + remaining:
            mine.filter(learned_limit__gt=F("used") + remaining, ends_at__gt=now).update(used=F("learned_limit") - remaining)
        if resets_in is not None and remaining == 0:
            mine.filter(ends_at__lt=now + resets_in).update(ends_at=now + resets_in)

    def exhaust(self, kind: str, *, until: timedelta, said: str) -> None:
        """Nobody spends from this budget before ``until`` has passed."""
        now = timezone.now()
        if not self._rows(kind).update(blocked_until=now + until):
            row = Budget(scope=self._scope, kind=kind, starts_at=now, ends_at=now + until, blocked_until=now + until)
            Budget.objects.bulk_create([row], ignore_conflicts=True)

    def _rows(self, kind: str) -> Any:
        return Budget.objects.filter(scope=self._scope, kind=kind)


def spent(scope: str) -> dict[str, Spent]:
    """What is used of the budgets of a scope, by kind, and the limits that were learnt."""
    rows = Budget.objects.filter(scope=scope)
    return {row.kind: Spent(used=row.used, limit=row.learned_limit, ends_at=row.ends_at) for row in rows}


def _window(now: datetime, window: timedelta) -> dict[str, datetime]:
    if window == timedelta(days=1):
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return {"starts_at": midnight, "ends_at": midnight + window}
    return {"starts_at": now, "ends_at": now + window}


class StoredSessions:
    """Where one connection's vendor session is kept: sealed, in a row of its own, seen by every worker."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self) -> Session | None:
        row = VendorSession.objects.filter(connection=self._connection).first()
        return _session(open_sealed(row, "sealed")) if row else None

    def save(self, session: Session) -> None:
        with transaction.atomic():
            row = VendorSession.objects.filter(connection=self._connection).first()
            row = row or VendorSession(connection=self._connection)
            row.sealed, row.opened_at = _plain(session), session.opened_at
            try:
                with transaction.atomic():
                    row.save()
            except IntegrityError:  # another worker logged in at the same moment; its session serves as well
                return

    def drop(self) -> None:
        VendorSession.objects.filter(connection=self._connection).delete()


class BriefSessions:
    """A session for as long as one command or form lasts: connections that are not stored yet."""

    def __init__(self) -> None:
        self._session: Session | None = None

    def load(self) -> Session | None:
        return self._session

    def save(self, session: Session) -> None:
        self._session = session

    def drop(self) -> None:
        self._session = None


def _plain(session: Session) -> dict[str, Any]:
    return {
        "token": session.token,
        "endpoint": session.endpoint,
        "opened_at": session.opened_at.isoformat(),
        "expires_at": session.expires_at and session.expires_at.isoformat(),
        "facts": dict(session.facts),
        "credentials": session.credentials,
    }


def _session(plain: dict[str, Any]) -> Session:
    moment: Callable[[str], datetime] = datetime.fromisoformat
    return Session(
        token=plain["token"],
        endpoint=plain["endpoint"],
        opened_at=moment(plain["opened_at"]),
        expires_at=moment(plain["expires_at"]) if plain["expires_at"] else None,
        facts=plain["facts"],
        credentials=plain["credentials"],
    )

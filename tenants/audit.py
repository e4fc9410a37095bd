"""record(...): the only way into the audit trail; and verify(...), which proves that nothing in it was changed, lost or cut off.

Each tenant has a chain of its own, and the platform has one. A row carries the SHA-256 of itself and of the row before, which
anybody can check, and a seal (HMAC) made with a key that is not in the database, which nobody with only the database can forge.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from tenants.models import PLATFORM_CHAIN, AuditEvent, Tenant
from tenants.redaction import redact
from tenants.scoping import WrongTenant, acting_for, tenant_or_none

ActorKind = Literal["user", "staff", "partner", "system"]

_ATTEMPTS = 50
_BATCH = 500
_PERSONAL_MASK = "[personal]"
_PERSONAL_KEYS = {
    "email",
    "e_mail",
    "email_address",
    "first_name",
    "last_name",
    "full_name",
    "phone",
    "ip",
    "ip_address",
    "remote_addr",
}
_EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[^\s@<>\"'(),;:]+")
_HASHED = ("number", "actor_kind", "actor_id", "action", "subject_type", "subject_id", "because", "details", "previous")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who did it, as an id: a person's name and address stand in AuditName only."""

    kind: ActorKind
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


SYSTEM = Actor(kind="system")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a look at one chain found. ``wrong_at`` is the first number that is not as it was written."""

    chain: uuid.UUID
    ok: bool
    count: int
    head: str
    wrong_at: int | None = None
    why: str = ""


def record(
    action: str,
    *,
    by: Actor,
    subject: models.Model | tuple[str, str] | None = None,
    because: str = "",
    details: Mapping[str, Any] | None = None,
    tenant: Tenant | uuid.UUID | None = None,
) -> AuditEvent:
    """Add one event to the current tenant's chain, or to the platform's when there is no tenant. Call it last before the commit.

    Two writers that read the same last row conflict on the number; the later one waits for the first and takes the next number.
    """
    with acting_for(tenant) if tenant is not None else nullcontext():
        chain = tenant_or_none() or PLATFORM_CHAIN
        subject_type, subject_id = _named(subject)
        what: dict[str, Any] = {
            "actor_kind": by.kind,
            "actor_id": by.id,
            "action": action,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "because": _storable(redact(because)),
            "details": _storable(redact(dict(details or {}))),
        }
        return _append(chain, what)


def _append(chain: uuid.UUID, what: dict[str, Any]) -> AuditEvent:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                last = AuditEvent.objects.order_by("-number").values_list("number", "hash").first() or (0, "")
                event = AuditEvent(chain=chain, number=last[0] + 1, previous=last[1], at=timezone.now(), **what)
                event.hash = hash_of(event)
                event.seal = seal_of(event.hash)
                event.save(force_insert=True)
                return event
        except IntegrityError:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def hash_of(event: AuditEvent) -> str:
    """SHA-256 over the event's canonical JSON: keys sorted, no blanks, UTF-8, time as UTC with microseconds."""
    content = {name: getattr(event, name) for name in _HASHED}
    content["id"], content["chain"] = str(event.id), str(event.chain)
    content["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal_of(hash_: str) -> str:
    return hmac.new(settings.AUDIT_KEY.encode(), hash_.encode(), hashlib.sha256).hexdigest()


def verify(tenant: Tenant | uuid.UUID | None, *, batch: int = _BATCH, expected_head: tuple[int, str] | None = None) -> Verdict:
    """Walk one chain from its start (None: the platform's).

    ``expected_head`` is a number and hash seen earlier, as log_heads logs them: a trail whose end was cut off is consistent in
    itself, and only such a memory shows it.
    """
    with _looking_at(tenant):
        chain = tenant_or_none() or PLATFORM_CHAIN
        number, head, remembered = 0, "", ""
        for event in _walk(batch):
            if why := _what_is_wrong(event, number, head):
                return Verdict(chain=chain, ok=False, count=number, head=head, wrong_at=number + 1, why=why)
            number, head = event.number, event.hash
            if expected_head and number == expected_head[0]:
                remembered = head
        if expected_head and expected_head[0] > number:
            return _cut(chain, number, head, expected_head[0])
        if expected_head and remembered != expected_head[1]:
            why = "The hash is not the one that was noted earlier: the chain was written anew."
            return Verdict(chain=chain, ok=False, count=number, head=head, wrong_at=expected_head[0], why=why)
        return Verdict(chain=chain, ok=True, count=number, head=head)


def log_heads() -> int:
    """Log the number and hash of every chain's last event. What is in the log cannot be cut off in the database unnoticed."""
    chains: list[uuid.UUID | None] = [None, *Tenant.objects.order_by("slug").values_list("pk", flat=True)]
    n_logged = 0
    for tenant_id in chains:
        with _looking_at(tenant_id):
            last = AuditEvent.objects.order_by("-number").values_list("number", "hash").first()
        if last:
            log.info("audit.head", chain=str(tenant_id or PLATFORM_CHAIN), number=last[0], hash=last[1])
            n_logged += 1
    return n_logged


def _looking_at(tenant: Tenant | uuid.UUID | None) -> AbstractContextManager[Any]:
    if tenant is not None:
        return acting_for(tenant)
    if tenant_or_none() is not None:
        raise WrongTenant("The platform's chain can only be read outside `with acting_for(...)`.")
    return nullcontext()


def _walk(batch: int) -> Iterator[AuditEvent]:
    after = 0
    while page := list(AuditEvent.objects.filter(number__gt=after).order_by("number")[:batch]):
        yield from page
        after = page[-1].number


def _what_is_wrong(event: AuditEvent, number: int, head: str) -> str:
    if event.number != number + 1:
        return f"Event {number + 1} is missing; the next one is {event.number}."
    if event.previous != head:
        return f"Event {event.number} does not follow from the one before it: one of the two was altered."
    if event.hash != hash_of(event):
        return f"Event {event.number} was altered: its content does not match its hash."
    if not hmac.compare_digest(event.seal, seal_of(event.hash)):
        return f"Event {event.number} carries a seal that was not made with this installation's AUDIT_KEY."
    return ""


def _cut(chain: uuid.UUID, number: int, head: str, expected: int) -> Verdict:
    why = f"The end was cut off: {expected} events were noted earlier, {number} are left."
    return Verdict(chain=chain, ok=False, count=number, head=head, wrong_at=number + 1, why=why)


def _named(subject: models.Model | tuple[str, str] | None) -> tuple[str, str]:
    if subject is None:
        return "", ""
    if isinstance(subject, models.Model):
        return subject._meta.label_lower, str(subject.pk)
    return subject[0], _storable(redact(subject[1]))


def _storable(value: Any) -> Any:
    """The value in a form that every database gives back exactly as it was, since its hash must still match after years.

    Numbers that are not whole become text (PostgreSQL rewrites them), and so do dates and the like.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _EMAIL.sub(_PERSONAL_MASK, value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode())
    if isinstance(value, Mapping):
        return {
            _storable(str(key)): _PERSONAL_MASK if str(key).lower() in _PERSONAL_KEYS else _storable(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(part) for part in value]
    return _storable(value.isoformat() if isinstance(value, datetime) else str(value))

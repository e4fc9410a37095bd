"""Verbs of a connection: connect, ping, renew credentials, disconnect; and the one place that opens its secrets."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations import sharing
from integrations.errors import CredentialsRejected, IntegrationError, SetupBroken, VendorUnavailable
from integrations.http import Http, client_for
from integrations.models import Connection, Flow, Link, VendorSession
from integrations.models.connection import Health, World
from integrations.models.flow import FlowState
from integrations.registry import VENDORS
from integrations.sync import due
from integrations.types import Login, Ping, Sessions, Spent, Vendor
from tenants import audit
from tenants.redaction import remember_secret
from tenants.secrets import open_sealed

log = structlog.get_logger(__name__)


def vendor_of(connection: Connection) -> Vendor:
    return VENDORS[connection.vendor]


def base_url(connection: Connection) -> str:
    """Where this connection's calls go: the vendor's real address, or the sandbox for the sample world."""
    vendor = vendor_of(connection)
    if connection.world == World.SAMPLE:
        if not settings.SANDBOX_URL:
            raise SetupBroken(
                "Sample connections are switched off on this installation: SANDBOX_URL is not set.", what="SANDBOX_URL"
            )
        return f"{settings.SANDBOX_URL}/w/{connection.tenant_id}/{vendor.key}{vendor.sandbox_path}"
    return settings.VENDOR_ADDRESSES.get(vendor.address) or vendor.default_address


def open_secrets(connection: Connection) -> dict[str, str]:
    """The connection's secrets, in memory only. Every one of them is remembered, so that no log line can hold it."""
    secrets = open_sealed(connection, "secrets") if connection.secrets else {}
    for secret in secrets.values():
        remember_secret(secret)
    return secrets


def open_login(connection: Connection, *, secrets: Mapping[str, str] | None = None, sessions: Sessions | None = None) -> Login:
    """What the vendor's code may know of this connection.

    ``secrets`` and ``sessions`` are given for a connection that is not stored yet. Raises SetupBroken while nothing may be sent.
    """
    vendor = vendor_of(connection)
    plain, sealed = _with_our_registration(vendor, connection.settings, open_secrets(connection) if secrets is None else secrets)
    return Login(
        connection_id=str(connection.id),
        base_url=base_url(connection),
        settings=plain,
        secrets=sealed,
        http=Http(client_for(vendor.limits), vendor=vendor.key, name=vendor.name, limits=vendor.limits),
        sessions=sessions or sharing.StoredSessions(connection),
        budgets=sharing.SharedBudgets(_budget_scope(connection)),
        turn=lambda name: sharing.turn(f"{connection.vendor}:{_shared_world(connection)}:{name}"),
        now=timezone.now,
        warn=warner(connection),
    )


def _with_our_registration(
    vendor: Vendor, plain: Mapping[str, str], sealed: Mapping[str, str]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Intacct's sender is ours unless the tenant brought its own."""
    if vendor.key == "intacct" and not plain.get("sender_id") and settings.INTACCT_SENDER_ID:
        return {**plain, "sender_id": settings.INTACCT_SENDER_ID}, {**sealed, "sender_password": settings.INTACCT_SENDER_PASSWORD}
    return plain, sealed


def _budget_scope(connection: Connection) -> str:
    """Vendors count per account; until the first ping has told which, the connection counts for itself."""
    return f"{connection.vendor}:{_shared_world(connection)}:{connection.settings.get('account_id') or connection.id}"


def limits_known(connection: Connection) -> dict[str, Spent]:
    """What is used of this connection's limits, shared or its own, by kind."""
    return sharing.spent(_budget_scope(connection))


def _shared_world(connection: Connection) -> str:
    return f"sample/{connection.tenant_id}" if connection.world == World.SAMPLE else "live"


def warner(connection: Connection) -> Callable[[str, str], None]:
    """``warn(code, said)``: a health warning that stays on the connection until its credentials change; told once."""

    def warn(code: str, said: str) -> None:
        if connection.warnings.get(code, {}).get("said") == said:
            return
        connection.warnings[code] = {"said": said, "at": timezone.now().isoformat()}
        Connection.objects.filter(pk=connection.pk).update(warnings=connection.warnings)

    return warn


# -- Verbs --------------------------------------------------------------------------------------------------------------------


def set_credentials(connection: Connection, *, plain: Mapping[str, str], secrets: Mapping[str, str], by: audit.Actor) -> None:
    """Store settings and secrets, forget what hung on the old ones, and let a stopped connection try again.

    Raises SetupBroken when flows have carried records of another company through it.
    """
    moved = _refuse_another_company(connection, plain)
    connection.settings, connection.secrets = dict(plain), dict(secrets)
    connection.credentials_set_at = timezone.now()
    connection.health, connection.health_said, connection.warnings = Health.NEW, "", {}
    with transaction.atomic():
        connection.save(update_fields=["settings", "secrets", "credentials_set_at", "health", "health_said", "warnings"])
        Connection.objects.filter(pk=connection.pk).update(version=F("version") + 1)
        VendorSession.objects.filter(connection=connection).delete()
        if moved:
            Flow.objects.filter(source=connection).update(cursor=None, n_resyncs=F("n_resyncs") + 1)
        _resume_flows(connection)
        audit.record("connection.credentials_set", subject=connection, by=by, details={"fields": sorted([*plain, *secrets])})


def _refuse_another_company(connection: Connection, plain: Mapping[str, str]) -> bool:
    """Record numbers mean something in one company only: under another they would be written onto the wrong items.

    Returns whether another part of the same company is seen now, so that everything has to be read again.
    """
    vendor = vendor_of(connection)
    if connection._state.adding or not connection.settings or vendor.record_key is None:
        return False
    before, after = (vendor.record_key(_as_login(connection, each), "", "") for each in (connection.settings, plain))
    if before != after and Link.objects.filter(flow__source=connection).exists():
        raise SetupBroken(
            f"Records of {before.strip(':')} have been carried through this connection. Make a new connection and new flows for another company.",
            what="company",
        )
    asked = [ask.name for ask in vendor.asks if not ask.secret]
    return any(connection.settings.get(name, "") != plain.get(name, "") for name in asked)


def _as_login(connection: Connection, plain: Mapping[str, str]) -> Login:
    return replace(open_login(connection, secrets={}, sessions=sharing.BriefSessions()), settings=plain)


def ping(connection: Connection, *, by: audit.Actor) -> Ping:
    """Make one cheap real call and store what it found. A rejected login is stored too, and raised."""
    try:
        found = vendor_of(connection).ping(open_login(connection))
    except IntegrationError as error:
        note_failure(connection, error)
        audit.record("connection.ping_failed", subject=connection, by=by, because=error.said)
        raise
    _note_ping(connection, found, by=by)
    return found


def _note_ping(connection: Connection, found: Ping, *, by: audit.Actor) -> None:
    now = timezone.now()
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(
            who=found.who[:200],
            company=found.company[:200],
            settings={**connection.settings, **found.facts},
            pinged_at=now,
            health=Health.HEALTHY,
            health_said="Rights that are missing: " + ", ".join(found.missing) + "." if found.missing else "",
            health_since=now if connection.health != Health.HEALTHY else connection.health_since,
        )
        _resume_flows(connection)
        audit.record("connection.pinged", subject=connection, by=by, details={"missing": list(found.missing)})
    connection.refresh_from_db()


def note_failure(connection: Connection, error: IntegrationError) -> None:
    """Remember on the connection that its vendor refuses or does not answer; other errors say nothing about the connection.

    A refused login stays refused whatever happens later: a call that then merely gets no answer must not open the door again.
    """
    match error:
        case CredentialsRejected():
            health, replaces = Health.NEEDS_ATTENTION, [Health.NEW, Health.HEALTHY, Health.UNAVAILABLE, Health.NEEDS_ATTENTION]
        case VendorUnavailable():
            health, replaces = Health.UNAVAILABLE, [Health.NEW, Health.HEALTHY]
        case _:
            return
    changes = {"health": health, "health_said": error.said, "health_since": timezone.now()}
    if not Connection.objects.filter(pk=connection.pk, health__in=replaces).exclude(health=health).update(**changes):
        return
    connection.health, connection.health_said = health, error.said
    if health == Health.UNAVAILABLE:
        log.warning("vendor_outage_begins", vendor=connection.vendor, operation=error.operation, detail=error.detail)


def note_success(connection: Connection) -> None:
    """A call went through: an outage, if there was one, is over."""
    if connection.health == Health.UNAVAILABLE:
        Connection.objects.filter(pk=connection.pk, health=Health.UNAVAILABLE).update(
            health=Health.HEALTHY, health_said="", health_since=timezone.now()
        )
        connection.health = Health.HEALTHY
        log.warning("vendor_outage_ends", vendor=connection.vendor)


def refuse_if_stopped(connection: Connection) -> None:
    """Raise CredentialsRejected, without a call, while a rejected login waits for its owner: wrong passwords lock accounts."""
    if connection.health == Health.NEEDS_ATTENTION:
        raise CredentialsRejected(connection.health_said, vendor=connection.vendor, operation="(not sent)")


def _resume_flows(connection: Connection) -> None:
    """Flows that stopped because of this connection go on where they were."""
    stopped = Flow.objects.filter(blocked_on=connection, state=FlowState.NEEDS_ATTENTION)
    for flow_id in list(stopped.values_list("id", flat=True)):
        if Flow.objects.filter(pk=flow_id, state=FlowState.NEEDS_ATTENTION).update(
            state=FlowState.ACTIVE, state_said="", state_since=timezone.now(), blocked_on=None
        ):
            due.make_due(flow_id, at=timezone.now())


def describe(connection: Connection) -> dict[str, Any]:
    """The connection as people may see it: which secrets are set, never what they are."""
    return {
        "name": connection.name,
        "vendor": vendor_of(connection).name,
        "world": connection.world,
        "health": connection.health,
        "said": connection.health_said,
        "who": connection.who,
        "company": connection.company,
        "warnings": {code: warning["said"] for code, warning in connection.warnings.items()},
    }

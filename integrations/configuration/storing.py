"""Making the database agree with a checked configuration, in one transaction, and saying what changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations import connections
from integrations.configuration.looking import Seen, settings_for
from integrations.configuration.wanted import BadConfiguration, Wanted, WantedConnection, WantedFlow
from integrations.errors import SetupBroken
from integrations.models import Connection, Flow, Link
from integrations.models.flow import FlowState
from integrations.sync import due, schedules, verbs
from mappings.difference import difference
from mappings.schemas import remember_schema
from mappings.sets import new_version, rules_of, storable
from tenants import audit
from tenants.models import Tenant
from tenants.scoping import acting_for
from tenants.secrets import SealBroken


@dataclass(kw_only=True)
class Changes:
    """What an ``apply`` changed, or would change: (object, what about it) in the order it happened.

    ``others`` are the tenant's connections and flows that the file does not name; they stay as they are.
    """

    lines: list[tuple[str, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def add(self, subject: str, said: str) -> None:
        self.lines.append((subject, said))


class _DryRun(Exception):
    """Undoes the transaction of a dry run."""


def tenant_of(wanted: Wanted) -> Tenant:
    """The tenant of this slug, stored or not yet."""
    return Tenant.objects.filter(slug=wanted.slug).first() or Tenant(
        slug=wanted.slug, name=wanted.name, time_zone=wanted.time_zone
    )


def connections_of(tenant: Tenant, wanted: Wanted) -> dict[str, Connection]:
    """By name: the stored connection, or one made up from the file, not stored yet.

    Raises BadConfiguration where something that exists would have to become something else.
    """
    stored = {each.name: each for each in Connection.objects.all()}
    kinds = dict(Flow.objects.values_list("name", "kind"))
    complaints = [
        f"{each.where}: it exists for {connections.vendor_of(old).name} ({old.world}). A connection keeps its vendor and world; choose another name."
        for each in wanted.connections
        if (old := stored.get(each.name)) and (old.vendor, old.world) != (each.vendor.key, each.world)
    ] + [
        f"{each.where}.kind: the flow exists as {kinds[each.name]}. A flow keeps its kind; choose another name."
        for each in wanted.flows
        if kinds.get(each.name, each.spec.key) != each.spec.key
    ]
    if complaints:
        raise BadConfiguration(complaints)
    return {
        each.name: stored.get(each.name)
        or Connection(tenant_id=tenant.id, name=each.name, vendor=each.vendor.key, world=each.world)
        for each in wanted.connections
    }


def store(tenant: Tenant, wanted: Wanted, seen: Mapping[str, Seen], *, by: audit.Actor, dry_run: bool) -> Changes:
    """All of it or, for a dry run or after any error, nothing of it."""
    changes = Changes()
    try:
        with transaction.atomic():
            is_elsewhere = not tenant._state.adding and tenant.time_zone != wanted.time_zone
            _store_tenant(tenant, wanted, changes)
            with acting_for(tenant):
                stored = {each.name: _store_connection(each, changes, by) for each in wanted.connections}
                _store_flows(wanted, seen, stored, tenant, changes, by)
                if is_elsewhere:
                    _tell_cron_the_zone(tenant)
                changes.others = _others(wanted)
                if changes.lines:
                    details = {"changes": [" ".join(line) for line in changes.lines]}
                    audit.record("configuration.applied", subject=tenant, by=by, details=details)
            if dry_run:
                raise _DryRun
    except _DryRun:
        return changes
    return changes


def _others(wanted: Wanted) -> list[str]:
    named = {"connection": [each.name for each in wanted.connections], "flow": [each.name for each in wanted.flows]}
    rows: tuple[tuple[str, Any], ...] = (("connection", Connection.objects), ("flow", Flow.objects))
    return [
        f"{what} {name}"
        for what, objects in rows
        for name in objects.exclude(name__in=named[what]).order_by("name").values_list("name", flat=True)
    ]


def _tell_cron_the_zone(tenant: Tenant) -> None:
    """Six in the morning is another moment now. Intervals do not ask for a zone."""
    now = timezone.now()
    for flow in Flow.objects.filter(state=FlowState.ACTIVE):
        if schedules.interval(flow.schedule) is None:
            due.make_due(flow.id, at=schedules.next_after(now, flow.schedule, zone=tenant.time_zone, flow_id=flow.id))


def _store_tenant(tenant: Tenant, wanted: Wanted, changes: Changes) -> None:
    subject = f"tenant {tenant.slug}"
    if tenant._state.adding:
        changes.add(subject, "made")
    elif (tenant.name, tenant.time_zone) == (wanted.name, wanted.time_zone):
        return
    else:
        before, after = (tenant.name, tenant.time_zone), (wanted.name, wanted.time_zone)
        changes.add(subject, _difference(*(dict(zip(("name", "time zone"), each, strict=True)) for each in (before, after))))
    tenant.name, tenant.time_zone = wanted.name, wanted.time_zone
    tenant.save()


def _store_connection(wanted: WantedConnection, changes: Changes, by: audit.Actor) -> Connection:
    connection = Connection.objects.filter(name=wanted.name).first()
    if connection is None:
        connection = Connection(name=wanted.name, vendor=wanted.vendor.key, world=wanted.world)
        connection.save(force_insert=True)
        changes.add(f"connection {wanted.name}", f"made, to {wanted.vendor.name} ({wanted.world})")
    before, secrets = connection.settings, _differing_secrets(connection, wanted)
    # Another token may be another account: what a ping found out about the old one must not count for it.
    plain = dict(wanted.plain) if secrets else settings_for(connection, wanted)
    differing = sorted(key for key in before.keys() | plain.keys() if before.get(key) != plain.get(key))
    differing += secrets
    if differing:
        try:
            connections.set_credentials(connection, plain=plain, secrets=wanted.secrets, by=by)
        except SetupBroken as error:
            raise BadConfiguration([f"{wanted.where}: {error.said}"]) from error
        changes.add(f"connection {wanted.name}", f"set {', '.join(differing)}")
    return connection


def _differing_secrets(connection: Connection, wanted: WantedConnection) -> list[str]:
    """Their names. What can no longer be opened, because its key is gone, is set anew."""
    try:
        before = connections.open_secrets(connection)
    except SealBroken:
        return sorted(wanted.secrets)
    return sorted(key for key in before.keys() | wanted.secrets.keys() if before.get(key) != wanted.secrets.get(key))


def _store_flows(
    wanted: Wanted,
    seen: Mapping[str, Seen],
    stored: Mapping[str, Connection],
    tenant: Tenant,
    changes: Changes,
    by: audit.Actor,
) -> None:
    complaints: list[str] = []
    for each in wanted.flows:
        try:
            _store_flow(each, seen[each.name], stored, tenant, changes, by)
        except BadConfiguration as error:
            complaints += error.complaints
    if complaints:
        raise BadConfiguration(complaints)


def _store_flow(
    wanted: WantedFlow, seen: Seen, stored: Mapping[str, Connection], tenant: Tenant, changes: Changes, by: audit.Actor
) -> None:
    subject = f"flow {wanted.name}"
    flow = Flow.objects.filter(name=wanted.name).first()
    before, rules = ({}, ()) if flow is None else (_described(flow), rules_of(flow.mapping))
    place = seen.schema.place if seen.schema else ""
    if flow and flow.place == place and (wanted.columns is None or storable(seen.rules) == rules):
        # The file leaves the columns to people, and suggestions are for a new flow only; or it says what is so already, perhaps
        # because an undo brought it back.
        mapping = flow.mapping
    else:
        mapping = new_version(flow.mapping.line if flow else None, seen.rules, by=by)
    target = stored[wanted.target] if wanted.target else None
    if target and seen.schema:
        remember_schema(
            connection_id=target.id,
            place=seen.schema.place,
            title=seen.schema.title,
            columns=seen.schema.columns,
            digest=seen.schema.digest,
        )
    values: dict[str, Any] = {
        "source": stored[wanted.source],
        "target": target,
        "place": place,
        "place_title": seen.schema.title[:250] if seen.schema else "",
        "schedule": wanted.schedule,
        "mapping": mapping,
        "options": dict(wanted.options),
    }
    if flow is None:
        flow = Flow(name=wanted.name, kind=wanted.spec.key, state=FlowState.PAUSED, state_since=timezone.now(), **values)
        flow.save(force_insert=True)
        due.enrol(flow)
    else:
        _refuse_moving(flow, values, wanted)
        for name, value in values.items():
            setattr(flow, name, value)
    if (after := _described(flow)) != before:
        flow.save(update_fields=[*values])
        Flow.objects.filter(pk=flow.pk).update(version=F("version") + 1)
    _set_state(flow, wanted, by)
    if before.get("schedule", flow.schedule) != flow.schedule and flow.state == FlowState.ACTIVE:
        due.make_due(flow.id, at=schedules.next_after(timezone.now(), flow.schedule, zone=tenant.time_zone, flow_id=flow.id))
    if (after := _described(flow)) != before:
        changes.add(subject, _difference(before, after))
        for sentence in difference(rules, rules_of(mapping)).sentences if before else ():
            changes.add(subject, sentence)


def _refuse_moving(flow: Flow, values: dict[str, Any], wanted: WantedFlow) -> None:
    """Items that were made stand on the old board under links of this flow; moving it would lose or double them."""
    ends = (values["place"], values["source"].id, values["target"] and values["target"].id)
    moved = (flow.place, flow.source_id, flow.target_id) != ends
    if moved and Link.objects.filter(flow=flow).exists():
        raise BadConfiguration(
            [f"{wanted.where}.place: this flow has already filled ‘{flow.place_title}’. Make a new flow for another place."]
        )
    if moved:
        Flow.objects.filter(pk=flow.pk).update(cursor=None, adopted_at=None, n_resyncs=F("n_resyncs") + 1)


def _set_state(flow: Flow, wanted: WantedFlow, by: audit.Actor) -> None:
    """A flow that waits for a refused login goes on waiting: only a ping, or another password, ends that.

    Whatever else stopped it, somebody now asks for it to be active, and its board and columns have just been looked at.
    """
    if wanted.state == FlowState.PAUSED:
        if flow.state != FlowState.PAUSED:
            verbs.pause(flow, by=by, because="Paused by its configuration.")
    elif flow.state == FlowState.PAUSED or (flow.state == FlowState.NEEDS_ATTENTION and flow.blocked_on_id is None):
        verbs.start(flow, by=by)


def _described(flow: Flow) -> dict[str, str]:
    return {
        "source": flow.source.name,
        "target": flow.target.name if flow.target else "none",
        "place": f"‘{flow.place_title}’ ({flow.place})" if flow.place else "none: reference data",
        "schedule": flow.schedule,
        "mapping": str(flow.mapping),
        "options": ", ".join(f"{name} {value}" for name, value in sorted(flow.options.items())) or "none",
        "state": flow.state,
    }


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    if not before:
        return "made: " + ", ".join(f"{key} {value}" for key, value in after.items())
    return ", ".join(f"{key} {before[key]} → {value}" for key, value in after.items() if before[key] != value)

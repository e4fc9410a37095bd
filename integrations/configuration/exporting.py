"""A tenant as the file that ``apply`` reads, without secrets: each is named by the environment variable that should hold it."""

import re
from typing import Any

import tomli_w

from integrations.connections import open_secrets, vendor_of
from integrations.models import Connection, Flow
from integrations.models.connection import World
from integrations.models.flow import FlowState
from mappings.apply import Rule
from mappings.sets import rules_of
from tenants.models import Tenant


def export(tenant: Tenant) -> str:
    """The file's text; called within ``acting_for(tenant)``."""
    content: dict[str, Any] = {"tenant": {"slug": tenant.slug, "name": tenant.name, "time_zone": tenant.time_zone}}
    content["connections"] = [_connection(tenant, each) for each in Connection.objects.order_by("name")]
    content["flows"] = [_flow(each) for each in Flow.objects.select_related("source", "target", "mapping").order_by("name")]
    return tomli_w.dumps(content)


def _connection(tenant: Tenant, connection: Connection) -> dict[str, Any]:
    asks = vendor_of(connection).asks
    entry: dict[str, Any] = {"name": connection.name, "vendor": connection.vendor}
    if connection.world == World.SAMPLE:
        entry["world"] = str(World.SAMPLE)
    entry |= {ask.name: connection.settings[ask.name] for ask in asks if not ask.secret and connection.settings.get(ask.name)}
    stored = open_secrets(connection).keys()
    return entry | {
        ask.name: f"env:{_variable(tenant.slug, connection.name, ask.name)}" for ask in asks if ask.name in stored and ask.secret
    }


def _variable(*parts: str) -> str:
    """ACME_BOOKS_USER_PASSWORD; a - becomes a double _, so that no two connections share a variable, and no digit comes first."""
    return re.sub(r"^(?=[0-9])", "_", "_".join(parts).upper().replace("-", "__"))


def _flow(flow: Flow) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": flow.name,
        "kind": flow.kind,
        "source": flow.source.name,
        "schedule": flow.schedule,
        "state": "paused" if flow.state == FlowState.PAUSED else "active",
    }
    if flow.options:
        entry["options"] = flow.options
    if flow.target is None:
        return entry
    entry |= {"target": flow.target.name, "place": flow.place}
    return entry | {"columns": {rule.column: _column(rule) for rule in rules_of(flow.mapping)}}


def _column(rule: Rule) -> Any:
    if not rule.steps and not rule.values:
        return rule.field
    entry: dict[str, Any] = {"field": rule.field} if rule.field else {}
    if rule.steps:
        entry["transform"] = [dict(step) for step in rule.steps]
    return entry | ({"values": rule.values} if rule.values else {})

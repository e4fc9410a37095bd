"""What a configuration asks for, as plain checked values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.models.connection import World
from integrations.models.flow import FlowState
from integrations.sync.spec import FlowSpec
from integrations.types import Vendor
from mappings.apply import Rule


class BadConfiguration(Exception):
    """What is wrong with a configuration, one sentence each, with the file and the key."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


@dataclass(frozen=True, kw_only=True)
class WantedConnection:
    where: str  # "bills.toml: connections.books"
    name: str
    vendor: Vendor
    world: World
    plain: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class WantedColumn:
    """One line of ``[flows.columns]``: a column's title or id, and how its value is made."""

    column: str
    field: str
    steps: tuple[Mapping[str, Any], ...] = ()
    values: str = ""

    def as_rule(self, column: str, title: str = "", kind: str = "") -> Rule:
        return Rule(column=column, title=title, kind=kind, field=self.field, steps=self.steps, values=self.values)


@dataclass(frozen=True, kw_only=True)
class WantedFlow:
    where: str  # "bills.toml: flows.bills"
    name: str
    spec: FlowSpec
    source: str
    target: str  # with ``place`` empty: reference data without a board
    place: str
    schedule: str
    state: FlowState
    columns: tuple[WantedColumn, ...] | None  # None: whatever is suggested for the board
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    slug: str
    name: str
    time_zone: str
    connections: tuple[WantedConnection, ...]
    flows: tuple[WantedFlow, ...]

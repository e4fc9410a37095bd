"""What only the vendor can tell: which board a title means, which columns it has, and whether a mapping fits them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from integrations import connections, sharing
from integrations.configuration.wanted import BadConfiguration, Wanted, WantedColumn, WantedConnection, WantedFlow
from integrations.errors import IntegrationError, RateLimited, VendorUnavailable
from integrations.models import Connection
from integrations.sync.parents import SUBITEMS
from integrations.types import Schema, Target
from mappings.apply import Rule
from mappings.check import problems_of
from mappings.fields import Column
from mappings.suggest import suggest


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A flow's place as it is, and the mapping with its column ids."""

    schema: Schema | None  # None: reference data without a board
    rules: tuple[Rule, ...]


class _NoBudgets:
    """A look is a few calls, and leaves no row behind: neither for a dry run nor for a connection that is never stored."""

    def spend(self, kind: str, cost: int, *, limit: int, window: timedelta, said: str) -> None: ...
    def learn(
        self, kind: str, *, remaining: int | None = None, limit: int | None = None, resets_in: timedelta | None = None
    ) -> None: ...
    def exhaust(self, kind: str, *, until: timedelta, said: str) -> None: ...


def look(wanted: Wanted, stored: Mapping[str, Connection]) -> dict[str, Seen]:
    """Find every flow's board and columns, by flow name. Sends calls, so it must not run inside a transaction.

    ``stored`` are the tenant's connections by name, made up from the file where they do not exist yet.
    """
    by_name = {each.name: each for each in wanted.connections}
    complaints: list[str] = []
    seen: dict[str, Seen] = {}
    for flow in wanted.flows:
        if not flow.target:
            seen[flow.name] = Seen(schema=None, rules=())
            continue
        try:
            seen[flow.name] = look_at(flow, opener(flow, by_name[flow.target], stored[flow.target]))
        except IntegrationError as error:
            complaints.append(f"{by_name[flow.target].where}: {said_at_once(error, flow.spec.target.name)}")
        except BadConfiguration as error:
            complaints += error.complaints
    if complaints:
        raise BadConfiguration(list(dict.fromkeys(complaints)))
    return seen


def said_at_once(error: IntegrationError, vendor: str) -> str:
    """An error for a person who waits for the answer: nothing "goes on by itself" here."""
    match error:
        case VendorUnavailable():
            return f"{vendor} did not answer. Try again in a few minutes."
        case RateLimited():
            return (
                f"{vendor} takes no more calls for the moment. Try again in {max(1, round(error.retry_after.total_seconds()))} s."
            )
    return error.said


def settings_for(connection: Connection, wanted: WantedConnection) -> dict[str, str]:
    """The file's own settings, beside what a ping found out and stored among them."""
    asked = {ask.name for ask in wanted.vendor.asks}
    return {**{key: value for key, value in connection.settings.items() if key not in asked}, **wanted.plain}


def opener(flow: WantedFlow, wanted: WantedConnection, connection: Connection) -> Callable[[str], Target]:
    """Opens a place at the flow's target with the file's own credentials, stored or not."""
    open_target = flow.spec.target.target
    if open_target is None:
        raise TypeError(f"{flow.spec.target.key} cannot be written to")
    connection.settings = settings_for(connection, wanted)
    login = connections.open_login(connection, secrets=wanted.secrets, sessions=sharing.BriefSessions())
    login = replace(login, budgets=_NoBudgets(), warn=lambda code, said: None)
    return lambda place: open_target(login, place)


def look_at(flow: WantedFlow, open_target: Callable[[str], Target]) -> Seen:
    place = find_place(flow, open_target("").places())
    place = f"{SUBITEMS}{place}" if flow.spec.parent and not place.startswith(SUBITEMS) else place
    schema = open_target(place).schema()
    return Seen(schema=schema, rules=rules_for(flow, schema))


def find_place(flow: WantedFlow, places: Sequence[tuple[str, str]]) -> str:
    """The id of the place that is meant by a title or an id."""
    if any(place == flow.place.removeprefix(SUBITEMS) for place, _ in places):
        return flow.place
    named = [place for place, title in places if title.strip().casefold() == flow.place.casefold()]
    if len(named) == 1:
        return named[0]
    why = f"several have that title. Write the id instead: {', '.join(named)}"
    if not named:
        titles = ", ".join(f"‘{title}’" for _, title in places[:20]) or "nothing at all"
        why = f"this login sees nothing of that name that it may write to. It may write to {titles}"
    raise BadConfiguration([f"{flow.where}.place: ‘{flow.place}’ on {flow.spec.target.name}: {why}."])


def rules_for(flow: WantedFlow, schema: Schema) -> tuple[Rule, ...]:
    """The mapping with the board's own ids. Raises BadConfiguration with all that does not fit the board."""
    if flow.columns is None:
        found = suggest(flow.spec.fields, schema.columns, known=flow.spec.suggests)
        return tuple(_rule(WantedColumn(column=each.column, field=each.field), schema) for each in found)
    complaints, rules, names = [], [], {}
    for wanted in flow.columns:
        if schema.column(wanted.column) is None:
            complaints.append(f"{flow.where}.columns.{wanted.column}: {_not_found(wanted.column, schema)}")
            continue
        rules.append(_rule(wanted, schema))
        names[rules[-1].column] = wanted.column
    problems = problems_of(rules, catalogue=flow.spec.fields, columns=schema.columns)
    complaints += dict.fromkeys(f"{flow.where}.columns.{names[each.column]}: {each.said}" for each in problems)
    if complaints:
        raise BadConfiguration(complaints)
    return tuple(rules)


def _rule(wanted: WantedColumn, schema: Schema) -> Rule:
    column = schema.column(wanted.column)
    if column is None:
        raise LookupError(wanted.column)
    return wanted.as_rule(column.id, column.title, column.kind)


def _not_found(title: str, schema: Schema) -> str:
    twins = [each for each in schema.columns if each.title.strip().casefold() == title.strip().casefold()]
    if twins:
        return f"{len(twins)} columns of the board ‘{schema.title}’ are called so. Write the id of one: {_list(twins, ids=True)}."
    writable = [each for each in schema.columns if each.is_writable]
    return f"the board ‘{schema.title}’ has no such column. It has {_list(writable)}."


def _list(columns: Sequence[Column], *, ids: bool = False) -> str:
    return ", ".join(f"‘{each.id if ids else each.title}’" for each in columns)

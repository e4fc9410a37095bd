"""The companies in memory: their tables, users, senders, and what is remembered about past calls."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from integrations.sandboxes.intacct.computed import computer
from integrations.sandboxes.intacct.objects import DEFAULTS, DOCUMENTS, OBJECTS
from integrations.sandboxes.intacct.shapes import Field, Kind, ObjectType
from integrations.sandboxes.intacct.values import LAST, Row, Value

Key = int | str
Reader = Callable[[Row], Any]
_ZERO = Decimal(0)


class UnknownField(LookupError):
    """A path that leads nowhere."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A field as seen from one object, perhaps over a relation. ``stored`` says that rows hold it themselves."""

    path: str
    field: Field
    read: Reader
    stored: bool


@dataclass(frozen=True, kw_only=True)
class User:
    recordno: int
    loginid: str
    password: str
    permissions: Mapping[str, str] | None = None  # object -> "read create update delete"; None: everything
    gmtoffset: str = "+00:00"
    locale: str = "en_US"
    dateformat: str = "/mdY"
    clock: str = "24"
    is_active: bool = True

    def may(self, operation: str, object_name: str) -> bool:
        return self.permissions is None or operation in self.permissions.get(object_name, "").split()


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """What a SUPDOCID stands for: some files, at most one such set per record."""

    recordno: int
    id: str
    created: int
    folder: str = "Bills"
    files: tuple[tuple[str, bytes], ...] = ()  # (name with its extension, content)


class Table:
    """The records of one object. Rows are replaced, never changed in place, so that old copies can be put back."""

    def __init__(self, type_: ObjectType) -> None:
        self.type = type_
        self.rows: dict[Key, Row] = {}
        self.by_name: dict[Value, Key] = {}
        self.children: dict[Value, list[Key]] = {}  # RECORDKEY -> keys, for lines
        self.hidden: dict[Key, int] = {}  # key -> the second from which readers see it
        self.next_key = type_.starts_at
        self.undo: list[Callable[[], None]] | None = None
        self._ordered: dict[tuple[str, ...], tuple[list[Any], list[Row]]] = {}
        self._has_parent = "RECORDKEY" in type_.fields

    def new_key(self) -> int:
        self.next_key += 1
        return self.next_key - 1

    def put(self, row: Row) -> None:
        key: Key = row[self.type.key]
        old = self.rows.get(key)
        if self.undo is not None:
            self.undo.append((lambda: self.put(old)) if old else (lambda: self.drop(key)))
        self.rows[key] = row
        self._ordered.clear()
        if old is not None:
            self._forget_name(old, key)
        if self.type.natural_key:
            self.by_name[row.get(self.type.natural_key, "")] = key
        if self._has_parent and old is None:
            self.children.setdefault(row["RECORDKEY"], []).append(key)

    def drop(self, key: Key) -> None:
        old = self.rows.pop(key)
        if self.undo is not None:
            self.undo.append(lambda: self.put(old))
        self._ordered.clear()
        self._forget_name(old, key)
        if self._has_parent:
            self.children[old["RECORDKEY"]].remove(key)

    def _forget_name(self, row: Row, key: Key) -> None:
        name = row.get(self.type.natural_key, "")
        if self.by_name.get(name) == key:
            del self.by_name[name]

    def named(self, name: str) -> Row | None:
        key = self.by_name.get(name)
        return None if key is None else self.rows.get(key)

    def lines_of(self, parent: Value) -> list[Row]:
        return [self.rows[key] for key in self.children.get(parent, ())]

    def is_visible(self, row: Row, now: int) -> bool:
        return not self.hidden or self.hidden.get(row[self.type.key], 0) <= now

    def ordered(self, names: tuple[str, ...]) -> tuple[list[Any], list[Row]]:
        """All rows in ascending order of stored fields, and the first field's values beside them for bisecting."""
        if names not in self._ordered:
            rows = sorted(self.rows.values(), key=self._sort_key(names))
            first, last = names[0], LAST[self.type.fields[names[0]].kind]
            self._ordered[names] = ([row.get(first, last) for row in rows], rows)
        return self._ordered[names]

    def _sort_key(self, names: tuple[str, ...]) -> Callable[[Row], Any]:
        lasts = [LAST[self.type.fields[name].kind] for name in names]
        if len(names) == 2:  # the usual pair, worth being quick about
            (one, two), (last_one, last_two) = names, lasts
            return lambda row: (row.get(one, last_one), row.get(two, last_two))
        return lambda row: tuple(row.get(name, last) for name, last in zip(names, lasts, strict=True))


@dataclass(kw_only=True)
class Company:
    id: str
    senders: set[str] = field(default_factory=set)  # ids under "Web Services authorizations"
    users: dict[str, User] = field(default_factory=dict)
    clients: set[str] = field(default_factory=set)  # companies this one may slide into, if it is a console
    is_active: bool = True
    is_subscribed: bool = True
    has_expired: bool = False  # a demo company past its days
    objects: dict[str, ObjectType] = field(default_factory=lambda: dict(OBJECTS))  # with those only this company has
    tables: dict[str, Table] = field(default_factory=lambda: {name: Table(type_) for name, type_ in OBJECTS.items()})
    custom: dict[str, dict[str, Field]] = field(default_factory=dict)
    dimensions: dict[str, str] = field(default_factory=dict)  # the company's own: field of a line -> object
    attachments: dict[str, Attachment] = field(default_factory=dict)  # SUPDOCID -> files
    completed: dict[tuple[str, str], int] = field(default_factory=dict)  # (sender, function controlid) -> when
    n_transactions: int = 0

    def fields_of(self, type_: ObjectType) -> dict[str, Field]:
        return {**type_.fields, **self.custom.get(type_.name, {})}

    def column(self, type_: ObjectType, path: str, now: int = 0) -> Column:
        """Find a field by name or dot path. Raises UnknownField, also for more than one step up a hierarchy."""
        found = type_.fields.get(path) or self.custom.get(type_.name, {}).get(path)
        if found:
            return Column(path=path, field=found, read=self._reader(type_, found, now), stored=self._is_stored(type_, found))
        step, _, rest = path.partition(".")
        relation = type_.relations.get(step)
        if relation is None or not rest or (rest.startswith(step + ".") and relation.target == type_.name):
            raise UnknownField(path)
        target = self.column(OBJECTS[relation.target], rest, now)
        follow = self._follower(type_, step)

        def read(row: Row) -> Value | None:
            other = follow(row)
            return None if other is None else target.read(other)

        return Column(path=path, field=target.field, read=read, stored=False)

    def _is_stored(self, type_: ObjectType, field_: Field) -> bool:
        derived = field_.name in type_.joined or computer(type_, field_.name) or self._default(type_, field_) is not None
        return not derived and field_.name in type_.fields

    @staticmethod
    def _default(type_: ObjectType, field_: Field) -> Any:
        """What is meant where a row says nothing."""
        if field_.kind is Kind.CURRENCY and field_.name.endswith(("TOTALPAID", "TOTALSELECTED")):
            return _ZERO
        return DEFAULTS.get(type_.name, {}).get(field_.name)

    def _follower(self, type_: ObjectType, step: str) -> Callable[[Row], Row | None]:
        relation = type_.relations[step]
        table, own = self.tables[relation.target], relation.own
        if relation.theirs == table.type.key:
            return lambda row: table.rows.get(row.get(own, ""))
        return lambda row: table.named(row.get(own, ""))

    def _reader(self, type_: ObjectType, field_: Field, now: int) -> Reader:
        name = field_.name
        if name in type_.joined:
            return self._joined_reader(type_, name, now)
        if compute := computer(type_, name):
            tables = self.tables
            return lambda row: row[name] if name in row else compute(tables, type_, row, now)
        default = self._default(type_, field_)
        return lambda row: row.get(name, default)

    def _joined_reader(self, type_: ObjectType, name: str, now: int) -> Reader:
        step, theirs = type_.joined[name]
        follow = self._follower(type_, step)
        inner = self.column(OBJECTS[type_.relations[step].target], theirs, now).read

        def read(row: Row) -> Any:
            if name in row:
                return row[name]
            other = follow(row)
            return None if other is None else inner(other)

        return read

    def write_down(self, mode: str, type_: ObjectType, row: Row, by: str, now: int, source: str = "ui") -> None:
        """One line of the audit history, the only place where a deleted record leaves a trace."""
        table = self.tables["AUDITHISTORY"]
        key = row[type_.key] if type_.name in DOCUMENTS or not type_.natural_key else row[type_.natural_key]
        found: Row = {"ID": str(table.new_key()), "OBJECTTYPE": type_.name.lower(), "OBJECTKEY": str(key), "ACCESSTIME": now}
        table.put({**found, "ACCESSMODE": mode, "USERID": by, "SOURCE": source})

    def remembering_undo(self) -> list[Callable[[], None]]:
        undo: list[Callable[[], None]] = []
        for table in self.tables.values():
            table.undo = undo
        return undo

    def forget_undo(self) -> None:
        for table in self.tables.values():
            table.undo = None


def roll_back(company: Company, undo: Iterable[Callable[[], None]]) -> None:
    company.forget_undo()
    for step in reversed(list(undo)):
        step()

"""The file by itself: TOML in, checked plain values out, or every complaint at once with the key it is about."""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import available_timezones

from django.utils import timezone

from integrations.configuration.wanted import BadConfiguration, Wanted, WantedColumn, WantedConnection, WantedFlow
from integrations.models.connection import World
from integrations.models.flow import FlowState
from integrations.registry import FLOWS, VENDORS
from integrations.sync import options, schedules
from integrations.sync.spec import FlowSpec
from integrations.types import Ask
from mappings.check import problems_of

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # a separator may be a new line or a tab
_STATES = {"active": FlowState.ACTIVE, "paused": FlowState.PAUSED}
T = TypeVar("T")
_FLOW_KEYS = {"options", "name", "kind", "source", "target", "place", "schedule", "state", "columns"}
_COLUMN_KEYS = {"field", "transform", "values"}


def read(path: Path) -> Wanted:
    """Read and check a file. Raises BadConfiguration with everything that is wrong with it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadConfiguration([f"{path}: the file cannot be read ({error.strerror})."]) from error
    except UnicodeDecodeError as error:
        raise BadConfiguration([f"{path}: the file must be UTF-8 text."]) from error
    except (ValueError, RecursionError) as error:  # a number too long, or lists too deep, are not a TOMLDecodeError
        raise BadConfiguration([f"{path}: this is not TOML: {error}."]) from error
    return _Reader(path).read(content)


class _Reader:
    """Collects complaints while it reads, so that a person mends a file once and not ten times."""

    def __init__(self, path: Path) -> None:
        self._file, self._folder, self._complaints = path.name, path.parent, list[str]()

    def read(self, content: Mapping[str, Any]) -> Wanted:
        self._only(content, {"tenant", "connections", "flows"}, "")
        slug, name, time_zone = self._tenant(content)
        connections = [self._connection(each, at) for each, at in self._tables(content, "connections")]
        known = {each.name: each for each in connections if each}
        flows = [self._flow(each, at, known) for each, at in self._tables(content, "flows")]
        wanted = Wanted(
            slug=slug,
            name=name,
            time_zone=time_zone,
            connections=tuple(known.values()),
            flows=tuple(each for each in flows if each),
        )
        if self._complaints:
            raise BadConfiguration(self._complaints)
        return wanted

    def _tenant(self, content: Mapping[str, Any]) -> tuple[str, str, str]:
        tenant = content.get("tenant")
        if not isinstance(tenant, dict):
            self._complain("tenant", "a table [tenant] with slug and name is needed")
            return "", "", ""
        self._only(tenant, {"slug", "name", "time_zone"}, "tenant")
        slug, zone = self._name(tenant, "slug", "tenant"), self._text(tenant, "time_zone", "tenant", default="UTC")
        if zone and zone not in available_timezones():
            self._complain("tenant.time_zone", f"there is no time zone ‘{zone}’. Write one such as “America/Chicago”")
        return slug, self._text(tenant, "name", "tenant", most=200), zone

    # -- Connections ------------------------------------------------------------------------------------------------------------

    def _connection(self, table: Mapping[str, Any], where: str) -> WantedConnection | None:
        name, vendor = self._name(table, "name", where), self._one_of(VENDORS, table, "vendor", where)
        world = self._one_of({str(each): each for each in World}, table, "world", where, default=World.LIVE)
        if vendor is None:
            return None
        self._only(table, {"name", "vendor", "world", *(ask.name for ask in vendor.asks)}, where)
        given = {ask.name: self._asked(table, ask, where) for ask in vendor.asks}
        return WantedConnection(
            where=f"{self._file}: {where}",
            name=name,
            vendor=vendor,
            world=world or World.LIVE,
            plain={ask.name: given[ask.name] for ask in vendor.asks if given[ask.name] and not ask.secret},
            secrets={ask.name: given[ask.name] for ask in vendor.asks if given[ask.name] and ask.secret},
        )

    def _asked(self, table: Mapping[str, Any], ask: Ask, where: str) -> str:
        default = None if ask.required else ""
        if ask.secret and ask.name in table:
            return self._secret(table[ask.name], f"{where}.{ask.name}")
        if ask.choices and ask.name in table:
            return self._one_of({each: each for each in ask.choices}, table, ask.name, where) or ""
        return self._text(table, ask.name, where, default=default, most=1_000)

    def _secret(self, reference: Any, where: str) -> str:
        """A secret is never in the file: it is named by ``env:NAME`` or ``file:NAME``."""
        kind, _, name = reference.partition(":") if isinstance(reference, str) else ("", "", "")
        if kind not in ("env", "file") or not name.strip():
            self._complain(where, "a secret must not stand in the file. Write “env:NAME” or “file:NAME”")
            return ""
        return self._from_environment(name.strip(), where) if kind == "env" else self._from_file(name.strip(), where)

    def _from_environment(self, name: str, where: str) -> str:
        value = os.environ.get(name, "").strip()
        if not value:
            self._complain(where, f"the environment variable {name} is not set")
        return value

    def _from_file(self, name: str, where: str) -> str:
        """Relative names are looked for beside the configuration."""
        try:
            value = (self._folder / name).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            self._complain(where, f"the file {name} cannot be read")
            return ""
        if not value:
            self._complain(where, f"the file {name} is empty")
        return value

    # -- Flows --------------------------------------------------------------------------------------------------------------------

    def _flow(self, table: Mapping[str, Any], where: str, known: Mapping[str, WantedConnection]) -> WantedFlow | None:
        self._only(table, _FLOW_KEYS, where)
        name, spec = self._name(table, "name", where), self._one_of(FLOWS, table, "kind", where)
        state = self._one_of(_STATES, table, "state", where, default=FlowState.PAUSED)
        if spec is None:
            return None
        has_board = not spec.is_reference or "place" in table or "target" in table
        place = self._text(table, "place", where, most=120) if has_board else ""
        source, target = self._ends(table, spec, where, known)
        return WantedFlow(
            where=f"{self._file}: {where}",
            name=name,
            spec=spec,
            source=source,
            target=target,
            place=place,
            schedule=self._schedule(table, spec, where),
            state=state or FlowState.PAUSED,
            columns=self._columns(table, spec, where) if has_board else (),
            options=self._options(table, where),
        )

    def _ends(
        self, table: Mapping[str, Any], spec: FlowSpec, where: str, known: Mapping[str, WantedConnection]
    ) -> tuple[str, str]:
        names = []
        for key, vendor in (("source", spec.source), ("target", spec.target)):
            if key == "target" and spec.is_reference and not {"place", "target"} & table.keys():
                names.append("")
                continue
            name = self._text(table, key, where)
            names.append(name)
            if name and name not in known:
                self._complain(f"{where}.{key}", f"there is no connection ‘{name}’ in this file")
            elif name and known[name].vendor.key != vendor.key:
                self._complain(
                    f"{where}.{key}", f"‘{name}’ is a connection to {known[name].vendor.name}; this flow needs {vendor.name}"
                )
        if len({known[name].world for name in names if name in known}) > 1:
            self._complain(where, "one end is live and the other is sample data. A flow never joins the two")
        return names[0], names[1]

    def _schedule(self, table: Mapping[str, Any], spec: FlowSpec, where: str) -> str:
        schedule = self._text(table, "schedule", where, default=spec.every, most=250)
        try:
            schedules.check(schedule or spec.every)
            schedules.next_after(timezone.now(), schedule or spec.every, zone="UTC", flow_id=UUID(int=0))
        except schedules.ScheduleUnreadable as error:
            self._complain(f"{where}.schedule", str(error))
        except (ValueError, OverflowError):  # the 30th of February; in a million years
            self._complain(f"{where}.schedule", f"‘{schedule}’ never comes")
        return schedule

    def _options(self, table: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        given = table.get("options", {})
        if not isinstance(given, dict):
            self._complain(f"{where}.options", "must be a table [flows.options]")
            return {}
        try:
            options.read(given)
        except options.BadOption as error:
            self._complain(f"{where}.options", str(error))
            return {}
        self._refuse_control(given, f"{where}.options")
        return given

    def _columns(self, table: Mapping[str, Any], spec: FlowSpec, where: str) -> tuple[WantedColumn, ...] | None:
        if "columns" not in table:
            return None
        if not isinstance(table["columns"], dict):
            self._complain(f"{where}.columns", 'must be a table [flows.columns] of lines such as Vendor = "VENDORNAME"')
            return None
        columns = [self._column(title, entry, f"{where}.columns.{title}") for title, entry in table["columns"].items()]
        self._refuse_unfillable([each for each in columns if each], spec, where)
        return tuple(each for each in columns if each)

    def _column(self, title: str, entry: Any, where: str) -> WantedColumn | None:
        if isinstance(entry, str):
            return WantedColumn(column=title, field=entry.strip())
        if not isinstance(entry, dict):
            self._complain(where, 'must be a field’s name in quotes, or a table such as { field = "VENDORNAME" }')
            return None
        self._only(entry, _COLUMN_KEYS, where)
        return WantedColumn(
            column=title,
            field=self._text(entry, "field", where, default=""),
            steps=self._steps(entry.get("transform", []), f"{where}.transform"),
            values=self._text(entry, "values", where, default="", most=100),
        )

    def _steps(self, given: Any, where: str) -> tuple[Mapping[str, Any], ...]:
        """One step or a list of them; a step is a name, or a table with ``do`` and its parameters."""
        steps = given if isinstance(given, list) else [given]
        if not all(isinstance(step, str | dict) for step in steps):
            self._complain(where, "must be a name such as “upper”, a table with “do”, or a list of these")
            return ()
        self._refuse_control(given, where)
        return tuple({"do": step} if isinstance(step, str) else step for step in steps)

    def _refuse_unfillable(self, columns: Sequence[WantedColumn], spec: FlowSpec, where: str) -> None:
        """What is wrong with fields and steps shows without a look at the board."""
        for problem in problems_of([each.as_rule(each.column) for each in columns], catalogue=spec.fields, columns=()):
            key = f"{where}.columns.{problem.column}"
            if problem.code == "unknown_field":
                names = [each.key for each in spec.fields]
                close = get_close_matches(problem.field.upper(), names) or names[:3]
                self._complain(
                    key, f"{spec.source.name} has no field ‘{problem.field}’. There are, for example, {', '.join(close)}"
                )
            elif problem.code != "unknown_column":
                self._complain(key, problem.said)

    # -- Small pieces ---------------------------------------------------------------------------------------------------------------

    def _complain(self, key: str, said: str) -> None:
        """One line; a control character of the file must not reach the terminal."""
        self._complaints.append(_CONTROL.sub("?", f"{self._file}: {key}: {said.rstrip('.')}."))

    def _only(self, table: Mapping[str, Any], allowed: set[str], where: str) -> None:
        for key in sorted(table.keys() - allowed):
            self._complain(f"{where}.{key}".lstrip("."), f"this key is not known. Known are {', '.join(sorted(allowed))}")

    def _tables(self, content: Mapping[str, Any], key: str) -> list[tuple[Mapping[str, Any], str]]:
        """The tables of a list, each with how complaints call it: by its name, or by its position where it has no good one."""
        tables = content.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            self._complain(key, f"must be written as [[{key}]] tables")
            return []
        names = [name if _is_name(name := each.get("name")) else str(at) for at, each in enumerate(tables, 1)]
        for name in sorted(name for name, n in Counter(names).items() if n > 1):
            self._complain(key, f"two of them are called ‘{name}’")
        return [(each, f"{key}.{name}") for each, name in zip(tables, names, strict=True)]

    def _text(self, table: Mapping[str, Any], key: str, where: str, *, default: str | None = None, most: int = 200) -> str:
        """``default`` stands in for a key that is absent; without one the key is needed."""
        value = table.get(key, default)
        if value is None:
            self._complain(f"{where}.{key}", "is missing")
        elif not isinstance(value, str):
            self._complain(f"{where}.{key}", "must be a text in quotes")
        elif _UNPRINTABLE.search(value) or len(value) > most:
            self._complain(f"{where}.{key}", f"must be a text of one line and at most {most} characters")
        elif not value.strip() and default != "":
            self._complain(f"{where}.{key}", "is empty")
        else:
            return value.strip()
        return ""

    def _refuse_control(self, value: Any, where: str) -> None:
        """In whatever a step or an option holds: a database takes no NUL, and people see none of the others."""
        if isinstance(value, dict):
            for key, each in value.items():
                self._refuse_control(key, where)
                self._refuse_control(each, f"{where}.{_CONTROL.sub('?', key)}")
        elif isinstance(value, list):
            for at, each in enumerate(value, 1):
                self._refuse_control(each, f"{where}.{at}" if len(value) > 1 else where)
        elif isinstance(value, str) and _CONTROL.search(value):
            self._complain(where, "holds a control character, which no text may")

    def _name(self, table: Mapping[str, Any], key: str, where: str) -> str:
        name = self._text(table, key, where)
        if name and not _is_name(name):
            self._complain(f"{where}.{key}", f"‘{name}’ must consist of at most 60 small letters, digits, - and _")
        return name

    def _one_of(
        self, known: Mapping[str, T], table: Mapping[str, Any], key: str, where: str, *, default: str | None = None
    ) -> T | None:
        name = self._text(table, key, where, default=default)
        if name and name not in known:
            self._complain(f"{where}.{key}", f"‘{name}’ is not known. Known are {', '.join(sorted(known))}")
        return known.get(name)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None

"""One record in, target values and problems out. Pure, deterministic, and total: no record can make it raise."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings.fields import Value, Values
from mappings.functions import CannotConvert, UnknownValue, one_or_multiple, quoted
from mappings.parameters import BadStep, Kind
from mappings.transforms import Shape, Step, parse_step
from mappings.values import canonical, canonical_dump, is_blank, is_sound


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one column gets its value: from a field (or from fields that the first step names), through steps.

    ``kind`` is the target's own name for the column's type when the rule was made, so that a retyped column is noticed.
    ``values`` names a value mapping that the field's value is looked up in before any other step.
    """

    column: str
    title: str = ""
    kind: str = ""
    field: str = ""
    steps: tuple[Mapping[str, Any], ...] = ()
    values: str = ""

    @property
    def name(self) -> str:
        """How people call the column."""
        return self.title or self.column


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with one column, in a sentence for a bookkeeper. ``value`` was not found in the value mapping ``values``."""

    column: str
    field: str
    code: str
    said: str
    value: str = ""
    values: str = ""


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Column id → value. A column with a problem of code ``cannot_convert`` is absent; None means that the column is empty."""

    values: dict[str, Value]
    problems: tuple[Problem, ...]


def apply(
    rules: Sequence[Rule], *, values: Values, lines: Sequence[Values] = (), lookups: Mapping[str, Mapping[str, str]] | None = None
) -> Mapped:
    """Map one record. ``lookups`` is value mapping name → source value → what the target shows.

    Lines may be keyed as the catalogue is ("lines.ACCOUNTNO") or without its prefix. A blank text is nothing: None.
    """
    record = _Record(values, lines, lookups or {})
    mapped: dict[str, Value] = {}
    problems: list[Problem] = []
    for rule in rules:
        try:
            mapped[rule.column] = _Cell(rule, record, problems).value()
        except CannotConvert as error:
            problems.append(_problem(rule, "cannot_convert", f"{rule.name} was left out: {error}."))
        except BadStep as error:
            problems.append(_problem(rule, "bad_step", f"{rule.name} was left out. {error}"))
    return Mapped(values=mapped, problems=tuple(problems))


@dataclass(frozen=True, kw_only=True)
class Trail:
    """How one column came by its value. ``given`` is field → its values (a field of the lines has one per line).

    ``stages`` pairs each step with what it made; ``stopped`` says why it went no further.
    """

    given: Mapping[str, tuple[Value, ...]]
    stages: tuple[tuple[Step, tuple[Value, ...]], ...]
    stopped: str = ""


def trail(
    rule: Rule, *, values: Values, lines: Sequence[Values] = (), lookups: Mapping[str, Mapping[str, str]] | None = None
) -> Trail:
    """One rule on one record, step by step."""
    record = _Record(values, lines, lookups or {})
    given, stages, stopped = dict[str, tuple[Value, ...]](), list[tuple[Step, tuple[Value, ...]]](), ""
    try:
        steps = steps_of(rule)
        keys = [rule.field, *(key for step in steps for key in step.named(Kind.FIELDS))]
        given = {key: tuple(record.all(key)) for key in keys if key}
        cell, current = _Cell(rule, record, []), list(given.get(rule.field, ()))
        for step in steps:
            current = cell.after(step, current)
            stages.append((step, tuple(current)))
    except (CannotConvert, BadStep) as error:
        stopped = str(error)
    return Trail(given=given, stages=tuple(stages), stopped=stopped)


def steps_of(rule: Rule) -> tuple[Step, ...]:
    """The rule's steps as they are carried out, its value mapping included. Raises BadStep."""
    steps = [parse_step(each) for each in rule.steps]
    if rule.values:
        at = 1 if steps and steps[0].transform.shape is Shape.FIELDS else 0
        steps.insert(at, parse_step({"do": "look_up", "values": rule.values}))
    return tuple(steps)


@dataclass(frozen=True)
class _Record:
    values: Values
    lines: Sequence[Values]
    lookups: Mapping[str, Mapping[str, str]]

    def all(self, key: str) -> list[Value]:
        """One value, or for a field of the lines one per line. Raises CannotConvert."""
        if key.startswith("lines."):
            bare = key.removeprefix("lines.")
            found = [line.get(key, line.get(bare)) for line in self.lines]
        else:
            found = [self.values.get(key)]
        return [_sound(each) for each in found]

    def one(self, key: str) -> Value:
        return one_or_multiple(self.all(key))


@dataclass(frozen=True)
class _Cell:
    """One rule on one record."""

    rule: Rule
    record: _Record
    problems: list[Problem]
    unknown: set[str] = field(default_factory=set)

    def value(self) -> Value:
        """Raises CannotConvert and BadStep."""
        steps = steps_of(self.rule)
        starts_itself = bool(steps) and steps[0].transform.shape is Shape.FIELDS
        if not self.rule.field and not starts_itself:
            raise BadStep("", "field", "Nothing says which field its value comes from.")
        current = self.record.all(self.rule.field) if self.rule.field else []
        for step in steps:
            current = self.after(step, current)
        return _sound(one_or_multiple(current))

    def after(self, step: Step, current: Sequence[Value]) -> list[Value]:
        run, parameters = step.transform.run, self._ready(step)
        match step.transform.shape:
            case Shape.FIELDS:
                return [run(**parameters)]
            case Shape.LINES:
                return [run(current, **parameters)]
            case Shape.VALUE:
                return [None if is_blank(each) else self._run(step, each, parameters) for each in current]

    def _ready(self, step: Step) -> dict[str, Any]:
        """The step's parameters, where fields and value mappings are replaced by what they hold."""
        ready = dict(step.parameters)
        for parameter in step.transform.parameters:
            if parameter.kind is Kind.FIELDS:
                ready[parameter.name] = [self.record.one(key) for key in ready[parameter.name]]
            elif parameter.kind is Kind.VALUES:
                ready[parameter.name] = self.record.lookups.get(ready[parameter.name], {})
        return ready

    def _run(self, step: Step, value: Value, parameters: Mapping[str, Any]) -> Value:
        try:
            return step.transform.run(value, **parameters)
        except UnknownValue as error:
            self._note(error, values=step.named(Kind.VALUES)[0])
            return error.instead

    def _note(self, error: UnknownValue, *, values: str) -> None:
        """Once for each value, however many lines have it."""
        if error.source in self.unknown:
            return
        self.unknown.add(error.source)
        shows = f"shows {quoted(error.instead)} for now" if error.instead else "stays empty for now"
        said = f"The value mapping “{values}” has no entry for {quoted(error.source)}; {self.rule.name} {shows}."
        self.problems.append(_problem(self.rule, "unknown_value", said, value=error.source, values=values))


def _sound(value: Value) -> Value:
    if not is_sound(value):
        raise CannotConvert("the source gave something that is no usable value")
    return None if is_blank(value) else value


def _problem(rule: Rule, code: str, said: str, *, value: str = "", values: str = "") -> Problem:
    return Problem(column=rule.column, field=rule.field, code=code, said=said, value=value, values=values)


def fingerprint(mapped_values: Mapping[str, Value], mapping_version: str) -> str:
    """Equal for the same values under the same mapping, for ever and on every machine; 1.0 and 1.00 are the same value."""
    values = {column: canonical_dump(value) for column, value in mapped_values.items()}
    whole = json.dumps({"mapping": mapping_version, "values": values}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()


def changed(new: Mapping[str, Value], written: Mapping[str, Value]) -> dict[str, Value]:
    """The columns that must be written. One that is no longer mapped is left alone: people may use it now."""
    return {
        column: value for column, value in new.items() if column not in written or canonical(value) != canonical(written[column])
    }

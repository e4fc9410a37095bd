"""Whether rules fit the fields and columns as they are now: asked when a mapping is edited and before a run writes."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from mappings.apply import Problem, Rule, steps_of
from mappings.fields import ITEMS_OF, Catalogue, Column, Field, FieldType
from mappings.parameters import BadStep, Kind
from mappings.transforms import ONE_OR_MULTIPLE, TEXTS, Shape, Step

_WORDS = {
    FieldType.TEXT: "a text",
    FieldType.LONG_TEXT: "a long text",
    FieldType.AMOUNT: "an amount",
    FieldType.INTEGER: "a whole number",
    FieldType.DATE: "a date",
    FieldType.MOMENT: "a date and time",
    FieldType.BOOLEAN: "yes or no",
    FieldType.CHOICE: "a choice",
    FieldType.LINK: "a link",
}


def problems_of(
    rules: Sequence[Rule], *, catalogue: Catalogue, columns: Sequence[Column], known_values: Collection[str] | None = None
) -> tuple[Problem, ...]:
    """Everything that is wrong, rule by rule. ``known_values`` names the value mappings there are; None: do not look."""
    by_id = {each.id: each for each in columns}
    n_rules = Counter(each.column for each in rules)
    found: list[Problem] = []
    for rule in rules:
        checked = _Checked(rule, catalogue, by_id.get(rule.column))
        found += checked.about_column()
        found += checked.about_value(known_values)
        if n_rules[rule.column] > 1:
            found.append(checked.problem("column_twice", f"Two rules fill {rule.name}. Remove one of them."))
    return tuple(found)


def fits(given: FieldType, column: Column) -> bool:
    """Whether a value of this type may be written there. A choice or a link is a text; all texts fit where a long one does."""
    if given in column.accepts:
        return True
    wider = {FieldType.LONG_TEXT} if given is FieldType.LONG_TEXT else {FieldType.TEXT, FieldType.LONG_TEXT}
    return given in TEXTS and not column.accepts.isdisjoint(wider)


def default_types(field: Field) -> frozenset[FieldType]:
    """What a field gives without any step: a field of the lines may give "multiple (3)"."""
    given = frozenset({field.type})
    return ONE_OR_MULTIPLE.transform.gives(given) if field.is_of_lines else given


class _Checked:
    """One rule, beside the column it fills (None: there is no such column)."""

    def __init__(self, rule: Rule, catalogue: Catalogue, column: Column | None) -> None:
        self.rule, self.catalogue, self.column = rule, catalogue, column

    def problem(self, code: str, said: str, *, field: str | None = None) -> Problem:
        return Problem(column=self.rule.column, field=self.rule.field if field is None else field, code=code, said=said)

    def about_column(self) -> Iterator[Problem]:
        name, kind = self.rule.name, self.rule.kind
        if self.column is None:
            said = f"The column {name} is no longer there. Choose another column, or remove this rule."
            yield self.problem("unknown_column", said)
        elif not self.column.is_writable:
            yield self.problem("read_only_column", f"Nobody can write to the column {name}. Choose another column.")
        elif self._is_retyped:
            said = f"The column {name} was of type {kind} and is now {self.column.kind}. Confirm the rule, or choose another."
            yield self.problem("retyped_column", said)

    @property
    def _is_retyped(self) -> bool:
        return self.column is not None and bool(self.rule.kind) and self.column.kind != self.rule.kind

    def about_value(self, known_values: Collection[str] | None) -> Iterator[Problem]:
        try:
            steps = steps_of(self.rule)
        except BadStep as error:
            yield self.problem("bad_step", f"{self.rule.name}: {error}")
            return
        yield from self._about_lookups(steps, known_values)
        unknown = [each for each in self._fields(steps) if each not in self.catalogue]
        for key in unknown:
            yield self.problem(
                "unknown_field", f"There is no field {key} any more. Choose another for {self.rule.name}.", field=key
            )
        if not unknown:
            yield from self._about_types(steps)

    def _fields(self, steps: Sequence[Step]) -> list[str]:
        named = [key for step in steps for key in step.named(Kind.FIELDS)]
        return [self.rule.field, *named] if self.rule.field else named

    def _about_lookups(self, steps: Sequence[Step], known: Collection[str] | None) -> Iterator[Problem]:
        for name in (each for step in steps for each in step.named(Kind.VALUES)):
            if known is not None and name not in known:
                said = f"{self.rule.name} uses the value mapping “{name}”, which does not exist. Make it, or choose another."
                yield self.problem("values_missing", said)

    def _about_types(self, steps: Sequence[Step]) -> Iterator[Problem]:
        if not self.rule.field and not _starts_itself(steps):
            yield self.problem("no_field", f"Nothing says what {self.rule.name} is filled with. Choose a field.")
            return
        try:
            given = self._types(steps)
        except BadStep as error:
            yield self.problem("bad_step", f"{self.rule.name}: {error}")
            return
        yield from self._about_fit(given)

    def _about_fit(self, given: frozenset[FieldType]) -> Iterator[Problem]:
        if self.column is None or not self.column.is_writable or self._is_retyped:
            return  # the column has a problem of its own, which comes first
        unfit = [each for each in sorted(given) if not fits(each, self.column)]
        if unfit:
            takes = _either(sorted(self.column.accepts))
            said = f"{self.rule.name} takes {takes}, but would get {_either(unfit)}. Choose another field, or add a step."
            yield self.problem("type_mismatch", said)

    def _types(self, steps: Sequence[Step]) -> frozenset[FieldType]:
        """What the rule may give after all its steps. Raises BadStep where a step does not fit what comes before it."""
        if self.rule.values.startswith(ITEMS_OF):
            return frozenset({FieldType.RELATION})
        field = self.catalogue.get(self.rule.field)
        given = frozenset({field.type}) if field else frozenset()
        is_of_lines = field is not None and field.is_of_lines
        for step in steps:
            _refuse_misplaced(step, is_first=step is steps[0] and field is None, is_of_lines=is_of_lines)
            given = self._own_types(step) if step.transform.shape is Shape.FIELDS else _after(step, given)
            is_of_lines = is_of_lines and step.transform.shape is not Shape.LINES
        return ONE_OR_MULTIPLE.transform.gives(given) if is_of_lines else given

    def _own_types(self, step: Step) -> frozenset[FieldType]:
        """What a step gives that names its own fields; a constant names none, and is a text that may be a label too."""
        fields = [field for key in step.named(Kind.FIELDS) if (field := self.catalogue.get(key))]
        return step.transform.gives(kind for each in fields for kind in default_types(each)) or frozenset({FieldType.CHOICE})


def _starts_itself(steps: Sequence[Step]) -> bool:
    return bool(steps) and steps[0].transform.shape is Shape.FIELDS


def _refuse_misplaced(step: Step, *, is_first: bool, is_of_lines: bool) -> None:
    transform = step.transform
    if transform.shape is Shape.FIELDS and not is_first:
        raise BadStep(transform.name, "do", "It brings its own value, so no field and no other step can come before it.")
    if transform.shape is Shape.LINES and not is_of_lines:
        raise BadStep(transform.name, "do", "It works on a field of the lines only.")


def _after(step: Step, given: frozenset[FieldType]) -> frozenset[FieldType]:
    refused = sorted(given - step.transform.takes)
    if refused:
        raise BadStep(step.transform.name, "do", f"It cannot take {_either(refused)}.")
    return step.transform.gives(given)


def _either(types: Sequence[FieldType]) -> str:
    return " or ".join(_WORDS[each] for each in types)

"""The small named functions a customer may choose. A step is one of them with its parameters: ``{"do": "cut", "length": 80}``.

A step on a field of the lines works on each line's value until a step of shape ``LINES`` makes one value of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mappings import functions
from mappings.fields import FieldType, Value
from mappings.parameters import BadStep, Kind, Parameter

TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.CHOICE, FieldType.LINK})
NUMBERS = frozenset({FieldType.AMOUNT, FieldType.INTEGER})


class Shape(StrEnum):
    """What a transform works on."""

    VALUE = "value"
    LINES = "lines"  # the values that one field has on all lines
    FIELDS = "fields"  # fields that it names itself, so nothing can come before it


@dataclass(frozen=True, kw_only=True)
class Transform:
    """One function a customer may choose. ``turns`` says which types it takes, and what each of them may become."""

    name: str
    label: str
    run: Callable[..., Value]
    turns: Mapping[FieldType, frozenset[FieldType]]
    shape: Shape = Shape.VALUE
    parameters: tuple[Parameter, ...] = ()
    help: str = ""

    @property
    def takes(self) -> frozenset[FieldType]:
        return frozenset(self.turns)

    def gives(self, taken: Iterable[FieldType]) -> frozenset[FieldType]:
        return frozenset().union(*(self.turns.get(each, frozenset()) for each in taken))


@dataclass(frozen=True)
class Step:
    """A transform with parameters that were read and found good."""

    transform: Transform
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def named(self, kind: Kind) -> tuple[str, ...]:
        """The fields, or the value mappings, that the parameters name."""
        found = [self.parameters[each.name] for each in self.transform.parameters if each.kind is kind]
        return tuple(name for each in found for name in ([each] if isinstance(each, str) else each))


def parse_step(step: Mapping[str, Any]) -> Step:
    """Raises BadStep, which names the step and the parameter."""
    name = step.get("do") if isinstance(step, Mapping) else None
    transform = TRANSFORMS.get(name) if isinstance(name, str) else None
    if transform is None:
        raise BadStep("", "do", f"There is no step called “{str(name)[:60]}”. Choose one of: {', '.join(TRANSFORMS)}.")
    asked = {each.name for each in transform.parameters}
    for given in step:
        if given != "do" and given not in asked:
            raise BadStep(transform.name, str(given), f"“{str(given)[:60]}” is not something that this step asks for.")
    return Step(transform, {each.name: each.read(step.get(each.name), step=transform.name) for each in transform.parameters})


def _become(result: FieldType, *, these: Iterable[FieldType] = FieldType) -> dict[FieldType, frozenset[FieldType]]:
    return {each: frozenset({result}) for each in these}


def _stay(*, these: Iterable[FieldType] = FieldType) -> dict[FieldType, frozenset[FieldType]]:
    return {each: frozenset({each}) for each in these}


def _stay_or_text() -> dict[FieldType, frozenset[FieldType]]:
    """ "multiple (3)" is a text, whatever the lines hold; texts of all sorts are one family here."""
    return {each: frozenset({each}) if each in TEXTS else frozenset({each, FieldType.TEXT}) for each in FieldType}


_FIELDS = Parameter(name="fields", label="Fields", kind=Kind.FIELDS, help="In this order.")
_SEPARATOR = Parameter(
    name="separator",
    label="Between them",
    kind=Kind.TEXT,
    required=False,
    default=", ",
    help="A comma and a space if left empty.",
)
_WRITTEN = Parameter(
    name="written",
    label="Written as",
    kind=Kind.CHOICE,
    choices=functions.DATE_FORMS,
    required=False,
    default=functions.DATE_FORMS[0],
    help=f"{functions.DATE_FORMS[0]} if left empty.",
)
_ZONE = Parameter(
    name="zone",
    label="Time zone",
    kind=Kind.ZONE,
    required=False,
    default="UTC",
    help="A moment falls on different dates in different places. UTC if left empty.",
)

_ALL = (
    Transform(
        name="text",
        label="As text",
        run=functions.text,
        turns=_become(FieldType.TEXT),
        help="Dates as 2026-11-30, amounts as 1234.50, yes and no as Yes and No.",
    ),
    Transform(
        name="cut",
        label="Cut to length",
        run=functions.cut,
        turns=_become(FieldType.TEXT),
        parameters=(
            Parameter(
                name="length",
                label="At most",
                kind=Kind.WHOLE_NUMBER,
                least=1,
                most=100_000,
                help="Characters, counting the … that shows where a text was cut.",
            ),
        ),
    ),
    Transform(name="upper", label="In capitals", run=functions.upper, turns=_become(FieldType.TEXT, these=TEXTS)),
    Transform(name="lower", label="In small letters", run=functions.lower, turns=_become(FieldType.TEXT, these=TEXTS)),
    Transform(
        name="date",
        label="As a date",
        run=functions.to_date,
        turns=_become(FieldType.DATE, these=TEXTS | {FieldType.DATE, FieldType.MOMENT}),
        parameters=(_WRITTEN, _ZONE),
        help="Reads a date that the source keeps as text, or takes the date of a moment.",
    ),
    Transform(
        name="write_date",
        label="Date as text",
        run=functions.write_date,
        turns=_become(FieldType.TEXT, these={FieldType.DATE}),
        parameters=(_WRITTEN,),
    ),
    Transform(
        name="decimal",
        label="As an amount",
        run=functions.to_decimal,
        turns=_become(FieldType.AMOUNT, these=TEXTS | NUMBERS),
        parameters=(
            Parameter(
                name="places",
                label="Decimals",
                kind=Kind.WHOLE_NUMBER,
                most=20,
                required=False,
                help="Rounded half up. Left as they are if empty.",
            ),
        ),
        help="Reads an amount such as 1234.50; anything else is reported, never guessed.",
    ),
    Transform(
        name="look_up",
        label="Look up",
        run=functions.look_up,
        turns=_become(FieldType.CHOICE),
        parameters=(
            Parameter(name="values", label="Value mapping", kind=Kind.VALUES),
            Parameter(
                name="otherwise",
                label="For unknown values",
                kind=Kind.TEXT,
                required=False,
                help="The value itself if left empty. Unknown values are reported either way.",
            ),
        ),
    ),
    Transform(
        name="join",
        label="Join fields",
        run=functions.join,
        turns=_become(FieldType.TEXT),
        shape=Shape.FIELDS,
        parameters=(_FIELDS, _SEPARATOR),
        help="Fields without a value are skipped.",
    ),
    Transform(
        name="first_filled",
        label="First field that has a value",
        run=functions.first,
        turns=_stay(),
        shape=Shape.FIELDS,
        parameters=(_FIELDS,),
    ),
    Transform(
        name="constant",
        label="Always the same text",
        run=functions.constant,
        turns={},
        shape=Shape.FIELDS,
        parameters=(Parameter(name="value", label="Text", kind=Kind.TEXT),),
    ),
    Transform(
        name="one_or_multiple",
        label="One value, or “multiple (3)”",
        run=functions.one_or_multiple,
        turns=_stay_or_text(),
        shape=Shape.LINES,
        help="The value that all lines share; else how many different ones there are. Lines without a value do not count.",
    ),
    Transform(name="sum", label="Sum", run=functions.total, turns=_become(FieldType.AMOUNT, these=NUMBERS), shape=Shape.LINES),
    Transform(
        name="list",
        label="List of the values",
        run=functions.listed,
        turns=_become(FieldType.TEXT),
        shape=Shape.LINES,
        parameters=(_SEPARATOR,),
        help="Each value once, in the order of the lines.",
    ),
    Transform(
        name="first",
        label="Value of the first line",
        run=functions.first,
        turns=_stay(),
        shape=Shape.LINES,
        help="The first line that has one.",
    ),
    Transform(
        name="count",
        label="Number of lines",
        run=functions.count,
        turns=_become(FieldType.INTEGER),
        shape=Shape.LINES,
        help="Lines that have a value.",
    ),
)

TRANSFORMS: Mapping[str, Transform] = {each.name: each for each in _ALL}
ONE_OR_MULTIPLE = Step(TRANSFORMS["one_or_multiple"])

"""What a transform asks for, and what is said when somebody gives it something else."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

MAX_TEXT = 2_000
MAX_FIELDS = 20


class BadStep(ValueError):
    """A step that cannot be carried out as it is written. Its text is a sentence for the person who wrote it."""

    def __init__(self, step: str, parameter: str, said: str) -> None:
        super().__init__(f"Step “{step}”: {said}" if step else said)
        self.step, self.parameter = step, parameter


class Kind(StrEnum):
    """What a parameter holds; a form shows a fitting input for each."""

    WHOLE_NUMBER = "whole_number"
    TEXT = "text"
    CHOICE = "choice"
    ZONE = "zone"  # an IANA name: "America/Chicago"
    FIELDS = "fields"  # field keys, in order; when the step runs it gets their values
    VALUES = "values"  # the name of a value mapping; when the step runs it gets its entries


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One thing a transform asks for. ``default`` stands in where nothing is given and the parameter is not required."""

    name: str
    label: str
    kind: Kind
    help: str = ""
    required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0

    def read(self, given: Any, *, step: str) -> Any:
        """The value as the transform wants it. Raises BadStep."""
        if given is None and not self.required:
            return self.default
        wanted = self._refusal(given)
        if wanted:
            raise BadStep(step, self.name, f"“{self.name}” must be {wanted}; {_shown(given)}.")
        return tuple(given) if self.kind is Kind.FIELDS else given

    def _refusal(self, given: Any) -> str:
        """What the value should have been; empty when it is just that."""
        match self.kind:
            case Kind.WHOLE_NUMBER:
                fits = isinstance(given, int) and not isinstance(given, bool) and self.least <= given <= self.most
                return "" if fits else f"a whole number from {self.least} to {self.most}"
            case Kind.TEXT:
                return "" if isinstance(given, str) and len(given) <= MAX_TEXT else f"a text of at most {MAX_TEXT} characters"
            case Kind.CHOICE:
                return "" if isinstance(given, str) and given in self.choices else "one of " + ", ".join(self.choices)
            case Kind.ZONE:
                return "" if _is_zone(given) else "the name of a time zone, such as America/Chicago"
            case Kind.FIELDS:
                return "" if _are_fields(given) else f"a list of 1 to {MAX_FIELDS} fields"
            case Kind.VALUES:
                return "" if isinstance(given, str) and given.strip() else "the name of a value mapping"


def _is_zone(given: Any) -> bool:
    try:
        return isinstance(given, str) and bool(ZoneInfo(given))
    except (KeyError, ValueError, OSError):  # unknown; not a name at all; a folder of names, such as "America"
        return False


def _are_fields(given: Any) -> bool:
    if isinstance(given, str) or not isinstance(given, Sequence) or not 1 <= len(given) <= MAX_FIELDS:
        return False
    return all(isinstance(each, str) and each for each in given)


def _shown(given: Any) -> str:
    return "nothing is given" if given is None else f"it is {str(given)[:60]!r}"

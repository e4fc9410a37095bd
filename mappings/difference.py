"""What an edit changed in a mapping, for the trail and for people who must agree to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mappings.apply import Rule


@dataclass(frozen=True, kw_only=True)
class Difference:
    """``changed`` pairs the old rule with the new one for the same column. Empty (falsy) when only the order differs."""

    added: tuple[Rule, ...]
    removed: tuple[Rule, ...]
    changed: tuple[tuple[Rule, Rule], ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    @property
    def sentences(self) -> tuple[str, ...]:
        added = (f"{each.name} is now filled with {described(each)}." for each in self.added)
        removed = (f"{each.name} is no longer filled; it was {described(each)}." for each in self.removed)
        return (*added, *removed, *(_change(old, new) for old, new in self.changed))


def difference(old: Sequence[Rule], new: Sequence[Rule]) -> Difference:
    before, after = ({each.column: each for each in rules} for rules in (old, new))
    return Difference(
        added=tuple(each for each in new if each.column not in before),
        removed=tuple(each for each in old if each.column not in after),
        changed=tuple((before[each.column], each) for each in new if before.get(each.column, each) != each),
    )


def described(rule: Rule) -> str:
    """A rule in a few words: "lines.ACCOUNTNO, then looked up in gl_accounts, then cut (length 80)"."""
    parts = [rule.field] if rule.field else []
    parts += [f"looked up in {rule.values}"] if rule.values else []
    parts += [_step(dict(each)) for each in rule.steps]
    return ", then ".join(parts) or "nothing"


def _step(step: dict[str, object]) -> str:
    name = str(step.pop("do", "?"))
    given = ", ".join(f"{key} {_shown(value)}" for key, value in step.items())
    return f"{name} ({given})" if given else name


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return " + ".join(map(str, value))
    return f"“{value}”" if isinstance(value, str) else str(value)


def _change(old: Rule, new: Rule) -> str:
    if (old.field, old.steps, old.values) != (new.field, new.steps, new.values):
        return f"{new.name} is now filled with {described(new)}; it was {described(old)}."
    if old.kind != new.kind:
        return f"{new.name} is now a column of type {new.kind or 'unknown'}; it was {old.kind or 'unknown'}."
    return f"The column {old.name} is now called {new.name}."

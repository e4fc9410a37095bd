"""The small SQL-like language of ``readByQuery``, read into the same conditions as the filters of ``query``."""

import re
from dataclasses import dataclass

from integrations.sandboxes.intacct.conditions import Condition

_TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\(|\)|,|<=|>=|<|>|=|[^\s(),'<>=]+)")
_OPERATORS = {
    "=": "equalto",
    "<": "lessthan",
    "<=": "lessthanorequalto",
    ">": "greaterthan",
    ">=": "greaterthanorequalto",
    "like": "like",
    "in": "in",
}
_NEGATED = {"like": "notlike", "in": "notin"}


@dataclass(kw_only=True)
class _Reader:
    tokens: list[str]
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if not token or (wanted and token.lower() not in wanted):
            raise ValueError(f"not understood: {token!r}")
        self.at += 1
        return token

    def take_if(self, word: str) -> bool:
        if self.peek().lower() != word:
            return False
        self.at += 1
        return True


def read(text: str) -> Condition | None:
    """Read a query; an empty one asks for everything. Raises ValueError, for instance over ORDER BY."""
    reader = _Reader(tokens=_tokens(text))
    if not reader.tokens:
        return None
    condition = _either(reader)
    if reader.peek():
        raise ValueError(f"not understood: {reader.peek()!r}")
    return condition


def _tokens(text: str) -> list[str]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError(f"not understood: {text[at:]!r}")
        is_operator = match[1] in _OPERATORS
        if is_operator and (match.start(1) == match.start() or not text[match.end() : match.end() + 1].isspace()):
            raise ValueError(f"blanks are needed around {match[1]}")
        tokens.append(match[1])
        at = match.end()
    return tokens


def _either(reader: _Reader) -> Condition:
    children = [_both(reader)]
    while reader.take_if("or"):
        children.append(_both(reader))
    return children[0] if len(children) == 1 else Condition(operator="or", children=tuple(children))


def _both(reader: _Reader) -> Condition:
    children = [_one(reader)]
    while reader.take_if("and"):
        children.append(_one(reader))
    return children[0] if len(children) == 1 else Condition(operator="and", children=tuple(children))


def _one(reader: _Reader) -> Condition:
    if reader.take_if("not"):
        return Condition(operator="not", children=(_one(reader),))
    if reader.take_if("("):
        inner = _either(reader)
        reader.take(")")
        return inner
    path = reader.take().upper()
    if reader.take_if("is"):
        negated = reader.take_if("not")
        reader.take("null")
        return Condition(operator="isnotnull" if negated else "isnull", path=path)
    negated = reader.take_if("not")
    how = _OPERATORS[reader.take(*(_NEGATED if negated else _OPERATORS)).lower()]
    values = _list(reader) if how == "in" else (_value(reader),)
    return Condition(operator=_NEGATED[how] if negated else how, path=path, values=values)


def _list(reader: _Reader) -> tuple[str, ...]:
    reader.take("(")
    values = [_value(reader)]
    while reader.take_if(","):
        values.append(_value(reader))
    reader.take(")")
    return tuple(values)


def _value(reader: _Reader) -> str:
    token = reader.take()
    if token.startswith("'"):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if token in ("(", ")", ",") or token in _OPERATORS:
        raise ValueError(f"a value was expected before {token!r}")
    return token

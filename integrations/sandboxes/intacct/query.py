"""The ``query`` function, complete: select, filter, order, options, paging, aggregates."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from integrations.sandboxes.intacct.aggregates import AGGREGATES, aggregated
from integrations.sandboxes.intacct.answers import query_failed, stumbled
from integrations.sandboxes.intacct.caller import Caller
from integrations.sandboxes.intacct.conditions import OPERATORS, Condition, Language, candidates
from integrations.sandboxes.intacct.replies import Reply
from integrations.sandboxes.intacct.rows import BARE_TYPES, bare, cells, data, row_writer
from integrations.sandboxes.intacct.shapes import ObjectType
from integrations.sandboxes.intacct.state import Column, UnknownField
from integrations.sandboxes.intacct.values import LAST, Row

_PARTS = frozenset({"object", "select", "docparid", "filter", "orderby", "options", "pagesize", "offset"})
MAX_PAGE, MAX_IN = 2000, 1000


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A query as asked, checked for its form but not yet for its fields."""

    selects: tuple[tuple[str, str], ...]  # (aggregate or "field", path)
    filter: Condition | None
    order: tuple[tuple[str, bool], ...]  # (path, descending)
    ignores_case: bool
    shows_private: bool
    form: str
    pagesize: int
    offset: int


def run(caller: Caller, element: etree._Element) -> Reply:
    """Carry one query out. Raises Failed."""
    spec = read_spec(element)
    type_ = caller.open_object((element.findtext("object") or "").strip(), "read", "READ_BY_QUERY")
    language = Language(column=lambda path: caller.column(type_, path), zone=caller.zone, ignores_case=spec.ignores_case)
    try:
        columns = [caller.column(type_, path) for _, path in spec.selects]
        rows = _matching(caller, type_, spec, language)
        if any(how != "field" for how, _ in spec.selects):
            rows, columns = aggregated(rows, [(how, column) for (how, _), column in zip(spec.selects, columns, strict=True)])
    except (UnknownField, ValueError):
        raise stumbled() from None
    return _page(type_, spec, rows, columns, caller.zone)


def _page(type_: ObjectType, spec: Spec, rows: list[Row], columns: list[Column], zone: int) -> Reply:
    page = rows[spec.offset : spec.offset + spec.pagesize]
    if spec.form != "xml":
        return Reply(bare_body=bare(spec.form, page, cells(columns, zone)), bare_type=BARE_TYPES[spec.form])
    remaining = max(0, len(rows) - spec.offset - len(page))
    numbers: dict[str, object] = {"listtype": type_.name, "totalcount": len(rows), "offset": spec.offset, "count": len(page)}
    inner = "".join(map(row_writer(type_.name, columns, zone), page))
    return Reply(data=data(numbers | {"numremaining": remaining}, inner))


def _matching(caller: Caller, type_: ObjectType, spec: Spec, language: Language) -> list[Row]:
    order = [(caller.column(type_, path), descending) for path, descending in spec.order]
    condition = language.typed(spec.filter) if spec.filter else None
    is_plain = bool(order) and all(column.stored and not descending for column, descending in order)
    wanted = tuple(column.path for column, _ in order) if is_plain else ()
    found = candidates(condition, caller.table(type_), wanted)
    rows = caller.visible(found.asked, type_, with_private=spec.shows_private)
    if condition:
        matches = language.predicate(condition)
        rows = [row for row in rows if matches(row)]
    rows = rows + caller.visible(found.sure, type_, with_private=spec.shows_private)
    if not order:
        return caller.shuffled(rows)
    return rows if found.is_sorted else _sorted(rows, order)


def _sorted(rows: list[Row], order: list[tuple[Column, bool]]) -> list[Row]:
    """Stable sorts from the last field to the first."""
    for column, descending in reversed(order):
        rows = sorted(rows, key=_sort_key(column), reverse=descending)
    return rows


def _sort_key(column: Column) -> Callable[[Row], Any]:
    last, read = LAST[column.field.kind], column.read
    return lambda row: last if (value := read(row)) is None else value


def read_spec(element: etree._Element) -> Spec:
    """Read the element and refuse what the grammar does not allow."""
    parts: dict[str, etree._Element] = {}
    for child in _elements(element):
        if child.tag not in _PARTS or child.tag in parts:
            raise query_failed(f"Element {child.tag} is not expected in query")
        parts[str(child.tag)] = child
    if "object" not in parts or "select" not in parts:
        raise query_failed("A query needs object and select")
    options = _options(parts.get("options"))
    return Spec(
        selects=_selects(parts["select"]),
        filter=_filter(parts["filter"]) if "filter" in parts else None,
        order=_order(parts["orderby"]) if "orderby" in parts else (),
        ignores_case=options.get("caseinsensitive") == "true",
        shows_private=options.get("showprivate") == "true",
        form=options.get("returnformat", "xml"),
        pagesize=_number(parts.get("pagesize"), default=100, low=1, high=MAX_PAGE),
        offset=_number(parts.get("offset"), default=0, low=0, high=2**31),
    )


def _elements(element: etree._Element) -> Iterable[etree._Element]:
    return (child for child in element if isinstance(child.tag, str))


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()


def _selects(element: etree._Element) -> tuple[tuple[str, str], ...]:
    found = tuple((str(child.tag), _text(child)) for child in _elements(element))
    if not found or any(how != "field" and how not in AGGREGATES for how, _ in found) or not all(path for _, path in found):
        raise query_failed("select needs fields or aggregates")
    return found


def _order(element: etree._Element) -> tuple[tuple[str, bool], ...]:
    found = []
    for order in _elements(element):
        names = [str(child.tag) for child in _elements(order)]
        if order.tag != "order" or names not in (["field"], ["field", "ascending"], ["field", "descending"]):
            raise query_failed("orderby needs order elements with one field and a direction")
        found.append(((order.findtext("field") or "").strip(), names[-1] == "descending"))
    if not found:
        raise query_failed("orderby is empty")
    return tuple(found)


def _options(element: etree._Element | None) -> dict[str, str]:
    if element is None:
        return {}
    allowed = {"caseinsensitive": ("true", "false"), "showprivate": ("true", "false"), "returnformat": ("xml", "json", "csv")}
    found = {}
    for child in _elements(element):
        if _text(child) not in allowed.get(str(child.tag), ()):
            raise query_failed(f"Option {child.tag} cannot be {_text(child)!r}")
        found[str(child.tag)] = _text(child)
    return found


def _number(element: etree._Element | None, *, default: int, low: int, high: int) -> int:
    if element is None:
        return default
    text = _text(element)
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise query_failed(f"{element.tag} must be a number from {low} to {high}")
    return int(text)


def _filter(element: etree._Element) -> Condition:
    children = list(_elements(element))
    if len(children) != 1:
        raise query_failed("filter needs exactly one operator at the top")
    return _condition(children[0])


def _condition(element: etree._Element) -> Condition:
    how = str(element.tag)
    children = list(_elements(element))
    if how in ("and", "or"):
        if len(children) < 2:
            raise query_failed(f"{how} needs at least two conditions")
        return Condition(operator=how, children=tuple(_condition(child) for child in children))
    if how not in OPERATORS:
        raise query_failed(f"Operator {how} is not known")
    if [child.tag for child in children[:1]] != ["field"] or any(child.tag != "value" for child in children[1:]):
        raise query_failed(f"Operator {how} needs a field and its values")
    values = tuple(child.text or "" for child in children[1:])
    _check_count(how, len(values))
    return Condition(operator=how, path=_text(children[0]), values=values)


def _check_count(how: str, n_values: int) -> None:
    few, many = {"between": (2, 2), "in": (1, MAX_IN), "notin": (1, MAX_IN), "isnull": (0, 0), "isnotnull": (0, 0)}.get(
        how, (1, 1)
    )
    if not few <= n_values <= many:
        raise query_failed(f"Operator {how} takes {few} to {many} values, not {n_values}")

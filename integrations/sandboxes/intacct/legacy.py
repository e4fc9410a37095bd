"""The older read functions: readByQuery with its cursors, readMore, read and readByName."""

import secrets
from dataclasses import dataclass, field

from lxml import etree

from integrations.sandboxes.intacct import sqlish
from integrations.sandboxes.intacct.answers import Error, Failed, query_failed, stumbled
from integrations.sandboxes.intacct.caller import Caller
from integrations.sandboxes.intacct.conditions import Language
from integrations.sandboxes.intacct.objects import OBJECTS
from integrations.sandboxes.intacct.replies import Reply
from integrations.sandboxes.intacct.rows import BARE_TYPES, bare, cells, data, row_writer
from integrations.sandboxes.intacct.shapes import ObjectType
from integrations.sandboxes.intacct.state import Column, Key, UnknownField
from integrations.sandboxes.intacct.values import Row

MAX_PAGE, MAX_KEYS = 1000, 100


@dataclass(kw_only=True)
class Cursor:
    """What is left of a readByQuery: keys in the order they were found in."""

    session: str
    type: ObjectType
    columns: list[Column]
    keys: list[Key]
    total: int
    pagesize: int
    form: str


@dataclass(kw_only=True)
class Legacy:
    cursors: dict[str, Cursor] = field(default_factory=dict)

    def read_by_query(self, caller: Caller, element: etree._Element) -> Reply:
        type_ = caller.open_object(_said(element, "object").upper(), "read", "READ_BY_QUERY")
        if element.find("query") is None:
            raise query_failed("readByQuery needs a query, even an empty one")
        try:
            columns = _columns(caller, type_, _said(element, "fields"))
            rows = _matching(caller, type_, element.findtext("query") or "")
        except (UnknownField, ValueError):
            raise stumbled() from None
        cursor = Cursor(
            session=caller.session,
            type=type_,
            columns=columns,
            keys=[row[type_.key] for row in caller.shuffled(rows)],
            total=len(rows),
            pagesize=_pagesize(_said(element, "pagesize")),
            form=_form(element),
        )
        return self._page(caller, cursor)

    def read_more(self, caller: Caller, element: etree._Element) -> Reply:
        name = _said(element, "resultId")
        cursor = self.cursors.pop(name, None)
        if cursor is None or cursor.session != caller.session:
            raise Failed(Error(number="readMore Failed", description2=f"Result id {name} not found or expired"))
        return self._page(caller, cursor)

    def _page(self, caller: Caller, cursor: Cursor) -> Reply:
        page, cursor.keys = cursor.keys[: cursor.pagesize], cursor.keys[cursor.pagesize :]
        table = caller.table(cursor.type)
        rows = [table.rows[key] for key in page if key in table.rows]
        name = secrets.token_hex(12).upper() if cursor.keys else ""
        if name:
            self.cursors[name] = cursor
        if cursor.form != "xml":
            return Reply(bare_body=bare(cursor.form, rows, cells(cursor.columns, caller.zone)), bare_type=BARE_TYPES[cursor.form])
        lower = cursor.type.name.lower()
        numbers: dict[str, object] = {"listtype": lower, "count": len(rows), "totalcount": cursor.total}
        numbers |= {"numremaining": len(cursor.keys), "resultId": name}
        return Reply(data=data(numbers, "".join(map(row_writer(lower, cursor.columns, caller.zone), rows))))


def read(caller: Caller, element: etree._Element, *, by_name: bool) -> Reply:
    """Records by key; a bill comes with its lines, which no query on bills gives."""
    operation = "READ_BY_NAME" if by_name else "READ"
    type_ = caller.open_object(_said(element, "object").upper(), "read", operation)
    keys = [key.strip() for key in _said(element, "keys").split(",") if key.strip()]
    if len(keys) > MAX_KEYS:
        raise query_failed(f"Attempted to read {len(keys)} records; the maximum is {MAX_KEYS}")
    fields = _said(element, "fields")
    try:
        columns = _columns(caller, type_, fields, lines="APBILLITEMS")
    except UnknownField as error:
        raise Failed(Error(number=f"Invalid fields list {error}", description2=f"Invalid fields list {error}")) from None
    rows = [row for row in _found(caller, type_, keys, by_name=by_name) if caller.may_see(row, with_private=True)]
    form = _form(element)
    if form != "xml":
        return Reply(bare_body=bare(form, rows, cells(columns, caller.zone)), bare_type=BARE_TYPES[form])
    with_lines = type_.name == "APBILL" and (fields in ("", "*") or "APBILLITEMS" in fields.split(","))
    return Reply(data=data({"listtype": type_.name, "count": len(rows)}, _written(caller, type_, rows, columns, with_lines)))


def _written(caller: Caller, type_: ObjectType, rows: list[Row], columns: list[Column], with_lines: bool) -> str:
    write = row_writer(type_.name, columns, caller.zone)
    if not with_lines:
        return "".join(map(write, rows))
    lines = OBJECTS["APBILLITEM"]
    write_line = row_writer("apbillitem", _columns(caller, lines, "*"), caller.zone)
    end = f"</{type_.name}>"
    written = []
    for row in rows:
        inner = "".join(map(write_line, caller.table(lines).lines_of(row["RECORDNO"])))
        written.append(f"{write(row).removesuffix(end)}<APBILLITEMS>{inner}</APBILLITEMS>{end}")
    return "".join(written)


def _found(caller: Caller, type_: ObjectType, keys: list[str], *, by_name: bool) -> list[Row]:
    table = caller.table(type_)
    if not by_name:
        wanted: list[Key] = [int(key) if key.isascii() and key.isdigit() and type_.key == "RECORDNO" else key for key in keys]
        rows = [table.rows[key] for key in wanted if key in table.rows]
    elif type_.natural_key:
        names = set(keys)
        rows = [row for key in keys if (row := table.named(key))] if type_.name != "APBILL" else _bills_called(caller, names)
    else:
        raise query_failed(f"API operation 'READ_BY_NAME' cannot be performed on objects of type {type_.name}")
    return [row for row in rows if table.is_visible(row, caller.now)]


def _bills_called(caller: Caller, names: set[str]) -> list[Row]:
    """A bill number is unique for its vendor at best, so there may be several."""
    return [row for row in caller.company.tables["APBILL"].rows.values() if row.get("RECORDID") in names]


def _matching(caller: Caller, type_: ObjectType, text: str) -> list[Row]:
    known = _spellings(caller, type_)
    language = Language(column=lambda path: caller.column(type_, known.get(path, path)), zone=caller.zone, uses_letters=True)
    condition = sqlish.read(text)
    rows = caller.visible(list(caller.table(type_).rows.values()), type_, with_private=False)
    if condition is None:
        return rows
    matches = language.predicate(language.typed(condition))
    return [row for row in rows if matches(row)]


def _columns(caller: Caller, type_: ObjectType, fields: str, lines: str = "") -> list[Column]:
    if fields in ("", "*"):
        return [caller.column(type_, name) for name in caller.company.fields_of(type_)]
    known = _spellings(caller, type_)
    names = [known.get(name.strip().upper(), name.strip().upper()) for name in fields.split(",")]
    return [caller.column(type_, name) for name in names if name != lines or type_.name != "APBILL"]


def _spellings(caller: Caller, type_: ObjectType) -> dict[str, str]:
    """The older functions do not care about case; only a company's own objects have names in anything but capitals."""
    return {name.upper(): name for name in caller.company.fields_of(type_)}


def _said(element: etree._Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _form(element: etree._Element) -> str:
    form = _said(element, "returnFormat") or "xml"
    if form not in ("xml", *BARE_TYPES):
        raise query_failed(f"returnFormat cannot be {form!r}")
    return form


def _pagesize(text: str) -> int:
    if not text:
        return 100
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_PAGE:
        raise query_failed(f"pagesize must be a number from 1 to {MAX_PAGE}")
    return int(text)

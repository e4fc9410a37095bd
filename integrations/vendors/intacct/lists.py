"""Lists of codes: every dimension of a company, read whole, several in one request (README.md, "Lists of codes")."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import structlog

from integrations.errors import ContractBroken, IntegrationError, PermissionMissing
from integrations.types import Login, Record
from integrations.vendors.intacct.client import Client, Refusal, Rows
from integrations.vendors.intacct.envelope import Row
from integrations.vendors.intacct.errors import FunctionRefused
from integrations.vendors.intacct.masters import STATUS_LETTERS, STATUSES
from integrations.vendors.intacct.objects import parse_label
from integrations.vendors.intacct.query import MAX_PAGE, Condition, Every, Is, OneOf, Query
from mappings.fields import Values

log = structlog.get_logger(__name__)

QUERIES_PER_REQUEST = 4  # up to 8,000 short rows


@dataclass(frozen=True, kw_only=True)
class CodeList:
    """One list of codes, and the object that holds it."""

    object: str
    name: str  # "departments"
    code: str  # the fields
    title: str
    parent: str = "PARENTID"
    status: str = "STATUS"
    key: str = "RECORDNO"
    one: str = ""  # what people call one of them, where the object's name will not do

    @property
    def fields(self) -> list[str]:
        return list(dict.fromkeys(each for each in (self.key, self.code, self.title, self.status, self.parent) if each))


LISTS = (
    CodeList(object="DEPARTMENT", name="departments", code="DEPARTMENTID", title="TITLE"),
    CodeList(object="LOCATION", name="locations", code="LOCATIONID", title="NAME"),
    CodeList(object="CLASS", name="classes", code="CLASSID", title="NAME"),
    CodeList(object="PROJECT", name="projects", code="PROJECTID", title="NAME"),
    CodeList(object="CUSTOMER", name="customers", code="CUSTOMERID", title="NAME"),
    CodeList(object="VENDOR", name="vendors", code="VENDORID", title="NAME"),
    CodeList(object="EMPLOYEE", name="employees", code="EMPLOYEEID", title="PERSONALINFO.CONTACTNAME", parent=""),
    CodeList(object="ITEM", name="items", code="ITEMID", title="NAME", parent=""),
)
ACCOUNTS = CodeList(object="GLACCOUNT", name="gl_accounts", code="ACCOUNTNO", title="TITLE", parent="", one="GL account")


class ListReader:
    """Reads lists of one company. What may not be read is left out with a warning, unless nothing else is left."""

    def __init__(self, login: Login) -> None:
        self._login, self.client = login, Client(login)

    def own(self, wanted: Sequence[str] = ()) -> list[CodeList]:
        """The dimensions that the company made itself, or those of them by these list names; none when it does not tell."""
        try:
            found = self.client.dimensions()
        except (FunctionRefused, PermissionMissing) as error:
            log.warning("intacct_dimensions_not_told", because=error.detail[:200])
            return []
        names = dict.fromkeys(row.get("OBJECTNAME", "").strip() for row in found if _is_own(row))
        lists = (self._described(each) for each in names if each and (not wanted or each.lower() in wanted))
        return [each for each in lists if each is not None]

    def _described(self, name: str) -> CodeList | None:
        """A dimension of the company's own, by the fields that its object has; None when it cannot be asked for."""
        try:
            fields = self.client.spelled(name)
        except (FunctionRefused, PermissionMissing) as error:
            self._skip(name.lower(), error)
            return None
        key = fields.get("RECORDNO") or fields.get("ID", "RECORDNO")
        return CodeList(
            object=name,
            name=name.lower(),
            key=key,
            code=fields.get("ID", key),  # lines carry this number
            title=next((fields[each] for each in ("NAME", "TITLE", "DESCRIPTION") if each in fields), ""),
            parent=fields.get("PARENTID", ""),
            status=fields.get("STATUS", ""),
        )

    def pages(self, lists: Sequence[CodeList], *, where: Condition | None = None, spares: bool = True) -> Iterator[list[Record]]:
        """All rows of these lists. Raises the first refusal when every list was refused, or (not ``spares``) when any was."""
        waiting: list[tuple[CodeList, int]] = [(each, 0) for each in lists]
        refused: dict[str, Refusal] = {}
        looked_up: set[str] = set()
        while waiting:
            asked, waiting = waiting[:QUERIES_PER_REQUEST], waiting[QUERIES_PER_REQUEST:]
            found = self.client.ask(*(self._query(each, after, where) for each, after in asked))
            unfinished = []
            for (each, after), page in zip(asked, found, strict=True):
                if isinstance(page, Rows):
                    unfinished += [(each, reached)] if (reached := _reached(each, page, after)) else []
                elif isinstance(page, FunctionRefused) and each.object not in looked_up:
                    looked_up.add(each.object)
                    mended = self._mended(each)
                    unfinished += [(mended, after)] if mended else []
                    refused |= {} if mended else {each.name: page}
                else:
                    refused[each.name] = page
            waiting = unfinished + waiting
            rows = [
                (each, row) for (each, _), page in zip(asked, found, strict=True) if isinstance(page, Rows) for row in page.rows
            ]
            yield [record for each, row in rows if (record := _record(each, row))]
        if refused and (len(refused) == len(lists) or not spares):
            raise next(iter(refused.values()))
        for name, error in refused.items():
            self._skip(name, error)

    def numbers(self, lists: Sequence[CodeList]) -> dict[str, int]:
        """How many rows each list has, counted by Intacct; refused ones are absent."""
        queries = [replace(self._query(each, 0, None), fields=[], counts=[each.key], order=()) for each in lists]
        found = self.client.ask(*queries)
        return {
            each.name: int(float(_text(page.rows[0], f"COUNT.{each.key}") or 0)) if page.rows else 0
            for each, page in zip(lists, found, strict=True)
            if isinstance(page, Rows)
        }

    def _query(self, each: CodeList, after: int, where: Condition | None) -> Query:
        return Query(
            object=each.object,
            fields=each.fields,
            where=_behind(each, after, where),
            order=(each.key,),
            page_size=MAX_PAGE,
            show_private=not self.client.credentials.entity,
        )

    def _mended(self, each: CodeList) -> CodeList | None:
        """The list without what this company's object does not have; None when that leaves no code, or changes nothing."""
        try:
            fields = self.client.lookup(each.object)
        except (FunctionRefused, PermissionMissing):
            return None
        there = {name: name if {name, name.split(".")[0]} & fields else "" for name in (each.title, each.parent, each.status)}
        mended = replace(each, title=there[each.title], parent=there[each.parent], status=there[each.status])
        return mended if {each.key, each.code} <= fields and mended != each else None

    def _skip(self, name: str, error: IntegrationError) -> None:
        said = error.said if isinstance(error, PermissionMissing) else f"Sage Intacct does not list {name} here."
        self._login.warn(f"list_skipped_{name}", f"{said} Until then their codes are carried without names.")


def _behind(each: CodeList, after: int, where: Condition | None) -> Condition | None:
    conditions = [condition for condition in (where, Is("greaterthan", each.key, after) if after else None) if condition]
    return Every(conditions) if conditions else None


def of_codes(each: CodeList, codes: Sequence[str]) -> Condition:
    return OneOf(each.code, codes)


def _text(row: Row, field: str) -> str:
    return row.get(field.upper(), "").strip()


def _is_own(row: Row) -> bool:
    return row.get("USERDEFINEDDIMENSION", "").strip().casefold() in ("true", "t", "1", "yes")


def _reached(each: CodeList, page: Rows, after: int) -> int:
    """Where the next page begins; 0 when this was the last one. Raises ContractBroken when it does not lead on."""
    if not page.n_remaining and not page.is_cut:
        return 0
    keys = [int(text) for row in page.rows if (text := _text(row, each.key)).isdigit()]
    if not keys or max(keys) <= after:
        said = f"Sage Intacct sent only a part of the list {each.name}. We are looking into it."
        raise ContractBroken(said, vendor="intacct", operation=f"query {each.object}", detail=f"behind {after}")
    return max(keys)


def _record(each: CodeList, row: Row) -> Record | None:
    """One code; None for a row without one."""
    if not (code := _text(row, each.code)):
        return None
    name, parent = _text(row, each.title), _text(row, each.parent)
    status = parse_label(_text(row, each.status), STATUSES, STATUS_LETTERS)
    values: Values = {
        "LIST": each.name, "CODE": code, "NAME": name or None, "STATUS": status or None, "PARENT": parent or None,
    }  # fmt: skip
    label = f"{each.one or each.object.capitalize()} {code}" + (f", {name}" if name else "")
    version = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]
    return Record(external_id=f"{each.object}/{code}", label=label, values=values, version=version)

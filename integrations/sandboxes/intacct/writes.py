"""create, update and delete: the rules of bills, vendors and the plain objects with an id and a name."""

import re
from collections.abc import Callable, Mapping
from datetime import date

from lxml import etree

from integrations.sandboxes.intacct import bills
from integrations.sandboxes.intacct.answers import Error, Failed, business, query_failed
from integrations.sandboxes.intacct.caller import Caller
from integrations.sandboxes.intacct.objects import OBJECTS
from integrations.sandboxes.intacct.replies import Reply
from integrations.sandboxes.intacct.rows import data, row_writer
from integrations.sandboxes.intacct.shapes import ObjectType
from integrations.sandboxes.intacct.state import Key
from integrations.sandboxes.intacct.totals import settlement_of
from integrations.sandboxes.intacct.values import Row, parse, write_date

Write = Callable[[Caller, ObjectType, etree._Element], Key]
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "VENDOR": ("VENDORID", "NAME", "DISPLAYCONTACT.PRINTAS"),
    "PROJECT": ("PROJECTID", "NAME", "PROJECTCATEGORY"),
    "CUSTOMER": ("CUSTOMERID", "NAME"),
    "CLASS": ("CLASSID", "NAME"),
    "DEPARTMENT": ("DEPARTMENTID", "TITLE"),
}
_READ_ONLY = frozenset({"STATE", "RAWSTATE", "WHENMODIFIED", "AUWHENCREATED", "RECORD_URL", "VENDORNAME", "MEGAENTITYID"})
_REFUSED_SIGNS = re.compile(r"[&<>#?]")
_REFERENCES = {"ACCOUNTNO": "GLACCOUNT", "DEPARTMENTID": "DEPARTMENT", "LOCATIONID": "LOCATION", "CLASSID": "CLASS"}
_REFERENCES |= {"PROJECTID": "PROJECT", "CUSTOMERID": "CUSTOMER", "ITEMID": "ITEM", "EMPLOYEEID": "EMPLOYEE"}


def create(caller: Caller, element: etree._Element) -> Reply:
    """Several objects may come in one call; those made before one fails stay made and are named beside its error."""
    return _each(caller, element, "create", _create_bill, _create_plain)


def update(caller: Caller, element: etree._Element) -> Reply:
    return _each(caller, element, "update", _update_bill, _update_plain)


def _each(caller: Caller, element: etree._Element, verb: str, for_bills: Write, for_others: Write) -> Reply:
    done: list[str] = []
    objects = [child for child in element if isinstance(child.tag, str)]
    for child in objects:
        type_ = caller.open_object(str(child.tag), verb, verb.upper())
        if type_.name != "APBILL" and type_.name not in _REQUIRED:
            raise query_failed(f"API operation '{verb.upper()}' cannot be performed on objects of type {type_.name}")
        try:
            key = (for_bills if type_.name == "APBILL" else for_others)(caller, type_, child)
        except Failed as failure:
            raise Failed(*failure.errors, data=_objects(done)) from None
        row = caller.table(type_).rows[key]
        caller.write_down("C" if verb == "create" else "M", type_, row)
        done.append(_named(caller, type_, row, with_url=verb == "create"))
    return Reply(data=_objects(done), n_transactions=len(objects))


def _objects(done: list[str]) -> str:
    return data({"listtype": "objects", "count": len(done)}, "".join(done))


def _named(caller: Caller, type_: ObjectType, row: Row, *, with_url: bool) -> str:
    names = ["RECORDNO"] + ([type_.natural_key] if type_.name != "APBILL" else ["RECORD_URL"] if with_url else [])
    return row_writer(type_.name.lower(), [caller.column(type_, name) for name in names], caller.zone)(row)


def _texts(element: etree._Element, prefix: str = "") -> dict[str, str]:
    """The simple children; nested ones (DISPLAYCONTACT) with a dot, lists of lines left out."""
    found: dict[str, str] = {}
    for child in element:
        if not isinstance(child.tag, str) or child.tag == "APBILLITEMS":
            continue
        if len(child):
            found |= _texts(child, f"{prefix}{child.tag}.")
        else:
            found[prefix + child.tag] = (child.text or "").strip()
    return found


def _row(caller: Caller, type_: ObjectType, texts: Mapping[str, str]) -> Row:
    """Known fields as values. What the gateway does not know it passes over in silence."""
    known = caller.company.fields_of(type_)
    if touched := _READ_ONLY & texts.keys():
        raise business(f"{sorted(touched)[0]} cannot be set.")
    row = Row()
    for name, text in texts.items():
        if name not in known or text == "":
            continue
        _check_label(known[name].letters, name, text)
        try:
            row |= bills.incoming(caller.company, type_, {name: text}, caller.zone)
        except ValueError:
            raise business(f"Invalid value {text!r} for {name}.") from None
    return row


def _check_label(letters: Mapping[str, str], name: str, text: str) -> None:
    if letters and text not in letters:
        raise business(f"Invalid value {text!r} for {name}.")


def _create_plain(caller: Caller, type_: ObjectType, element: etree._Element) -> Key:
    texts = _texts(element)
    for name in _REQUIRED[type_.name]:
        if not texts.get(name):
            raise business(f"Required field {name} is missing.")
    id_ = texts[type_.natural_key]
    if caller.table(type_).named(id_):
        raise _exists(type_, id_)
    row = bills.stamped(type_, {"RECORDNO": caller.table(type_).new_key(), "STATUS": "active"}, caller.now, caller.settings)
    row |= _row(caller, type_, {name: text for name, text in texts.items() if name != "RECORDNO"})
    if caller.locationid and "MEGAENTITYID" in type_.fields:
        row["MEGAENTITYID"] = caller.locationid
    caller.table(type_).put(row)
    return int(row["RECORDNO"])


def _exists(type_: ObjectType, id_: str) -> Failed:
    name = type_.name.capitalize()
    first = Error(
        number="BL34000061",
        description2=f"Another {name} with the given value(s) {id_}  already exists",
        correction="Use a unique value instead.",
    )
    second = Error(number="BL01001973", description2=f"Could not create {name} record!")
    return Failed(first, second, Error(number="BL01001973", description2=f"Error while saving the {name} info"))


def _update_plain(caller: Caller, type_: ObjectType, element: etree._Element) -> Key:
    texts = _texts(element)
    table = caller.table(type_)
    key = texts.pop("RECORDNO", "")
    id_ = texts.get(type_.natural_key, "")
    old = _editable(caller, type_, table.rows.get(int(key)) if key.isdigit() else table.named(id_), key or id_)
    cleared = {name for name, text in texts.items() if text == "" and name not in _REQUIRED[type_.name]}
    kept = {name: value for name, value in old.items() if name not in cleared}
    table.put({**kept, **_row(caller, type_, texts), "WHENMODIFIED": caller.now})
    return int(old["RECORDNO"])


def _editable(caller: Caller, type_: ObjectType, row: Row | None, asked: str) -> Row:
    """What may be changed from here: an entity reads what the top level shares with it, but does not change it."""
    if row is None or not caller.may_see(row, with_private=True):
        raise business(f"No {type_.name} {asked} was found.")
    if caller.locationid and row.get("MEGAENTITYID", "") != caller.locationid:
        raise business(f"{type_.name} {asked} belongs to the top level and can only be changed there.")
    return row


def _create_bill(caller: Caller, type_: ObjectType, element: etree._Element) -> Key:
    texts = _texts(element)
    is_draft = _is_draft(texts)
    for name in () if is_draft else ("VENDORID", "WHENCREATED", "WHENDUE"):
        if not texts.get(name):
            raise business(f"Required field {name} is missing.")
    lines = _lines(caller, element, texts)
    if not lines:
        raise business("A bill needs at least one line.")
    bill = _checked(caller, type_, {name: text for name, text in texts.items() if name != "RECORDNO"})
    bill["STATE"] = "Draft" if is_draft else _submitted(caller)
    if caller.locationid:
        bill["MEGAENTITYID"] = caller.locationid
    bill["CREATEDBY"] = caller.user.loginid
    return bills.put_bill(caller.company, bill, lines, caller.now, caller.settings)


def _is_draft(texts: Mapping[str, str]) -> bool:
    action = texts.get("ACTION") or "Submit"  # what is meant when nothing is said, on update too
    if action not in ("Submit", "Draft"):
        raise business(f"Invalid value {action!r} for ACTION.")
    return action == "Draft"


def _submitted(caller: Caller) -> str:
    return "Submitted" if caller.settings.approvals else "Posted"


def _checked(caller: Caller, type_: ObjectType, texts: Mapping[str, str]) -> Row:
    bill = _row(caller, type_, texts)
    if vendor := texts.get("VENDORID"):
        found = caller.company.tables["VENDOR"].named(vendor)
        if found is None or found.get("STATUS", "active") != "active":
            raise business(f"Vendor {vendor} is not valid.")
    if _REFUSED_SIGNS.search(texts.get("RECORDID", "")):
        raise business("The bill number contains signs that are not allowed.")
    _check_period(caller, bill)
    return bill


def _check_period(caller: Caller, bill: Row) -> None:
    """Nothing is posted into a closed period."""
    if not caller.settings.closed_until:
        return
    closed = parse(OBJECTS["APBILL"].fields["WHENPOSTED"].kind, caller.settings.closed_until, 0)
    day = bill.get("WHENPOSTED", bill.get("WHENCREATED"))
    if isinstance(day, date) and isinstance(closed, date) and day <= closed:
        raise business(f"Date must be on or after {write_date(date.fromordinal(closed.toordinal() + 1))}")


def _lines(caller: Caller, element: etree._Element, header: Mapping[str, str]) -> list[Row]:
    found = element.find("APBILLITEMS")
    return [] if found is None else [_line(caller, child) for child in found if child.tag == "APBILLITEM"]


def _line(caller: Caller, element: etree._Element) -> Row:
    texts = _texts(element)
    if not texts.get("ACCOUNTNO") and not texts.get("ACCOUNTLABEL"):
        raise business("A line needs ACCOUNTNO or ACCOUNTLABEL.")
    if not texts.get("TRX_AMOUNT"):
        raise business("A line needs TRX_AMOUNT.")
    if caller.settings.needs_location and not texts.get("LOCATIONID") and not texts.get("RECORDNO"):
        raise business("A line needs LOCATIONID in a multi-entity company.")
    for name, object_name in _REFERENCES.items():
        if texts.get(name) and not caller.company.tables[object_name].named(texts[name]):
            raise business(f"Invalid {name} {texts[name]}.")
    line = _row(caller, OBJECTS["APBILLITEM"], texts)
    for name, object_name in caller.company.dimensions.items():
        if name in line and line[name] not in caller.company.tables[object_name].rows:
            raise business(f"Invalid {name} {texts[name]}.")
    return line


def _update_bill(caller: Caller, type_: ObjectType, element: etree._Element) -> Key:
    texts = _texts(element)
    key = texts.pop("RECORDNO", "")
    old = _editable(caller, type_, caller.table(type_).rows.get(int(key)) if key.isdigit() else None, key)
    changes = _checked(caller, type_, texts)
    changes |= {"MODIFIEDBY": caller.user.loginid}
    if old["STATE"] == "Draft" and not _is_draft(texts):
        changes["STATE"] = _submitted(caller)
    lines = _lines(caller, element, texts) if element.find("APBILLITEMS") is not None else None
    if lines == []:
        raise business("A bill needs at least one line.")
    bills.change_bill(caller.company, int(key), changes, lines, caller.now, caller.settings, None)
    return int(key)


def delete(caller: Caller, element: etree._Element) -> Reply:
    """Delete by RECORDNO; all of them or, when one is unknown, none."""
    type_ = caller.open_object((element.findtext("object") or "").strip().upper(), "delete", "DELETE")
    if type_.name != "APBILL" and type_.name not in _REQUIRED:
        raise query_failed(f"API operation 'DELETE' cannot be performed on objects of type {type_.name}")
    texts = [text.strip() for text in (element.findtext("keys") or "").split(",") if text.strip()]
    keys = [int(text) for text in texts if text.isdigit()]
    if not keys or len(keys) != len(texts):
        raise business(f"No {type_.name} {', '.join(texts)} was found.")
    for key in keys:
        _editable(caller, type_, caller.table(type_).rows.get(key), str(key))
        if type_.name == "APBILL" and settlement_of(caller.company.tables, key):
            raise business(f"Bill {key} has payments and cannot be deleted.")
    for key in keys:
        _delete_one(caller, type_, key)
    return Reply(n_transactions=len(keys))


def _delete_one(caller: Caller, type_: ObjectType, key: int) -> None:
    if type_.name == "APBILL":
        bills.delete_bill(caller.company, key, caller.user.loginid, caller.now, "api")
        return
    row = caller.table(type_).rows[key]
    if type_.name == "VENDOR" and any(
        bill.get("VENDORID") == row["VENDORID"] for bill in caller.company.tables["APBILL"].rows.values()
    ):
        raise business(f"Vendor {row['VENDORID']} has transactions and cannot be deleted.")
    caller.table(type_).drop(key)
    caller.write_down("D", type_, row)

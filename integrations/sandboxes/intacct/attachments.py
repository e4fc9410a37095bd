"""What the oldest functions, ``get`` and ``get_list``, tell of attachments; of other objects they are not imitated."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from lxml import etree

from integrations.sandboxes.intacct.answers import business, escape, not_permitted, query_failed
from integrations.sandboxes.intacct.caller import Caller
from integrations.sandboxes.intacct.replies import Reply
from integrations.sandboxes.intacct.state import Attachment
from integrations.sandboxes.intacct.values import write_date

OBJECT, MAX_ITEMS = "SUPDOC", 1000


def get(caller: Caller, element: etree._Element) -> Reply:
    """One set of files by its id, with the files themselves."""
    _open(caller, element, "GET")
    found = caller.company.attachments.get(element.get("key", "").strip())
    if found is None:
        raise business(f"Attachment {element.get('key', '')} was not found.")
    return Reply(data=f"<data>{_written(found, _fields(element))}</data>")


def get_list(caller: Caller, element: etree._Element) -> Reply:
    """All sets of files, or those one comparison asks for; the answer counts from ``start`` to ``end``, both included."""
    _open(caller, element, "GET_LIST")
    matches = _filter(element)
    found = [one for one in caller.company.attachments.values() if matches(_values(one))]
    start, most = _number(element, "start", 0), _number(element, "maxitems", MAX_ITEMS)
    page = found[start : start + most]
    listtype = f'<listtype start="{start}" end="{max(start + len(page) - 1, 0)}" total="{len(found)}">supdoc</listtype>'
    inner = "".join(_written(one, _fields(element)) for one in page)
    return Reply(listtype=listtype, data=f"<data>{inner}</data>" if inner else "<data/>")


def _open(caller: Caller, element: etree._Element, operation: str) -> None:
    name = element.get("object", "")
    if name != OBJECT.lower():
        raise query_failed(f"API operation '{operation}' cannot be performed on objects of type {name}")
    if not caller.user.may("read", OBJECT):
        raise not_permitted(operation, OBJECT)


def _fields(element: etree._Element) -> set[str]:
    return {(field.text or "").strip() for field in element.iterfind("fields/field")}


def _values(found: Attachment) -> Mapping[str, str]:
    return {
        "recordno": str(found.recordno),
        "supdocid": found.id,
        "supdocname": found.id,
        "folder": found.folder,
        "description": "",
        "creationdate": write_date(datetime.fromtimestamp(found.created, UTC).date()),
        "createdby": "admin",
    }


def _written(found: Attachment, fields: set[str]) -> str:
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in _values(found).items() if not fields or name in fields)
    if not fields or "attachments" in fields:
        inner += f"<attachments>{''.join(_file(name, content) for name, content in found.files)}</attachments>"
    return f"<supdoc>{inner}</supdoc>"


def _file(filename: str, content: bytes) -> str:
    """Name and extension are told apart, as they are when a file is stored."""
    name, _, extension = filename.rpartition(".")
    parts = {"attachmentname": name or extension, "attachmenttype": extension if name else ""}
    parts["attachmentdata"] = b64encode(content).decode()
    return f"<attachment>{''.join(f'<{part}>{escape(text)}</{part}>' for part, text in parts.items())}</attachment>"


def _filter(element: etree._Element) -> Callable[[Mapping[str, str]], bool]:
    expression = element.find("filter")
    if expression is None:
        return lambda values: True
    field, how, value = ((expression.findtext(f"expression/{name}") or "").strip() for name in ("field", "operator", "value"))
    if len(expression) != 1 or how != "=":
        raise query_failed("filter takes one expression with the operator = here")
    return lambda values: values.get(field) == value


def _number(element: etree._Element, name: str, default: int) -> int:
    text = element.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise query_failed(f"{name} must be a number")
    return int(text)

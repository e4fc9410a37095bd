"""Builds requests and takes answers apart: the three layers of the XML gateway (README.md, "Envelope")."""

import html
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote

from lxml import etree

from integrations.vendors.intacct.objects import strip_illegal
from integrations.vendors.intacct.safe_xml import BadXml, read_xml

Row = dict[str, str]
PARTS = ("errorno", "description", "description2", "correction")

_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_SUPPORT_ID = re.compile(r"\[(?:Support|Request) ID:\s*([^\]]*)\]", re.IGNORECASE)


@dataclass(frozen=True)
class Node:
    """One element to send: a text or children, and attributes. Escaping and stripping happen when it is written."""

    tag: str
    content: str | Sequence["Node"] = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who speaks: goes with every request. ``repr`` shows no password."""

    id: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Fault:
    """One ``error`` of an answer, unescaped once and without tags. Any part may be empty."""

    code: str = ""
    description: str = ""
    description2: str = ""
    correction: str = ""
    support_id: str = ""

    @property
    def text(self) -> str:
        """What people should read."""
        return self.description2 or self.description or self.correction or self.code

    @property
    def everything(self) -> str:
        return " ".join((self.code, self.description, self.description2, self.correction)).lower()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one function answered. ``status`` is success, failure or aborted."""

    status: str
    function: str = ""
    controlid: str = ""
    faults: tuple[Fault, ...] = ()
    data: etree._Element | None = field(default=None, repr=False)
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer. ``layer`` is where it failed ("control", "authentication"), or empty when the functions answered."""

    layer: str = ""
    faults: tuple[Fault, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    opened_at: datetime | None = None  # sessiontimestamp, with its own offset
    expires_at: datetime | None = None  # sessiontimeout, likewise


def build(sender: Sender, authentication: Node, functions: Sequence[tuple[str, Node]], *, unique: bool) -> tuple[bytes, int]:
    """One request as bytes, in the order of the vendor's schema, and how many illegal characters were left out.

    ``functions`` are (controlid, function). ``unique`` is False for reads: when absent, the vendor takes it for true.
    """
    control = Node("control", [
        Node("senderid", sender.id), Node("password", sender.password), Node("controlid", str(uuid.uuid4())),
        Node("uniqueid", "true" if unique else "false"), Node("dtdversion", "3.0"), Node("includewhitespace", "false"),
    ])  # fmt: skip
    content = Node("content", [Node("function", [each], {"controlid": controlid}) for controlid, each in functions])
    return write(Node("request", [control, Node("operation", [Node("authentication", [authentication]), content])]))


def write(node: Node) -> tuple[bytes, int]:
    """An element as bytes, and how many illegal characters were left out of it."""
    element, n_stripped = _element(node)
    return etree.tostring(element, encoding="UTF-8", xml_declaration=True), n_stripped


def _element(node: Node) -> tuple[etree._Element, int]:
    element, n_stripped = etree.Element(node.tag), 0
    for name, value in node.attributes.items():
        clean, n = strip_illegal(value)
        element.set(name, clean)
        n_stripped += n
    if isinstance(node.content, str):
        element.text, n = strip_illegal(node.content)
        return element, n_stripped + n
    for child in node.content:
        made, n = _element(child)
        element.append(made)
        n_stripped += n
    return element, n_stripped


def parse(content: bytes, *, with_files: bool = False) -> Answer:
    """Take an answer apart, whatever its HTTP status was. Raises NotXml or BadXml."""
    root = read_xml(content, huge=with_files)
    if _name(root) != "response":
        raise BadXml(f"the root element is {_name(root)[:40]}")
    control = _child(root, "control")
    if control is None:
        raise BadXml("no control element")
    if _text(control, "status") != "success":
        return Answer(layer="control", faults=_faults(root))
    operation = _child(root, "operation")
    if operation is None:
        raise BadXml("no operation element")
    return _operation(operation)


def _operation(operation: etree._Element) -> Answer:
    authentication = _child(operation, "authentication")
    if authentication is None or _text(authentication, "status") != "success":
        return Answer(layer="authentication", faults=_faults(operation))
    return Answer(
        outcomes=tuple(_outcome(each) for each in operation if _name(each) == "result"),
        opened_at=_aware(_text(authentication, "sessiontimestamp")),
        expires_at=_aware(_text(authentication, "sessiontimeout")),
    )


def rows(data: etree._Element | None) -> Iterator[Row]:
    """The records of a ``data`` element as text by upper-case field name; lists inside a record are left out (``nested``)."""
    if data is None:
        return
    names: dict[str, str] = {}
    for record in data.iterchildren(tag=etree.Element):
        row: Row = {}
        for cell in record.iterchildren(tag=etree.Element):
            tag = str(cell.tag)
            row[names.get(tag) or names.setdefault(tag, tag.upper())] = cell.text or ""
        yield row


def nested(data: etree._Element | None, name: str) -> Iterator[list[Row]]:
    """For every record of ``data`` the rows of its list ``name``, in the same order as ``rows``."""
    if data is None:
        return
    for record in data.iterchildren(tag=etree.Element):
        yield list(rows(_child(record, name.lower())))


def within(data: etree._Element | None, name: str) -> list[Row]:
    """The rows of every element of this name, however deep it stands."""
    if data is None:
        return []
    found = [each for each in data.iter(etree.Element) if _name(each) == name]
    return [{str(cell.tag).upper(): cell.text or "" for cell in each.iterchildren(tag=etree.Element)} for each in found]


def attribute(data: etree._Element | None, name: str) -> str:
    return "" if data is None else data.get(name, "")


def _outcome(result: etree._Element) -> Outcome:
    return Outcome(
        status=_text(result, "status"),
        function=_text(result, "function"),
        controlid=_text(result, "controlid"),
        faults=_faults(result),
        data=_child(result, "data"),
        key=_text(result, "key"),
    )


def _faults(parent: etree._Element) -> tuple[Fault, ...]:
    message = _child(parent, "errormessage")
    return () if message is None else tuple(_fault(each) for each in message if _name(each) == "error")


def _fault(error: etree._Element) -> Fault:
    code, description, description2, correction = (_readable(_text(error, name)) for name in PARTS)
    ids = (code[1], description[1], description2[1], correction[1])
    return Fault(code[0], description[0], description2[0], correction[0], next(filter(None, ids), ""))


def _readable(text: str) -> tuple[str, str]:
    """An error text for people, unescaped once and without HTML tags; and the support id that stood in it."""
    text = _TAG.sub("", html.unescape(text))
    found = _SUPPORT_ID.search(text)
    return " ".join(_SUPPORT_ID.sub("", text).split()), unquote(found[1]) if found else ""


def _name(element: etree._Element) -> str:
    return element.tag.lower() if isinstance(element.tag, str) else ""


def _child(parent: etree._Element, name: str) -> etree._Element | None:
    return next((each for each in parent if _name(each) == name), None)


def _text(parent: etree._Element, name: str) -> str:
    child = _child(parent, name)
    return "" if child is None else "".join(str(part) for part in child.itertext()).strip()


def _aware(text: str) -> datetime | None:
    """A session's time with its offset; None when absent or without one, since the zone is never guessed."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None

"""A request taken apart: control, authentication, functions. Whatever the gateway's schema refuses is refused here."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from integrations.sandboxes.intacct.answers import Control, Error, support_id

MAX_BODY = 20 * 1024 * 1024
READS = frozenset({"query", "readByQuery", "readMore", "read", "readByName", "lookup", "inspect", "getDimensions"})
ABOUT_USERS = frozenset({"getUserPermissions", "readUserFormatting"})
OLDEST = frozenset({"get", "get_list"})  # name their object in an attribute, in lower case
WRITES = frozenset({"create", "update", "delete"})
FUNCTIONS = READS | OLDEST | ABOUT_USERS | WRITES | {"getAPISession"}

_CONTROL = ["senderid", "password", "controlid", "uniqueid", "dtdversion", "policyid", "debug"]
_CONTROL += ["includewhitespace", "showadditionalerrorinfo"]
_LOGIN = ["userid", "companyid", "password", "clientid", "locationid"]


class Malformed(Exception):
    """The request does not parse or does not follow the schema."""

    def __init__(self, error: Error, control: Control) -> None:
        super().__init__(error.description2)
        self.error = error
        self.control = control


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function call: its element and the controlid it came with."""

    element: etree._Element
    controlid: str

    @property
    def name(self) -> str:
        return str(self.element.tag)

    @property
    def object_name(self) -> str:
        if self.name in ("create", "update"):
            return next((str(child.tag) for child in self.element if isinstance(child.tag, str)), "")
        if self.name in OLDEST:
            return self.element.get("object", "").upper()
        return (self.element.findtext("object") or "").strip()

    @property
    def operation(self) -> str:
        return f"{self.name} {self.object_name}".strip()


@dataclass(frozen=True, kw_only=True)
class Call:
    """A whole request, understood as far as its outer layers."""

    control: Control
    password: str
    is_unique: bool
    is_transaction: bool
    sessionid: str
    login: dict[str, str]
    functions: tuple[Function, ...]

    @property
    def operations(self) -> tuple[str, ...]:
        return tuple(function.operation for function in self.functions)

    @property
    def operation(self) -> str:
        return ",".join(self.operations)


def check_type(content_type: str) -> None:
    """XML is all that is ever accepted; saying nothing about the type passes."""
    if content_type.partition(";")[0].strip().lower() not in ("", "application/xml", "text/xml", "x-intacct-xml-request"):
        raise _malformed(f"Content type {content_type} is not accepted", 1, 1, 1)


def read(body: bytes) -> Call:
    """Take a request apart. Raises Malformed."""
    root = _parsed(body)
    if root.tag != "request":
        raise _off_schema(root, "request")
    control, *operations = _children(root, ["control", "operation"])
    if len(operations) != 1:
        raise _off_schema(root, "exactly one operation")
    said = _texts(control, _CONTROL)
    for name in ("senderid", "controlid"):
        if not 1 <= len(said.get(name, "")) <= 256:
            raise _off_schema(control, f"{name} of 1 to 256 characters")
    return _call(_echo(said), said, operations[0])


def _call(control: Control, said: dict[str, str], operation: etree._Element) -> Call:
    authentication, *contents = _children(operation, ["authentication", "content"])
    sessionid, login = _credentials(authentication)
    functions = tuple(_function(element) for content in contents for element in _children(content, ["function"]))
    if not functions:
        raise _off_schema(operation, "content with a function")
    if operation.get("transaction", "false") not in ("true", "false"):
        raise _off_schema(operation, "transaction true or false")
    return Call(
        control=control,
        password=said.get("password", ""),
        is_unique=control.uniqueid == "true",
        is_transaction=operation.get("transaction") == "true",
        sessionid=sessionid,
        login=login,
        functions=functions,
    )


def _credentials(authentication: etree._Element) -> tuple[str, dict[str, str]]:
    ways = _children(authentication, ["login", "sessionid"])
    if len(ways) != 1:
        raise _off_schema(authentication, "a login or a sessionid")
    if ways[0].tag == "sessionid":
        return (ways[0].text or "").strip(), {}
    login = _texts(ways[0], _LOGIN)
    for name in ("userid", "companyid", "password"):
        if name not in login:
            raise _off_schema(ways[0], name)
    return "", login


def _function(element: etree._Element) -> Function:
    if not 1 <= len(element.get("controlid", "")) <= 256:
        raise _off_schema(element, "a controlid of 1 to 256 characters")
    inner = [child for child in element if isinstance(child.tag, str)]
    if len(inner) != 1 or inner[0].tag not in FUNCTIONS:
        raise _off_schema(inner[0] if inner else element, "exactly one known function")
    return Function(element=inner[0], controlid=element.get("controlid", ""))


def _parsed(body: bytes) -> etree._Element:
    if len(body) > MAX_BODY:
        raise _malformed("The document is too large", 1, 1, 1)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        said = (error.msg or "").rsplit(", line ", 1)[0]
        raise _malformed(said, int(getattr(error, "code", 1)), line, column, _salvaged(body)) from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        # Entities are the door to "billion laughs" and to reading files, so no document type at all.
        raise _malformed("A document type declaration is not allowed", 92, 1, 1, _salvaged(body))
    return root


def _salvaged(body: bytes) -> Control:
    """Echo what can still be read of a broken request; often nothing."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return Control()
    if root is None:
        return Control()
    return Control(
        senderid=root.findtext("control/senderid") or "", controlid=root.findtext("control/controlid") or "", has_whitespace=False
    )


def _malformed(why: str, code: int, line: int, column: int, control: Control | None = None) -> Malformed:
    text = f"XML Parse schema error: Fatal Error {code}: {why}. Line: {line}, column: {column}. {support_id()}"
    return Malformed(Error(number="XL03000003", description2=text), control or Control())


def _off_schema(element: etree._Element, wanted: str) -> Malformed:
    root = element.getroottree().getroot()
    control = Control(senderid=root.findtext("control/senderid") or "", controlid=root.findtext("control/controlid") or "")
    why = f"Element '{element.tag}' does not follow the schema. Expected: {wanted}"
    return _malformed(why, 1871, _line_of(element), 1, control)


def _line_of(element: etree._Element) -> int:
    line: object = element.sourceline
    return line if isinstance(line, int) else 1


def _children(element: etree._Element, allowed: Sequence[str]) -> list[etree._Element]:
    """The child elements, which must come in the allowed order; each name may repeat."""
    found = [child for child in element if isinstance(child.tag, str)]
    reached = 0
    for child in found:
        if child.tag not in allowed[reached:]:
            raise _off_schema(child, f"one of {', '.join(allowed[reached:])}")
        reached = allowed.index(str(child.tag), reached)
    if not found or (element.tag in ("request", "operation") and found[0].tag != allowed[0]):
        raise _off_schema(element, allowed[0])
    return found


def _texts(element: etree._Element, allowed: Sequence[str]) -> dict[str, str]:
    children = _children(element, allowed)
    texts = {str(child.tag): (child.text or "") for child in children}
    if len(texts) != len(children):
        raise _off_schema(element, "no element twice")
    return texts


def _echo(said: dict[str, str]) -> Control:
    unique = said.get("uniqueid", "").strip().lower() or "true"  # true when nothing is said
    return Control(
        senderid=said["senderid"],
        controlid=said["controlid"],
        uniqueid=unique,
        dtdversion=said.get("dtdversion") or "3.0",
        has_whitespace=said.get("includewhitespace", "true").strip().lower() != "false",
        with_more=said.get("showadditionalerrorinfo", "").strip().lower() == "true",
    )

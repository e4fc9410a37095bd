"""Exact bodies: the envelope with its three layers, and the errors each layer may carry."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from integrations.sandboxes.core import Answer

XML = 'text/xml; encoding="UTF-8"'  # the gateway writes "encoding" where one expects "charset"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
ROLLED_BACK = "The entire transaction in this operation has been rolled back due to an error."
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#039;", '"': "&quot;", "\n": "&#10;"})
_ESCAPES_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#039;"})
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"(</[^>]*>|/>|\?>)(?=<)|(<[^/?][^>]*>)(?=<[^/])")
_numbers = count(1)


def escape(text: str) -> str:
    """Text between tags; the apostrophe leaves as ``&#039;``, as the gateway's own pages show it."""
    return _FORBIDDEN.sub("", text).translate(_ESCAPES_IN_TEXT) if not text.isalnum() else text


def attribute(text: str) -> str:
    return _FORBIDDEN.sub("", text).translate(_ESCAPES)


def support_id() -> str:
    """A new support id, URL-encoded as the gateway leaves it in its texts."""
    return f"[Support ID: sbx{next(_numbers):06d}%7EYxEX]"


@dataclass(frozen=True, kw_only=True)
class Error:
    """One ``error`` element. ``bare`` leaves out every empty child, the way denied audit histories answer."""

    number: str = ""
    description: str = ""
    description2: str = ""
    correction: str = ""
    bare: bool = False

    def xml(self, *, with_more: bool = False) -> str:
        parts = {"errorno": self.number, "description": self.description}
        parts |= {"description2": self.description2, "correction": self.correction}
        kept = {name: text for name, text in parts.items() if text or not self.bare}
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in kept.items())
        if with_more:
            inner += "<additionalinfo><errorid>SBX-0001</errorid><category>sandbox</category></additionalinfo>"
        return f"<error>{inner}</error>"


class Failed(Exception):
    """A function that fails, with its errors and perhaps with the data of what had been done before."""

    def __init__(self, *errors: Error, data: str = "") -> None:
        super().__init__(errors[0].description2)
        self.errors = errors
        self.data = data


class Refused(Exception):
    """A whole request that fails in its control or authentication layer; carries the finished answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("refused")
        self.answer = answer


def stumbled() -> Failed:
    """What an unknown field, a moment in ISO 8601 and SQL that is not understood all look like."""
    return Failed(Error(number="DL02000001", description2="There was an error processing the request."))


def query_failed(why: str) -> Failed:
    return Failed(Error(number="Query Failed", description2=why))


def no_object(name: str) -> Failed:
    return query_failed(f"Object definition {name} not found")


def business(why: str, *, correction: str = "") -> Failed:
    return Failed(Error(number="BL01001973", description2=f"{why} {support_id()}", correction=correction))


def not_permitted(operation: str, object_name: str) -> Failed:
    text = f"You do not have permission for API operation {operation} on objects of type {object_name.lower()} {support_id()}"
    return Failed(Error(number="PL04000005", description2=text))


def no_audit_history() -> Failed:
    return Failed(Error(description2="You do not have permission to view audit history", bare=True))


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the control block of an answer echoes."""

    senderid: str = ""
    controlid: str = ""
    uniqueid: str = "false"
    dtdversion: str = "3.0"
    has_whitespace: bool = True
    with_more: bool = False

    def xml(self, status: str) -> str:
        echo = f"<senderid>{escape(self.senderid)}</senderid><controlid>{escape(self.controlid)}</controlid>"
        rest = f"<uniqueid>{escape(self.uniqueid)}</uniqueid><dtdversion>{escape(self.dtdversion)}</dtdversion>"
        return f"<control><status>{status}</status>{echo}{rest}</control>"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one function."""

    function: str
    controlid: str
    status: str = "success"
    data: str = ""
    errors: tuple[Error, ...] = ()
    bare_body: bytes | None = None  # json and csv come without any envelope
    bare_type: str = ""
    listtype: str = ""

    def xml(self, *, with_more: bool) -> str:
        head = f"<status>{self.status}</status><function>{self.function}</function>"
        head += f"<controlid>{escape(self.controlid)}</controlid>{self.listtype}"
        return f"<result>{head}{self.data}{_errors(self.errors, with_more=with_more)}</result>"


@dataclass(kw_only=True)
class Signed:
    """The authentication block of an answer whose caller was let in."""

    userid: str
    companyid: str
    locationid: str = ""
    since: str = ""
    until: str = ""
    results: list[Result] = field(default_factory=list)

    def xml(self) -> str:
        who = f"<userid>{escape(self.userid)}</userid><companyid>{escape(self.companyid)}</companyid>"
        who += f"<locationid>{escape(self.locationid)}</locationid><sessiontimestamp>{self.since}</sessiontimestamp>"
        until = f"<sessiontimeout>{self.until}</sessiontimeout>" if self.until else ""
        return f"<authentication><status>success</status>{who}{until}</authentication>"


def _errors(errors: Iterable[Error], *, with_more: bool = False) -> str:
    inner = "".join(error.xml(with_more=with_more) for error in errors)
    return f"<errormessage>{inner}</errormessage>" if inner else ""


def _answer(body: str, *, status: int = 200, has_whitespace: bool = False) -> Answer:
    body = HEAD + body
    if has_whitespace:
        body = _BREAKS.sub(r"\g<0>\n", body)
    return Answer(status=status, headers={"Content-Type": XML}, body=body.encode())


def performed(control: Control, signed: Signed) -> Answer:
    """The answer of a request that was let in; json or csv leave without the envelope when nothing else was asked."""
    only = signed.results[0] if len(signed.results) == 1 else None
    if only and only.bare_body is not None:
        return Answer(status=200, headers={"Content-Type": only.bare_type}, body=only.bare_body)
    results = "".join(result.xml(with_more=control.with_more) for result in signed.results)
    body = f"<response>{control.xml('success')}<operation>{signed.xml()}{results}</operation></response>"
    return _answer(body, has_whitespace=control.has_whitespace)


def control_failure(control: Control, error: Error) -> Answer:
    """Nothing was carried out and nobody was asked who he is."""
    return _answer(f"<response>{control.xml('failure')}{_errors([error])}</response>", has_whitespace=control.has_whitespace)


def gateway_failure(status: int, number: str, text: str, *, retry_after: object = None) -> Answer:
    """The API gateway in front answers by itself: a control block with nothing but its status."""
    error = f"<error><errorno>{number}</errorno><description>{escape(text)}</description></error>"
    body = f"<response><control><status>failure</status></control><errormessage>{error}</errormessage></response>"
    answer = _answer(body, status=status)
    more = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status=status, headers={**answer.headers, **more}, body=answer.body)


def request_id() -> str:
    return f"[Request ID: 7F00{next(_numbers):04X}:D9EE_63EBC07F.59]"


def rate_limited(status: int = 429, retry_after: object = None) -> Answer:
    return gateway_failure(status, "GW-0010", f"API rate limit exceeded {request_id()}", retry_after=retry_after)


def invalid_request() -> Answer:
    return gateway_failure(400, "GW-0011", f"Invalid Request {request_id()}")


def authentication_failure(control: Control, error: Error, *, userid: str = "", companyid: str = "") -> Answer:
    who = f"<userid>{escape(userid)}</userid><companyid>{escape(companyid)}</companyid>"
    layer = f"<authentication><status>failure</status>{who}</authentication>{_errors([error], with_more=control.with_more)}"
    body = f"<response>{control.xml('success')}<operation>{layer}</operation></response>"
    return _answer(body, has_whitespace=control.has_whitespace)


def demo_expired(control: Control) -> Answer:
    error = Error(number="PL04000055", description2="This company is a demo company and has expired.")
    return control_failure(Control(uniqueid=control.uniqueid, has_whitespace=control.has_whitespace), error)

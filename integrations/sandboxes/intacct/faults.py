"""Failures by name: which exist, whether one strikes this call, and what it does to an answer."""

import gzip
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from integrations.sandboxes.core import Answer, ConnectionCut, Fault, Faults, TooSlow
from integrations.sandboxes.intacct import answers
from integrations.sandboxes.intacct.answers import Error, Failed
from integrations.sandboxes.intacct.envelope import Call, Function

BEFORE = ("cut", "http_502", "http_503", "cdn_html", "rate_limited", "rate_limited_200", "edge_401", "demo_expired")
AFTER = ("lost_reply", "slow", "http_524", "truncated", "two_roots", "entity_bomb", "dtd", "huge", "gzip")
IN_FUNCTIONS = ("offline", "escaped_texts", "permission_denied", "audithistory_denied", "audithistory_error")
ELSEWHERE = ("invalid_session", "evil_endpoint", "no_sessiontimeout")
FAULTS = frozenset({*BEFORE, *AFTER, *IN_FUNCTIONS, *ELSEWHERE})
EVIL_ENDPOINT = "https://evil.example/xml"


def struck(
    faults: Faults, names: Sequence[str], operations: Sequence[str], *, unless: Callable[[Fault], bool] | None = None
) -> Fault | None:
    """The first armed fault that strikes. Its ``operation`` may be the whole request's, one function's, or a bare name."""
    known = {"", ",".join(operations), *operations, *(operation.split(" ")[0] for operation in operations)}
    for fault in faults.armed:
        if fault.name in names and fault.operation in known and not (unless and unless(fault)) and fault.strikes():
            return fault
    return None


def before(faults: Faults, call: Call) -> Answer | None:
    """A failure that leaves everything undone."""
    fault = struck(faults, BEFORE, call.operations, unless=lambda one: _is_too_small(one, call))
    if fault is None:
        return None
    match fault.name:
        case "cut":
            raise ConnectionCut("cut before anything was done")
        case "http_502" | "http_503":
            return _page(int(fault.name[-3:]), f"<html><body><h1>{fault.name[-3:]}</h1></body></html>")
        case "cdn_html":
            return _page(int(fault.settings.get("status", 520)), '<html><div id="cf-error-details">Error</div></html>')
        case "rate_limited":
            return answers.rate_limited(retry_after=fault.settings.get("retry_after"))
        case "rate_limited_200":
            return answers.rate_limited(status=200)
        case "edge_401":
            return answers.gateway_failure(401, "XMLGW_JPP0002", "Sign-in information is incorrect. Please check your request.")
    return answers.demo_expired(call.control)


def after(faults: Faults, call: Call, answer: Answer) -> Answer:
    """A failure after the work was done; what was written stays written."""
    fault = struck(faults, AFTER, call.operations, unless=lambda one: _is_too_small(one, call))
    if fault is None:
        return answer
    match fault.name:
        case "lost_reply":
            raise ConnectionCut("cut after the work was done")
        case "slow":
            raise TooSlow(float(fault.settings.get("seconds", 65.0)))
        case "http_524":
            return _page(524, '<html><div id="cf-error-details">A timeout occurred</div></html>')
        case "truncated":
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case "two_roots":
            return replace(answer, body=answer.body + b"<response><control><status>success</status></control></response>")
        case "gzip":
            return replace(answer, body=gzip.compress(answer.body), headers={**answer.headers, "Content-Encoding": "gzip"})
        case "huge":
            return replace(answer, body=_padded(answer.body, int(fault.settings.get("megabytes", 10))))
        case "entity_bomb":
            return replace(answer, body=_bomb(answer.body))
    return replace(answer, body=_with_dtd(answer.body))


def _is_too_small(fault: Fault, call: Call) -> bool:
    """With ``above``, only queries for larger pages are struck, so that asking for less helps."""
    if "above" not in fault.settings:
        return False
    sizes = [int(text) for function in call.functions if (text := (function.element.findtext("pagesize") or "")).isdigit()]
    return max(sizes, default=100) <= int(fault.settings["above"])


def _page(status: int, html: str) -> Answer:
    return Answer(status=status, headers={"Content-Type": "text/html; charset=UTF-8"}, body=html.encode())


_HEAD = re.compile(rb"^<\?xml[^>]*\?>\s*")


def _bomb(body: bytes) -> bytes:
    levels = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    doctype = f"<!DOCTYPE response [{''.join(levels)}]>"
    head = answers.HEAD + doctype
    return head.encode() + _HEAD.sub(b"", body).replace(b"<response>", b"<response><note>&a9;</note>", 1)


def _with_dtd(body: bytes) -> bytes:
    return (answers.HEAD + '<!DOCTYPE response SYSTEM "response.dtd">\n').encode() + _HEAD.sub(b"", body)


def _padded(body: bytes, megabytes: int) -> bytes:
    return body.replace(b"<response>", b"<response><!--" + b" " * (megabytes * 1024 * 1024) + b"-->", 1)


def in_function(faults: Faults, function: Function) -> Failed | None:
    """A failure of one function in an answer that is otherwise well."""
    fault = struck(faults, IN_FUNCTIONS, [function.operation], unless=lambda one: not _concerns(one, function))
    if fault is None:
        return None
    match fault.name:
        case "offline":
            return Failed(Error(description2="The Service is Temporarily Off-line"))
        case "escaped_texts":
            text = "The vendor &#039;O&#039;Hara&#039; is <b>not</b> known &amp; cannot be used " + answers.support_id()
            return Failed(Error(number="BL01001973", description2=text, correction="Use a <i>valid</i> vendor."))
        case "audithistory_denied":
            return answers.no_audit_history()
        case "audithistory_error":
            return answers.stumbled()
    verb = "READ_BY_QUERY" if function.name == "query" else re.sub(r"(?=[A-Z])", "_", function.name).upper()
    return answers.not_permitted(verb, function.object_name)


def _concerns(fault: Fault, function: Function) -> bool:
    if fault.name in ("audithistory_denied", "audithistory_error"):
        return function.object_name == "AUDITHISTORY"
    if function.name == "getAPISession":
        return fault.name == "offline"
    return bool(fault.settings.get("object", function.object_name) == function.object_name)

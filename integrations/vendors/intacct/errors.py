"""What a bad answer means: one table from the vendor's codes and texts to our classes (README.md, "Errors").

One code has four meanings (XL03000006) and some errors have no code at all, so a rule asks for the layer, the code, a text, or
several of them.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from integrations.errors import (
    ContractBroken,
    CredentialsRejected,
    PermissionMissing,
    RateLimited,
    RecordRejected,
    SetupBroken,
    VendorUnavailable,
)
from integrations.vendors.intacct.envelope import Fault

VENDOR_KEY = "intacct"
ROLLED_BACK = "XL03000009"  # "the entire transaction has been rolled back": a consequence, never the cause
EXCERPT = 500
SHORTEST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=30)

RIGHTS = {  # object → what people call it, and the permission to grant
    "APBILL": ("bills", "Accounts Payable > Bills: List, View"),
    "APBILLITEM": ("the lines of bills", "Accounts Payable > Bills: List, View"),
    "VENDOR": ("vendors", "Accounts Payable > Vendors: List, View"),
    "APPYMT": ("payments", "Accounts Payable > Payments: List, View"),
    "APPYMTDETAIL": ("payments", "Accounts Payable > Payments: List, View"),
    "GLACCOUNT": ("accounts", "General Ledger > Accounts: List, View"),
    "DEPARTMENT": ("departments", "Company > Departments: List, View"),
    "LOCATION": ("locations", "Company > Locations: List, View"),
    "LOCATIONENTITY": ("entities", "Company > Entities: List, View"),
    "CLASS": ("classes", "Company > Classes: List, View"),
    "PROJECT": ("projects", "Projects > Projects: List, View"),
    "CUSTOMER": ("customers", "Accounts Receivable > Customers: List, View"),
    "EMPLOYEE": ("employees", "Company > Employees: List, View"),
    "ITEM": ("items", "Inventory Control > Items: List, View"),
    "SUPDOC": ("attachments", "Company > Attachments: List, View"),
    "USERINFO": ("users", "Company > Users: List, View"),
    "AUDITHISTORY": ("the audit history", "Platform Services > Custom reports: View"),
}


class SessionInvalid(Exception):
    """The session that was sent has ended: open a new one and ask once more. Never leaves this package."""


class FunctionRefused(ContractBroken):
    """A function that the gateway understood and refused: an unknown field or object, a filter that it dislikes."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was sent, as far as the meaning of an error depends on it."""

    layer: str  # control, authentication or function
    by_login: bool  # a user's password went along, not a session
    operation: str  # "query APBILL"
    object: str = ""
    writes: bool = False
    sender: str = ""
    company: str = ""
    user: str = ""
    entity: str = ""
    n_refusals: int = 0  # how often in a row the vendor has said "slow down"
    redact: Callable[[str], str] = lambda text: text


Maker = Callable[[Fault, Asked], Exception]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The first rule that fits decides; what it does not name, it does not ask for."""

    make: Maker
    layer: str = ""
    code: str = ""  # a regular expression for the whole code
    text: str = ""  # a regular expression found somewhere in the error
    by_login: bool | None = None
    writes: bool | None = None

    def fits(self, fault: Fault, asked: Asked) -> bool:
        return (
            self.layer in ("", asked.layer)
            and (not self.code or re.fullmatch(self.code, fault.code, re.IGNORECASE) is not None)
            and (not self.text or re.search(self.text, fault.everything) is not None)
            and self.by_login in (None, asked.by_login)
            and self.writes in (None, asked.writes)
        )


def meaning(faults: Sequence[Fault], asked: Asked) -> Exception:
    """What went wrong, by the first error of the answer that can be a cause; the ones behind it are generic."""
    fault = next((each for each in faults if each.code.upper() != ROLLED_BACK), Fault())
    return next(rule.make(fault, asked) for rule in RULES if rule.fits(fault, asked))


def unavailable(asked: Asked, *, status: int = 0, detail: str = "") -> VendorUnavailable:
    said = "Sage Intacct is not available at the moment. We try again by ourselves."
    return VendorUnavailable(
        said, status=status, vendor=VENDOR_KEY, operation=asked.operation, detail=asked.redact(detail)[:EXCERPT]
    )


def not_understood(asked: Asked, *, status: int, excerpt: bytes, why: str) -> ContractBroken:
    """The answer is not what the gateway's answers look like. ``detail`` holds its first characters, without secrets."""
    said = "Sage Intacct sent an answer that we do not understand. We are looking into it."
    text = asked.redact(excerpt[:65536].decode("utf-8", "replace"))
    return ContractBroken(said, **known(asked, f"HTTP {status}, {why}: {text}"[:EXCERPT]))


def rate_limited(asked: Asked, *, detail: str = "", at_least: timedelta = timedelta()) -> RateLimited:
    """Wait 30 s, doubled for every refusal in a row, up to a quarter longer so that workers do not come back together."""
    wait = min(SHORTEST_WAIT * 2 ** min(asked.n_refusals, 10), LONGEST_WAIT) * (1 + random.random() / 4)  # noqa: S311
    said = "Sage Intacct asks us to slow down. The work goes on by itself."
    return RateLimited(said, retry_after=max(wait, at_least), grows=True, **known(asked, detail))


def known(asked: Asked, detail: str = "", request_id: str = "") -> dict[str, str]:
    return {"vendor": VENDOR_KEY, "operation": asked.operation, "detail": detail[:EXCERPT], "request_id": request_id}


def _known(fault: Fault, asked: Asked) -> dict[str, str]:
    return known(asked, asked.redact(f"{asked.layer} {fault.code}: {fault.text}"), fault.support_id)


def _slow_down(fault: Fault, asked: Asked) -> RateLimited:
    return rate_limited(asked, detail=_known(fault, asked)["detail"])


def _unavailable(fault: Fault, asked: Asked) -> VendorUnavailable:
    error = unavailable(asked, detail=f"{fault.code}: {fault.text}")
    error.request_id = fault.support_id
    return error


def _session_invalid(fault: Fault, asked: Asked) -> SessionInvalid:
    return SessionInvalid(asked.operation)


def _sender_unknown(fault: Fault, asked: Asked) -> CredentialsRejected:
    said = (
        f"Sage Intacct does not accept the sender ID “{asked.sender}” with its password, or does not know the company ID "
        f"“{asked.company}”. Check both, then reconnect."
    )
    return CredentialsRejected(said, **_known(fault, asked))


def _sender_not_authorised(fault: Fault, asked: Asked) -> PermissionMissing:
    said = (
        f"The company “{asked.company}” does not let the sender ID “{asked.sender}” in yet. In Sage Intacct, open Company > "
        f"Setup > Company > Security, add {asked.sender} to the Web Services authorizations, then test the connection again. "
        f"Sage Intacct says: {_quoted(fault, asked)}"
    )
    return PermissionMissing(said, right=f"Web Services authorization for {asked.sender}", **_known(fault, asked))


def _login_refused(fault: Fault, asked: Asked) -> CredentialsRejected:
    said = (
        f"Sage Intacct refused the user “{asked.user}” of the company “{asked.company}”. Check the company ID, user ID and "
        "password, then reconnect. We do not try again by ourselves, since wrong passwords lock the user."
    )
    return CredentialsRejected(said, **_known(fault, asked))


def _session_refused(fault: Fault, asked: Asked) -> CredentialsRejected:
    said = f"Sage Intacct no longer lets the user “{asked.user}” in. Check the user in Sage Intacct, then reconnect."
    return CredentialsRejected(said, **_known(fault, asked))


def _not_subscribed(fault: Fault, asked: Asked) -> PermissionMissing:
    said = (
        f"The company “{asked.company}” has no Web Services subscription. In Sage Intacct, open Company > Admin > Subscriptions "
        "and switch on Web Services."
    )
    return PermissionMissing(said, right="Web Services subscription", **_known(fault, asked))


def _demo_expired(fault: Fault, asked: Asked) -> SetupBroken:
    said = f"The company “{asked.company}” is a demo company of Sage Intacct and has expired. Connect another company."
    return SetupBroken(said, what="company", **_known(fault, asked))


def _entity_refused(fault: Fault, asked: Asked) -> Exception:
    if not asked.entity:
        return _refused(fault, asked)
    said = (
        f"Sage Intacct did not open the entity “{asked.entity}”. Check the entity ID, then reconnect. "
        f"Sage Intacct says: {_quoted(fault, asked)}"
    )
    return SetupBroken(said, what="location_id", **_known(fault, asked))


def _not_allowed(fault: Fault, asked: Asked) -> PermissionMissing:
    named = re.search(r"objects of type (\w+)", fault.everything)
    name = (named[1] if named else asked.object).upper()
    name = "AUDITHISTORY" if "audit history" in fault.everything else name
    what, right = RIGHTS.get(name, (name or "this", name))
    said = (
        f"The Sage Intacct user “{asked.user}” may not {'change' if asked.writes else 'read'} {what}. Give the role of that user "
        f"the permission {right}, then test the connection again."
    )
    return PermissionMissing(said, right=right, **_known(fault, asked))


def _record_refused(fault: Fault, asked: Asked) -> RecordRejected:
    return RecordRejected(f"Sage Intacct refused it: {_quoted(fault, asked)}", **_known(fault, asked))


def _refused(fault: Fault, asked: Asked) -> FunctionRefused:
    said = "Sage Intacct refused a question of ours. We are looking into it."
    return FunctionRefused(said, **_known(fault, asked))


def _quoted(fault: Fault, asked: Asked) -> str:
    text = asked.redact(fault.text)[:200].strip()
    return text if text.endswith(".") else f"{text}."


RULES = (
    Rule(code="GW-0010", make=_slow_down),
    Rule(text="api rate limit exceeded", make=_slow_down),
    Rule(code="GW-000[1-9]", make=_unavailable),
    Rule(text="temporarily off-?line", make=_unavailable),
    Rule(text="please try again later", make=_unavailable),
    Rule(text="^\\S*\\s*invalid session", by_login=False, make=_session_invalid),
    Rule(text="not authorized for xml transactions|subscribe to the xml gateway", make=_not_subscribed),
    Rule(text="invalid web services authorization|not authorized to make web services requests", make=_sender_not_authorised),
    Rule(code="PL04000055", make=_demo_expired),
    Rule(code="GW-0011|XMLGW_JPP0002", make=_sender_unknown),
    Rule(layer="control", code="XL03000006", make=_sender_unknown),
    Rule(layer="authentication", by_login=True, make=_login_refused),
    Rule(layer="authentication", by_login=False, make=_session_refused),
    Rule(layer="function", code="PL04000005", make=_not_allowed),
    Rule(layer="function", text="you do not have permission", make=_not_allowed),
    Rule(layer="function", by_login=True, make=_entity_refused),
    Rule(layer="function", code="(BL|PL|CO|GL|AP)[0-9]+", writes=True, make=_record_refused),
    Rule(make=_refused),
)
"""First match wins; the last one takes everything: what we do not know is our own fault until it has a row here."""

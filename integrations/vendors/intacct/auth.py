"""How a request is signed, and when its session is renewed (README.md, "Sessions").

The sender's id and password go with every request. The user's password goes only with ``getAPISession``; what follows carries the
session's id and goes to the session's own address. A session belongs to one connection and to the very credentials it was opened
with.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from integrations.errors import ContractBroken, SetupBroken
from integrations.types import Login, Session
from integrations.vendors.intacct.envelope import Answer, Node, Row, Sender
from integrations.vendors.intacct.objects import Unparsable, parse_zone

LONGEST = timedelta(minutes=49)
LAST_MINUTES = timedelta(minutes=5)
SHORT = timedelta(hours=1)
LAST_SHARE = 0.2  # of a session that lives for less than an hour
OWN_HOSTS = (".intacct.com", ".intacct.com.")

OFFSET = "offset"  # facts of a session: the user's gmtoffset, such as "-08:00"
OFFSET_FROM = "offset_from"  # "user", or "default" when Intacct would not tell
TIMEOUT = "timeout"  # the last sessiontimeout, as the vendor wrote it
LASTS = "lasts"  # the session's whole duration in seconds


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a connection signs in with; ``repr`` shows no password."""

    sender: Sender
    company: str
    user: str
    password: str = field(repr=False)
    entity: str = ""
    client: str = ""

    @classmethod
    def of(cls, login: Login) -> "Credentials":
        """Raises SetupBroken when something that every request needs was never given."""
        given = {**login.settings, **login.secrets}
        for name, label in NEEDED.items():
            if not given.get(name):
                raise SetupBroken(
                    f"The Sage Intacct connection has no {label}. Enter it, then test the connection.",
                    what=name,
                    vendor="intacct",
                )
        return cls(
            sender=Sender(id=given["sender_id"], password=given["sender_password"]),
            company=given["company_id"],
            user=given["user_id"],
            password=given["user_password"],
            entity=given.get("location_id", ""),
            client=given.get("client_id", ""),
        )

    @property
    def digest(self) -> str:
        """Changes with anything that a session depends on: another password or entity must not ride on it."""
        parts = (self.sender.id, self.sender.password, self.company, self.client, self.entity, self.user, self.password)
        return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def turn(self) -> str:
        """One request in flight for all who share this: the vendor counts concurrency per company."""
        return f"{self.sender.id}/{self.company}"

    def node(self) -> Node:
        parts = [Node("userid", self.user), Node("companyid", self.company), Node("password", self.password)]
        optional = (("clientid", self.client), ("locationid", self.entity))
        return Node("login", [*parts, *(Node(tag, value) for tag, value in optional if value)])


NEEDED = {
    "sender_id": "sender ID",
    "sender_password": "sender password",
    "company_id": "company ID",
    "user_id": "user ID",
    "user_password": "password",
}


def usable(session: Session | None, credentials: Credentials, base_url: str, now: datetime) -> Session | None:
    """The stored session, unless it was opened with other credentials, is due for renewal, or names a foreign address."""
    if session is None or session.credentials != credentials.digest or is_due(session, now):
        return None
    return session if is_allowed(session.endpoint, base_url) else None


def is_due(session: Session, now: datetime) -> bool:
    """At 49 minutes of age; with less than five minutes left; or, of a session shorter than an hour, less than a fifth."""
    if now - session.opened_at >= LONGEST:
        return True
    if session.expires_at is None:
        return False
    lasts = timedelta(seconds=float(session.facts.get(LASTS, "0"))) or session.expires_at - session.opened_at
    return session.expires_at - now < (lasts * LAST_SHARE if lasts < SHORT else LAST_MINUTES)


def is_allowed(endpoint: str, base_url: str) -> bool:
    """May a session's address be followed? Only to the vendor's own hosts over https, or where the base URL itself is."""
    if re.search(r"[\s\\@\x00-\x1f]", endpoint):
        return False
    try:
        there, here = urlsplit(endpoint), urlsplit(base_url)
        same = _origin(endpoint) == _origin(base_url)
    except ValueError:
        return False
    host = there.hostname or ""
    own = there.scheme == "https" and re.fullmatch(r"[a-z0-9.-]+", host) is not None and host.endswith(OWN_HOSTS)
    return own or (same and bool(host) and here.hostname is not None)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def opened(answer: Answer, row: Row, credentials: Credentials, base_url: str, now: datetime) -> Session:
    """The session that ``getAPISession`` gave. Its life is measured by the vendor's clock, then laid on ours.

    Raises ContractBroken when its address is one that we must not follow; nothing is sent there.
    """
    token, endpoint = row.get("SESSIONID", "").strip(), row.get("ENDPOINT", "").strip()
    if not token or not is_allowed(endpoint, base_url):
        raise ContractBroken(
            "Sage Intacct named an address for its session that is not one of its own. For security nothing was sent there. "
            "We are looking into it.",
            vendor="intacct",
            operation="getAPISession",
            detail=f"endpoint {endpoint[:200]}" if token else "no session id",
        )
    lasts = answer.expires_at - answer.opened_at if answer.expires_at and answer.opened_at else None
    expires_at = now + lasts if lasts is not None else answer.expires_at
    facts = {LASTS: str(lasts.total_seconds())} if lasts is not None else {}
    if answer.expires_at:
        facts[TIMEOUT] = answer.expires_at.isoformat()
    return Session(
        token=token, endpoint=endpoint, opened_at=now, expires_at=expires_at, facts=facts, credentials=credentials.digest
    )


def prolonged(session: Session, answer: Answer) -> Session | None:
    """The session with the later end that this answer tells of; None when that changes nothing within the 49 minutes."""
    before = session.facts.get(TIMEOUT)
    if before is None or session.expires_at is None or answer.expires_at is None:
        return None
    if session.expires_at - LAST_MINUTES > session.opened_at + LONGEST:
        return None
    later = answer.expires_at - datetime.fromisoformat(before)
    if later < timedelta(seconds=30):
        return None
    facts = {**session.facts, TIMEOUT: answer.expires_at.isoformat()}
    return replace(session, expires_at=session.expires_at + later, facts=facts)


def zone_of(session: Session) -> timezone:
    return parse_zone(session.facts[OFFSET])


def learnt(session: Session, formatting: Row | None, user: str) -> Session:
    """The session with the user's time zone in its facts; GMT when Intacct would not tell.

    Raises SetupBroken when the user's preferences are such that dates would be misread.
    """
    if formatting is None:
        return replace(session, facts={**session.facts, OFFSET: "+00:00", OFFSET_FROM: "default"})
    if wrong := _wrong_preferences(formatting):
        said = (
            f"The preferences of the Sage Intacct user “{user}” do not fit: {' '.join(wrong)} Change that in Sage Intacct, "
            "then test the connection again."
        )
        raise SetupBroken(said, what="user preferences", vendor="intacct", operation="readUserFormatting")
    return replace(session, facts={**session.facts, OFFSET: formatting["GMTOFFSET"].strip(), OFFSET_FROM: "user"})


def _wrong_preferences(formatting: Row) -> list[str]:
    """Other forms were never seen in an answer, so they are refused rather than guessed at."""
    wrong = []
    for name, wanted, setting in PREFERENCES:
        if (is_set := formatting.get(name, "").strip()) != wanted[0]:
            wrong.append(f"{setting} is “{is_set}” and must be {wanted[1]}.")
    try:
        parse_zone(formatting.get("GMTOFFSET", ""))
    except Unparsable:
        wrong.append(f"Time zone is “{formatting.get('GMTOFFSET', '')}” and should be GMT.")
    return wrong


PREFERENCES = (
    ("LOCALE", ("en_US", "English (United States)"), "Locale"),
    ("DATEFORMAT", ("/mdY", "MM/DD/YYYY"), "Date format"),
    ("CLOCK", ("24", "24 hour"), "Clock"),
)

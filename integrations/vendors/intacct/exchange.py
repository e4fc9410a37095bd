"""One request at a time: the turn, the session, the envelope, and what a bad answer means (README.md, "Sessions", "Errors")."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta, timezone
from xml.sax.saxutils import escape

import structlog

from integrations import http
from integrations.errors import AnswerTooLarge, IntegrationError, PermissionMissing, RateLimited, VendorUnavailable
from integrations.types import Login, Session
from integrations.vendors.intacct import auth, errors
from integrations.vendors.intacct.envelope import Answer, Node, Outcome, Row, build, parse, rows
from integrations.vendors.intacct.errors import Asked, FunctionRefused, SessionInvalid
from integrations.vendors.intacct.safe_xml import BadXml, NotXml

log = structlog.get_logger(__name__)

QUOTES = {'"': "&quot;", "'": "&#039;"}
MAX_BYTES = 8 * 1024 * 1024  # of an answer without files
HEADERS = {"Content-Type": "application/xml", "Accept": "text/xml, application/xml"}

Builder = Callable[[timezone], Sequence[Node]]
"""Functions are built once the session, and so the user's time zone, is known."""


class Exchange:
    """Sends functions to one company as one user.

    Every request takes the turn of its sender and company, so that one is in flight at a time; a login happens within that turn.
    """

    def __init__(self, login: Login) -> None:
        self._login = login
        self.credentials = auth.Credentials.of(login)
        self._n_refusals = 0
        self._tokens: set[str] = set()

    def session(self) -> Session:
        """A session that may be used now, opened if need be: what was learnt with it stands in its facts."""
        with self._login.turn(self.credentials.turn):
            return self._session()

    def run(
        self,
        functions: Builder,
        operation: str,
        object_name: str = "",
        *,
        writes: bool = False,
        controlids: Sequence[str] = (),
        max_bytes: int = MAX_BYTES,
    ) -> tuple[tuple[Outcome, ...], timezone]:
        """Send functions in one request, with a session. When that has ended, a new one is opened and the same is sent once more:
        nothing was carried out, since who asks is looked at first.
        """
        with self._login.turn(self.credentials.turn):
            for _ in range(2):
                try:
                    session = self._session()
                    zone = auth.zone_of(session)
                    nodes = functions(zone)
                    named = list(zip(controlids or [f"f{n}" for n in range(1, len(nodes) + 1)], nodes, strict=True))
                    answer = self._exchange(session, named, operation, object_name, writes=writes, max_bytes=max_bytes)
                    return answer.outcomes, zone
                except SessionInvalid:
                    self._login.sessions.drop()
        raise VendorUnavailable(
            "Sage Intacct ended a session that it had just opened. We try again by ourselves.",
            may_have_acted=False,
            vendor=errors.VENDOR_KEY,
            operation=operation,
        )

    def _session(self) -> Session:
        """The stored session, looked at only now that the turn is ours: whoever had it before may have renewed it."""
        stored = self._login.sessions.load()
        session = auth.usable(stored, self.credentials, self._login.base_url, self._login.now()) or self._open()
        self._tokens.add(session.token)
        if auth.OFFSET not in session.facts:
            session = self._learn(session)
        return session

    def _open(self) -> Session:
        operation = "getAPISession"
        answer = self._exchange(None, [("f1", Node("getAPISession"))], operation)
        outcome = answer.outcomes[0]
        self.raise_if_failed(outcome, operation, by_login=True)
        row = next(rows(outcome.data), {})
        session = auth.opened(answer, row, self.credentials, self._login.base_url, self._login.now())
        self._login.sessions.save(session)
        return session

    def _learn(self, session: Session) -> Session:
        """Find out the user's time zone and formats, once per session: an offset moves with daylight saving."""
        formatting = self._formatting(session)
        if formatting is None:
            self._login.warn(
                "time_zone_unknown",
                "Sage Intacct did not tell the time zone of its Web Services user. We take it to be GMT, with dates as "
                "MM/DD/YYYY. Give the role of that user the permission Company > Users: List, View.",
            )
        try:
            session = auth.learnt(session, formatting, self.credentials.user)
        except IntegrationError:
            self._login.sessions.drop()
            raise
        self._login.sessions.save(session)
        return session

    def _formatting(self, session: Session) -> Row | None:
        """What ``readUserFormatting`` says of our own user; None when that is not permitted, or the user is not found."""
        fields = [Node("object", "USERINFO"), Node("keys", self.credentials.user), Node("fields", "RECORDNO,LOGINID")]
        found = self._one(session, Node("readByName", fields), "readByName USERINFO")
        if not found or not found.get("RECORDNO"):
            return None
        return self._one(session, Node("readUserFormatting", [Node("key", found["RECORDNO"])]), "readUserFormatting")

    def _one(self, session: Session, function: Node, operation: str) -> Row | None:
        outcome = self._exchange(session, [("f1", function)], operation, "USERINFO").outcomes[0]
        error = self.failure(outcome, operation, "USERINFO")
        if error and not isinstance(error, FunctionRefused | PermissionMissing):
            raise error
        return None if error else next(rows(outcome.data), None)

    def _exchange(
        self,
        session: Session | None,
        functions: Sequence[tuple[str, Node]],
        operation: str,
        object_name: str = "",
        *,
        writes: bool = False,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """One request, one answer whose upper two layers succeeded and which has one outcome per function."""
        asked = self._asked("control", operation, object_name, by_login=session is None, writes=writes)
        signed = Node("sessionid", session.token) if session else self.credentials.node()
        body, n_stripped = build(self.credentials.sender, signed, functions, unique=writes)
        if n_stripped:
            log.warning("intacct_characters_stripped", n_stripped=n_stripped, operation=operation)
        url = session.endpoint if session else self._login.base_url
        got = self._login.http.send("POST", url, operation=operation, headers=HEADERS, content=body)
        if len(got.content) > max_bytes:
            said = f"Sage Intacct sent an answer larger than {max_bytes // 1024 // 1024} MB. We are looking into it."
            raise AnswerTooLarge(said, **errors.known(asked, f"more than {max_bytes} bytes"))
        answer = self._understood(got, asked, with_files=max_bytes > MAX_BYTES)
        if answer.layer:
            raise self._counted(errors.meaning(answer.faults, replace(asked, layer=answer.layer)), got, asked)
        if session and (prolonged := auth.prolonged(session, answer)):
            self._login.sessions.save(prolonged)
        return self._matched(answer, functions, got, asked)

    def _understood(self, got: http.Answer, asked: Asked, *, with_files: bool) -> Answer:
        """Any XML is an answer, whatever the HTTP status; without XML the status is all we have."""
        try:
            return parse(got.content, with_files=with_files)
        except (NotXml, BadXml) as why:
            if got.status == 429:
                raise self._counted(errors.rate_limited(asked, at_least=_retry_after(got)), got, asked) from None
            is_page = isinstance(why, NotXml) and "HTML" in str(why) and got.status in (200, 403)
            if got.status >= 500 or got.status == 408 or is_page:
                raise errors.unavailable(asked, status=got.status, detail=f"HTTP {got.status}, {why}") from None
            raise errors.not_understood(asked, status=got.status, excerpt=got.content, why=str(why)) from None

    def _matched(self, answer: Answer, functions: Sequence[tuple[str, Node]], got: http.Answer, asked: Asked) -> Answer:
        """Outcomes in the order of the functions, by control id where the vendor echoes them."""
        by_id = {each.controlid: each for each in answer.outcomes}
        ids = [controlid for controlid, _ in functions]
        if set(ids) <= set(by_id):
            return replace(answer, outcomes=tuple(by_id[each] for each in ids))
        if len(answer.outcomes) != len(ids):
            raise errors.not_understood(
                asked, status=got.status, excerpt=got.content, why=f"{len(answer.outcomes)} results for {len(ids)} functions"
            )
        return answer

    # -- Errors -----------------------------------------------------------------------------------------------------------

    def failure(
        self, outcome: Outcome, operation: str, object_name: str = "", *, by_login: bool = False, writes: bool = False
    ) -> Exception | None:
        if outcome.status == "success":
            self._n_refusals = 0
            return None
        asked = self._asked("function", operation, object_name, by_login=by_login, writes=writes)
        return self._counted(errors.meaning(outcome.faults, asked), None, asked)

    def raise_if_failed(
        self, outcome: Outcome, operation: str, object_name: str = "", *, by_login: bool = False, writes: bool = False
    ) -> None:
        if error := self.failure(outcome, operation, object_name, by_login=by_login, writes=writes):
            raise error

    def _counted(self, error: Exception, got: http.Answer | None, asked: Asked) -> Exception:
        """Refusals in a row make the next wait longer; a 5xx that no rule knows is an outage, not a broken contract."""
        if isinstance(error, RateLimited):
            self._n_refusals += 1
            error.retry_after = max(error.retry_after, _retry_after(got)) if got else error.retry_after
        if isinstance(error, FunctionRefused) and got and got.status == 429:
            return self._counted(errors.rate_limited(asked, detail=error.detail), got, asked)
        if isinstance(error, FunctionRefused) and got and got.status >= 500:
            return errors.unavailable(asked, status=got.status, detail=error.detail)
        return error

    def _asked(self, layer: str, operation: str, object_name: str, *, by_login: bool, writes: bool) -> Asked:
        who = self.credentials
        return Asked(
            layer=layer, by_login=by_login, operation=operation, object=object_name, writes=writes, sender=who.sender.id,
            company=who.company, user=who.user, entity=who.entity, n_refusals=self._n_refusals, redact=self._redact,
        )  # fmt: skip

    def _redact(self, text: str) -> str:
        for secret in {*self._login.secrets.values(), self.credentials.sender.password, *self._tokens}:
            if len(secret) > 3:
                text = text.replace(secret, "•••").replace(escape(secret), "•••").replace(escape(secret, QUOTES), "•••")
        return text


def _retry_after(got: http.Answer) -> timedelta:
    said = got.headers.get("Retry-After", "")
    return timedelta(seconds=min(int(said), 3600)) if said.isascii() and said.isdigit() else timedelta()

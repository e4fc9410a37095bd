"""The world: two paths, one gate, and the order in which a request is looked at."""

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from lxml import etree

from integrations.sandboxes.core import Answer, Clock, ConnectionCut, Faults, Request, TooSlow
from integrations.sandboxes.intacct import answers, envelope, faults, seed
from integrations.sandboxes.intacct.admission import Admitted, Door
from integrations.sandboxes.intacct.answers import Error, Failed, Refused, Signed
from integrations.sandboxes.intacct.caller import Caller
from integrations.sandboxes.intacct.envelope import Call, Malformed
from integrations.sandboxes.intacct.functions import Functions
from integrations.sandboxes.intacct.hands import Hands
from integrations.sandboxes.intacct.limits import Crowded, Gate
from integrations.sandboxes.intacct.reach import COMPANY
from integrations.sandboxes.intacct.replies import Reply
from integrations.sandboxes.intacct.sessions import Sessions
from integrations.sandboxes.intacct.settings import Seeding, Settings
from integrations.sandboxes.intacct.values import zone_seconds

LOGIN_PATH = "/ia/xml/xmlgw.phtml"
SESSION_PATH = "/na12/ia/xml/xmlgw.phtml"
SENDER, SENDER_PASSWORD = "sample_sender", "sample-sender-pw"
USER, USER_PASSWORD = "xml_gateway", "sample-user-pw"


class IntacctWorld(Hands):
    """Companies of one Sage Intacct, as seen through its XML gateway."""

    FAULTS = faults.FAULTS

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.clock, self.faults = clock, faults
        self.lock = threading.RLock()
        self.reset()

    def reset(self, **settings: Any) -> None:
        """An empty world with the small company in it; see Settings for what can be said."""
        chosen = Settings(**settings)
        zone_seconds(chosen.timeoffset), zone_seconds(chosen.gmtoffset)
        with self.lock:
            self.settings, self.companies, self.senders = chosen, {}, {}
            self.sessions, self.gate = Sessions(), Gate()
            self._functions = Functions(faults=self.faults, start_session=self._start_session)
            self._shuffler = random.Random(7)
            self.add_company(COMPANY, bills=chosen.bills)
            self.add_sender(SENDER, SENDER_PASSWORD)
            self.add_user(
                COMPANY,
                USER,
                USER_PASSWORD,
                gmtoffset=chosen.gmtoffset,
                locale=chosen.locale,
                dateformat=chosen.dateformat,
                clock24=chosen.clock24,
            )

    def seed(self, **settings: Any) -> dict[str, list[str]]:
        """Put bills in; see Seeding for what can be said. Answers with their RECORDNOs."""
        chosen, now = Seeding(**settings), self.now()
        first = int(datetime.fromisoformat(chosen.start).timestamp()) if chosen.start else now - min(30, chosen.wanted // 50)
        last = now if chosen.over is None else first + int(chosen.over)
        with self.lock:
            numbers = seed.put_bills(
                self.companies[chosen.company],
                chosen.wanted,
                first,
                max(first, last),
                self.settings,
                lines_per_bill=chosen.lines_per_bill,
                same_stamp=chosen.same_stamp,
            )
        return {"bills": [str(number) for number in numbers]}

    @property
    def n_in_flight_max(self) -> int:
        """The most requests of one sender and company ever seen at one time."""
        return max(self.gate.n_in_flight_max.values(), default=0)

    def state(self) -> dict[str, Any]:
        """The small company's bills and what was counted, as plain JSON."""
        with self.lock:
            rows = sorted(self.companies[COMPANY].tables["APBILL"].rows.items())
            return {
                "company": COMPANY,
                "bills": [
                    {"recordno": str(key), "currency": row["CURRENCY"], "trx_totalentered": f"{row['TRX_TOTALENTERED']:f}"}
                    for key, row in rows
                ],
                "n_transactions": {id_: company.n_transactions for id_, company in self.companies.items()},
                "n_in_flight_max": {"/".join(key): n for key, n in self.gate.n_in_flight_max.items()},
            }

    def handle(self, request: Request) -> Answer:
        if request.path not in (LOGIN_PATH, SESSION_PATH):
            return Answer(status=404, headers={"Content-Type": "text/html"}, body=b"<html><body>Not found</body></html>")
        if request.method != "POST":
            return Answer(status=405, headers={"Content-Type": "text/html", "Allow": "POST"}, body=b"<html></html>")
        try:
            envelope.check_type(request.headers.get("content-type", ""))
            call = envelope.read(request.body)
        except Malformed as malformed:
            return answers.control_failure(malformed.control, malformed.error)
        try:
            return replace(self._answer(request, call), operation=call.operation)
        except (ConnectionCut, TooSlow) as gone:
            gone.operation = call.operation
            raise

    def _answer(self, request: Request, call: Call) -> Answer:
        companyid = self._companyid(call)
        try:
            with self.gate.entered(call.control.senderid, companyid, self.settings, self.clock.now().timestamp()), self.lock:
                undone = faults.before(self.faults, call)
                return undone or faults.after(self.faults, call, self._perform(request, call))
        except Crowded:
            return answers.rate_limited()

    def _companyid(self, call: Call) -> str:
        if call.login:
            return call.login.get("clientid") or call.login["companyid"]
        session = self.sessions.peek(call.sessionid)
        return session.company.id if session else ""

    def _perform(self, request: Request, call: Call) -> Answer:
        now = self.now()
        door = Door(
            companies=self.companies, senders=self.senders, sessions=self.sessions, settings=self.settings, faults=self.faults
        )
        try:
            door.check_sender(call)
            admitted = door.admit(call, now, at_login_host=request.path == LOGIN_PATH)
        except Refused as refused:
            return refused.answer
        signed = self._signed(call, admitted, now)
        signed.results = self._functions.carry_out(self._caller(request, call, admitted, now), call)
        return answers.performed(call.control, signed)

    def _caller(self, request: Request, call: Call, admitted: Admitted, now: int) -> Caller:
        return Caller(
            company=admitted.company,
            user=admitted.user,
            locationid=admitted.locationid,
            session=admitted.session or f"login:{admitted.user.loginid}",
            settings=self.settings,
            now=now,
            shuffler=self._shuffler,
            senderid=call.control.senderid,
            base_url=request.base_url,
        )

    def _signed(self, call: Call, admitted: Admitted, now: int) -> Signed:
        quiet = faults.struck(self.faults, ["no_sessiontimeout"], call.operations)
        until = "" if quiet else self._moment(now + self.settings.session_for)
        return Signed(
            userid=admitted.user.loginid,
            companyid=admitted.company.id,
            locationid=admitted.locationid,
            since=self._moment(now),
            until=until,
        )

    def _moment(self, seconds: int) -> str:
        zone = timezone(timedelta(seconds=zone_seconds(self.settings.timeoffset)))
        return datetime.fromtimestamp(seconds, UTC).astimezone(zone).isoformat()

    def _start_session(self, caller: Caller, element: etree._Element) -> Reply:
        """getAPISession: a new session beside any old one, at the top level or in the entity that is asked for."""
        asked = element.find("locationid")
        entity = caller.locationid if asked is None else (asked.text or "").strip()
        if entity and caller.company.tables["LOCATIONENTITY"].named(entity) is None:
            raise Failed(Error(number="Get API Session Failed", description2=f"Location {entity} is not valid"))
        session = self.sessions.start(
            senderid=caller.senderid,
            company=caller.company,
            user=caller.user,
            locationid=entity,
            now=caller.now,
            lasts=self.settings.session_for,
        )
        evil = faults.struck(self.faults, ["evil_endpoint"], ["getAPISession"])
        endpoint = faults.EVIL_ENDPOINT if evil else caller.base_url + SESSION_PATH
        parts = {"sessionid": session.id, "endpoint": endpoint, "locationid": entity}
        inner = "".join(f"<{name}>{answers.escape(text)}</{name}>" for name, text in parts.items())
        return Reply(data=f"<data><api>{inner}</api></data>", n_transactions=0)

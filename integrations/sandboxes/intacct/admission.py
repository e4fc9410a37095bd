"""Who is let in: the sender on every request, then a login or a session. Every way of being refused has its own form."""

from dataclasses import dataclass

from integrations.sandboxes.core import Faults
from integrations.sandboxes.intacct import answers
from integrations.sandboxes.intacct.answers import Error, Refused
from integrations.sandboxes.intacct.envelope import Call
from integrations.sandboxes.intacct.faults import struck
from integrations.sandboxes.intacct.sessions import Sessions
from integrations.sandboxes.intacct.settings import Settings
from integrations.sandboxes.intacct.state import Company, User

WRONG = "XL03000006"  # one code with four meanings, told apart by layer and text


@dataclass(frozen=True, kw_only=True)
class Admitted:
    company: Company
    user: User
    locationid: str
    session: str  # empty for a login


@dataclass(kw_only=True)
class Door:
    companies: dict[str, Company]
    senders: dict[str, str]
    sessions: Sessions
    settings: Settings
    faults: Faults

    def check_sender(self, call: Call) -> None:
        """Sender id and password go with every request, sessions or not."""
        if self.senders.get(call.control.senderid) == call.password and call.password:
            return
        if self.settings.sender_error == "legacy":
            error = Error(number=WRONG, description2="Incorrect Intacct XML Partner ID or password.")
            raise Refused(answers.control_failure(call.control, error))
        raise Refused(answers.invalid_request())

    def admit(self, call: Call, now: int, *, at_login_host: bool) -> Admitted:
        """Let the caller in. Raises Refused."""
        if call.login:
            return self._by_login(call)
        fault = struck(self.faults, ["invalid_session"], call.operations)
        may_be_used = fault is None and (not at_login_host or self.settings.any_endpoint)
        sender, lasts = call.control.senderid, self.settings.session_for
        session = self.sessions.use(call.sessionid, senderid=sender, now=now, lasts=lasts) if may_be_used else None
        if session is None:
            error = Error(number=WRONG, description2=f"Invalid session {call.sessionid[:1]}....")
            raise Refused(answers.authentication_failure(call.control, error))
        self._check_company(call, session.company, session.user.loginid)
        return Admitted(company=session.company, user=session.user, locationid=session.locationid, session=session.id)

    def _by_login(self, call: Call) -> Admitted:
        login = {name: text.strip() if name != "password" else text for name, text in call.login.items()}
        home, client, entity = [*login["companyid"].split("|"), "", ""][:3]  # a console may write all three into one
        client, entity = client or login.get("clientid", ""), entity or login.get("locationid", "")
        company = self.companies.get(home)
        if company is None or not company.is_active:
            raise self._unknown_company(call)
        self._check_company(call, company, login["userid"])
        user = company.users.get(login["userid"])
        if user is None or not user.is_active or user.password != login["password"]:
            raise self._wrong(call)
        if client:
            if client not in company.clients or client not in self.companies:
                raise self._wrong(call)
            company = self.companies[client]
        if entity and company.tables["LOCATIONENTITY"].named(entity) is None:
            raise self._wrong(call)
        return Admitted(company=company, user=user, locationid=entity, session="")

    def _check_company(self, call: Call, company: Company, userid: str) -> None:
        if company.has_expired:
            raise Refused(answers.demo_expired(call.control))
        if not company.is_subscribed:
            text = "This company is not authorized for XML transactions. Please subscribe to the XML Gateway."
            raise self._refused(call, company.id, userid, Error(number=WRONG, description2=text))
        sender = call.control.senderid
        if sender not in company.senders:
            said = f"The sender ID '{sender}' is not authorized to make Web Services requests to company ID '{company.id}'."
            error = Error(
                number=WRONG,
                description="Invalid Web Services Authorization",
                description2=said,
                correction="Contact the company administrator to grant Web Services authorization to this sender ID.",
            )
            raise self._refused(call, company.id, userid, error)

    def _unknown_company(self, call: Call) -> Refused:
        return Refused(answers.invalid_request()) if self.settings.unknown_company == "gateway" else self._wrong(call)

    def _wrong(self, call: Call) -> Refused:
        error = Error(number=WRONG, description2="Sign-in information is incorrect")
        return self._refused(call, call.login["companyid"], call.login["userid"], error)

    @staticmethod
    def _refused(call: Call, companyid: str, userid: str, error: Error) -> Refused:
        return Refused(answers.authentication_failure(call.control, error, userid=userid, companyid=companyid))

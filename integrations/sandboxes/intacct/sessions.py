"""Sessions: random ids, each for one sender, user and entity; every call before the end moves the end."""

import secrets
from dataclasses import dataclass

from integrations.sandboxes.intacct.state import Company, User


@dataclass(kw_only=True)
class Session:
    id: str
    senderid: str
    company: Company
    user: User
    locationid: str  # the entity; empty at the top level
    ends_at: int


class Sessions:
    def __init__(self) -> None:
        self._open: dict[str, Session] = {}

    def start(self, *, senderid: str, company: Company, user: User, locationid: str, now: int, lasts: int) -> Session:
        session = Session(
            id=secrets.token_urlsafe(24) + "..",
            senderid=senderid,
            company=company,
            user=user,
            locationid=locationid,
            ends_at=now + lasts,
        )
        self._open[session.id] = session
        return session

    def peek(self, id_: str) -> Session | None:
        return self._open.get(id_)

    def use(self, id_: str, *, senderid: str, now: int, lasts: int) -> Session | None:
        """The session, its end moved to ``lasts`` from now; None when unknown, over, or another sender's."""
        session = self._open.get(id_)
        if session is None or session.senderid != senderid or session.ends_at <= now:
            return None
        session.ends_at = now + lasts
        return session

    def expire_all(self) -> None:
        self._open.clear()

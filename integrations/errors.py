"""The error family: each class names who acts next, the engine, the customer or us (docs/errors.md)."""

from collections.abc import Sequence
from datetime import timedelta

from integrations.texts import storable


class IntegrationError(Exception):
    """Something went wrong at, or on the way to, an outside system.

    ``said`` is one sentence for the customer with the next step; ``detail`` is for us, and never holds a secret.
    """

    def __init__(self, said: str, *, vendor: str = "", operation: str = "", detail: str = "", request_id: str = "") -> None:
        super().__init__(said)
        self.said, self.vendor, self.operation = storable(said), vendor, operation
        self.detail, self.request_id = storable(detail), request_id


class VendorUnavailable(IntegrationError):
    """Network, timeout, 5xx: the engine tries again later, with growing pauses.

    ``may_have_acted`` is False only when the request certainly never reached the vendor.
    """

    def __init__(self, said: str, *, may_have_acted: bool = True, status: int = 0, **known: str) -> None:
        super().__init__(said, **known)
        self.may_have_acted, self.status = may_have_acted, status


class RateLimited(IntegrationError):
    """Any "slow down", any budget: the engine waits exactly ``retry_after`` and goes on from the checkpoint.

    ``grows``: the vendor does not say how long, so each refusal in a row doubles the wait.
    """

    def __init__(self, said: str, *, retry_after: timedelta, grows: bool = False, **known: str) -> None:
        super().__init__(said, **known)
        self.retry_after, self.grows = retry_after, grows


class CustomerMustAct(IntegrationError):
    """The flow stops and shows "needs attention" until somebody of the customer's has done what ``said`` asks."""


class CredentialsRejected(CustomerMustAct):
    """Expired, revoked or wrong: reconnect. Never tried again by itself, since wrong passwords lock accounts."""


class PermissionMissing(CustomerMustAct):
    """Signed in, not allowed. ``right`` names the right to grant."""

    def __init__(self, said: str, *, right: str = "", **known: str) -> None:
        super().__init__(said, **known)
        self.right = right


class SetupBroken(CustomerMustAct):
    """The board is gone, a column was retyped: ``what`` names the thing that has to be chosen anew."""

    def __init__(self, said: str, *, what: str = "", **known: str) -> None:
        super().__init__(said, **known)
        self.what = what


class RecordRejected(IntegrationError):
    """This one record is refused; the run goes on.

    ``columns`` are the columns that may be the cause (empty: the record as a whole).
    """

    def __init__(self, said: str, *, columns: Sequence[str] = (), **known: str) -> None:
        super().__init__(said, **known)
        self.columns = tuple(columns)


class ContractBroken(IntegrationError):
    """An answer that we do not understand: the run fails loudly and staff are told. ``detail`` holds a redacted excerpt."""


class AnswerTooLarge(ContractBroken):
    """More bytes than ``CallLimits.max_bytes``; a smaller page may fit."""

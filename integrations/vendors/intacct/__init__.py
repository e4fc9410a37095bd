"""Sage Intacct, by its XML gateway: bills, vendors and the rest of the ledger (README.md beside this file)."""

from collections.abc import Sequence

from integrations.http import CallLimits
from integrations.types import Ask, Login, Source, Vendor
from integrations.vendors.intacct import dimensions, forecast
from integrations.vendors.intacct.attachments import LARGEST_ANSWER
from integrations.vendors.intacct.catalogue import KINDS
from integrations.vendors.intacct.dimensions import DimensionsSource, reference
from integrations.vendors.intacct.ping import ping
from integrations.vendors.intacct.source import IntacctSource

__all__ = ["VENDOR"]

ASKS = (
    Ask(name="company_id", label="Company ID", help="The company ID of Sage Intacct's sign-in page."),
    Ask(
        name="user_id",
        label="User ID",
        help="A Web Services user: Company > Admin > Users, roles, and groups > Web Services users. Its type is Business, and "
        "it needs a role that may list and view bills and vendors. Set its locale to English (United States), its dates to "
        "MM/DD/YYYY, its clock to 24 hours and its time zone to GMT.",
    ),
    Ask(name="user_password", label="Password", secret=True, help="The password of that user. It does not expire."),
    Ask(
        name="sender_id",
        label="Sender ID",
        required=False,
        help="Leave this empty to use ours. Either way, add the sender ID under Company > Setup > Company > Security > "
        "Web Services authorizations.",
    ),
    Ask(name="sender_password", label="Sender password", secret=True, required=False, help="Only with a sender ID of your own."),
    Ask(
        name="location_id", label="Entity ID", required=False, help="To read one entity only. Leave it empty to read all of them."
    ),
    Ask(
        name="client_id",
        label="Client ID",
        required=False,
        help="Only for accountants who sign in at a console: the client's company.",
    ),
)


def source(login: Login, object_name: str, fields: Sequence[str]) -> Source:
    """Reads ``object_name``, a key of the catalogues, with these fields."""
    if object_name == dimensions.NAME:
        return DimensionsSource(login, fields)
    return IntacctSource(login, object_name, fields)


def record_key(login: Login, object_name: str, external_id: str) -> str:
    """The identity that stands at the target. RECORDNO is unique per company, so an entity is no part of it."""
    return f"intacct:{login.settings['company_id']}:{object_name}:{external_id}"


VENDOR = Vendor(
    key="intacct",
    name="Sage Intacct",
    asks=ASKS,
    address="INTACCT_URL",
    default_address="https://api.intacct.com/ia/xml/xmlgw.phtml",
    sandbox_path="/ia/xml/xmlgw.phtml",
    ping=ping,
    # The gateway lets a request wait up to 30 s for a free place before it says "slow down". Only files may be so large: other
    # answers end at 8 MB (``exchange``).
    limits=CallLimits(connect=5.0, read=45.0, total=55.0, max_bytes=LARGEST_ANSWER),
    catalogues={**{name: kind.catalogue for name, kind in KINDS.items()}, dimensions.NAME: dimensions.CATALOGUE},
    source=source,
    reference=reference,
    record_key=record_key,
    forecast_read=forecast.read,
)

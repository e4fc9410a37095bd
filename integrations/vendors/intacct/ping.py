"""One real, cheap call that tells a person whether a connection works, and what it may not read."""

from integrations.errors import PermissionMissing
from integrations.types import Login, Ping
from integrations.vendors.intacct import auth
from integrations.vendors.intacct.client import Client
from integrations.vendors.intacct.errors import FunctionRefused
from integrations.vendors.intacct.query import Query

PROBED = ("APBILL", "APBILLITEM", "VENDOR")


def ping(login: Login) -> Ping:
    """Use or open a session and ask for one row of each kind: ``lookup`` would not do, since it ignores permissions.

    Raises what the client raises; a right that is missing is told, not raised.
    """
    client = Client(login)
    show_private = not client.credentials.entity
    found = client.ask(*(Query(object=name, fields=["RECORDNO"], page_size=1, show_private=show_private) for name in PROBED))
    session = client.session()
    return Ping(
        who=client.credentials.user,
        company=client.credentials.company,
        missing=tuple(dict.fromkeys(each.right for each in found if isinstance(each, PermissionMissing))),
        facts={"time_zone": f"GMT{session.facts[auth.OFFSET]}", "entity": client.credentials.entity},
        warnings=tuple(_warnings(session.facts[auth.OFFSET_FROM], dict(zip(PROBED, found, strict=True)))),
    )


def _warnings(offset_from: str, found: dict[str, object]) -> list[str]:
    warnings = []
    if offset_from == "default":
        warnings.append("Sage Intacct did not tell the user's time zone. We take it to be GMT.")
    warnings += [
        f"Sage Intacct does not list {name} by itself." for name, each in found.items() if isinstance(each, FunctionRefused)
    ]
    return warnings

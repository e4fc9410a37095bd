"""Is the connection good? One call for who we are, one for the account's daily limit, which not every user may see."""

from collections.abc import Mapping
from typing import Any, Final

from integrations.errors import ContractBroken, PermissionMissing, SetupBroken
from integrations.types import Login, Ping
from integrations.vendors.monday.calls import API_VERSION
from integrations.vendors.monday.client import MondayClient

CANNOT_WRITE: Final = frozenset({"viewer", "view_only"})


def ping(login: Login) -> Ping:
    """Who the token belongs to, with the account's plan and daily limit. Raises CredentialsRejected and PermissionMissing."""
    client = MondayClient(login)
    found = client.me()
    me = found.get("me")
    if not me:
        raise PermissionMissing(
            "Monday.com does not tell us who this token belongs to. Reconnect and re-authorise the connection.",
            right="me:read",
            vendor="monday",
        )
    account = me.get("account") or {}
    return Ping(
        who=str(me.get("name") or me.get("email") or me.get("id")),
        company=str(account.get("name") or ""),
        missing=_missing(me),
        facts=_facts(me, account, _daily_limit(client)),
        warnings=_warnings(found, account),
    )


def _daily_limit(client: MondayClient) -> int | None:
    try:
        return client.daily_limit()
    except (PermissionMissing, SetupBroken, ContractBroken):  # administrators only, in some accounts
        return None


def _facts(me: Mapping[str, Any], account: Mapping[str, Any], daily_limit: int | None) -> dict[str, str]:
    plan = account.get("plan") or {}
    known = {
        "user_id": me.get("id"),
        "user_kind": me.get("kind"),
        "account_id": account.get("id"),
        "account_slug": account.get("slug"),
        "plan": plan.get("tier") or account.get("tier"),
        "daily_limit": daily_limit,
    }
    return {name: str(value) for name, value in known.items() if value not in (None, "")}


def _missing(me: Mapping[str, Any]) -> tuple[str, ...]:
    kind = str(me.get("kind") or "").casefold().replace(" ", "_").replace("-", "_")
    return (f"write to boards (this user is a {kind})",) if kind in CANNOT_WRITE else ()


def _warnings(found: Mapping[str, Any], account: Mapping[str, Any]) -> tuple[str, ...]:
    warnings = []
    if account.get("is_trial_expired"):
        warnings.append("The trial of this Monday.com account is over; Monday.com may refuse calls.")
    version = found.get("version") or {}
    if version.get("value") not in (None, API_VERSION):
        warnings.append(f"Monday.com answers with API version {version['value']} instead of {API_VERSION}.")
    return tuple(warnings)

"""manage.py verify_audit: prove that the audit trail is as it was written."""

import json
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.audit import Verdict, verify
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Check one organisation's audit trail, or all of them and the platform's. Exits with an error when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", nargs="?", help="An organisation's short name or id, or `platform`; all when left out.")
        parser.add_argument(
            "--head", metavar="NUMBER:HASH", help="The end as it was logged earlier; shows an end that was cut off."
        )
        parser.add_argument("--json", action="store_true", help="One JSON document instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        head = _head(options["head"])
        if head and not options["tenant"]:
            raise CommandError("--head belongs to one chain: name the organisation, or `platform`.")
        found = [(name, verify(tenant, expected_head=head)) for name, tenant in _chains(options["tenant"])]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(name, verdict) for name, verdict in found], indent=2))
        else:
            for name, verdict in found:
                self.stdout.write(_sentence(name, verdict))
        if n_broken := sum(not verdict.ok for _name, verdict in found):
            raise CommandError(f"{n_broken} of {len(found)} audit trails are broken.")


def _chains(name: str | None) -> list[tuple[str, Tenant | None]]:
    if name == "platform":
        return [("platform", None)]
    if name is None:
        return [("platform", None), *((tenant.slug, tenant) for tenant in Tenant.objects.all())]
    tenant = Tenant.objects.filter(**_by(name)).first()
    if tenant is None:
        raise CommandError(f"There is no organisation {name!r}.")
    return [(tenant.slug, tenant)]


def _by(name: str) -> dict[str, Any]:
    try:
        return {"pk": uuid.UUID(name)}
    except ValueError:
        return {"slug": name}


def _head(text: str | None) -> tuple[int, str] | None:
    if not text:
        return None
    number, _, hash_ = text.partition(":")
    if not number.isdecimal() or len(hash_) != 64:
        raise CommandError("--head must be a number, a colon and the 64 digits of the hash, as they were logged.")
    return int(number), hash_


def _sentence(name: str, verdict: Verdict) -> str:
    if verdict.ok:
        return f"{name}: {verdict.count} events, unbroken; ends in {verdict.head or 'nothing yet'}."
    return f"{name}: BROKEN at event {verdict.wrong_at}. {verdict.why}"


def _as_json(name: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "tenant": name,
        "chain": str(verdict.chain),
        "ok": verdict.ok,
        "count": verdict.count,
        "head": verdict.head,
        "wrong_at": verdict.wrong_at,
        "why": verdict.why,
    }

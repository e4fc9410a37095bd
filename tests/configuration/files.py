"""A tenant's configuration as tests write it, and the two sandboxes that it leads to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from integrations.http import mounted
from integrations.models import Connection, Flow
from integrations.sandboxes import VENDORS, Sandbox
from tenants.models import Tenant
from tenants.scoping import acting_for
from tenants.secrets import Sealed

SECRETS = {
    "ACME_SENDER_PASSWORD": "sample-sender-pw",
    "ACME_USER_PASSWORD": "sample-user-pw",
    "ACME_MONDAY_TOKEN": "sample-monday-token",
}
COLUMNS = """
[flows.columns]
Name = "RECORDID"
Vendor = "VENDORNAME"
amount = "TRX_TOTALENTERED"
Due = "WHENDUE"
"PO number" = { field = "DOCNUMBER", transform = "upper" }
"GL account" = { field = "lines.ACCOUNTNO", values = "gl_accounts" }
Lines = { field = "lines.ENTRYDESCRIPTION", transform = { do = "list", separator = "; " } }
Contact = { transform = [{ do = "join", fields = ["VENDORID", "VENDORNAME"] }, { do = "cut", length = 60 }] }
"""
FILE = """
[tenant]
slug = "acme"
name = "Acme Services"
time_zone = "America/Chicago"

[[connections]]
name = "books"
vendor = "intacct"
world = "sample"
company_id = "SAMPLE"
sender_id = "sample_sender"
user_id = "xml_gateway"
sender_password = "env:ACME_SENDER_PASSWORD"
user_password = "env:ACME_USER_PASSWORD"

[[connections]]
name = "board"
vendor = "monday"
world = "sample"
token = "env:ACME_MONDAY_TOKEN"

[[flows]]
name = "bills"
kind = "intacct_monday.bills"
source = "books"
target = "board"
place = "AP bills"
schedule = "every 4 hours"
state = "active"
"""


class Refused(Exception):
    """A command ended with exit code ``code``; ``said`` is what it gave as the reason, ``out`` what it printed before."""

    def __init__(self, said: str, code: int, out: str) -> None:
        super().__init__(said)
        self.said, self.code, self.out = said, code, out


def run(*words: Any) -> str:
    """A command as the terminal would call it, and what it printed."""
    out = StringIO()
    try:
        call_command(*map(str, words), stdout=out)
    except CommandError as error:
        raise Refused(str(error), error.returncode, out.getvalue()) from error
    return out.getvalue()


def refusal(*words: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        run(*words)
    assert caught.value.code != 0
    return caught.value


def told(*words: Any) -> Any:
    """What a command answers with --json."""
    return json.loads(run(*words, "--json"))


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, of every tenant."""
    rows = {}
    for model in apps.get_models():
        if not model._meta.managed or model._meta.proxy or model._meta.db_table.startswith("django_"):
            continue
        manager = getattr(model, "unscoped", None) or model._base_manager
        rows[model._meta.label] = [
            {key: _comparable(value) for key, value in each.items()} for each in manager.order_by("pk").values()
        ]
    return rows


def _comparable(value: Any) -> Any:
    return value._token if isinstance(value, Sealed) else value


def without(rows: dict[str, list[dict[str, Any]]], *names: str) -> dict[str, list[dict[str, Any]]]:
    """The same rows without these columns: the moment of a look is no change."""
    return {label: [{key: each[key] for key in each if key not in names} for each in found] for label, found in rows.items()}


@dataclass
class Office:
    """A folder for configurations, and the sandboxes' worlds."""

    folder: Path
    sandbox: Sandbox

    def write(self, text: str, name: str = "acme.toml") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def apply(self, text: str = FILE + COLUMNS, *options: str) -> str:
        return run("apply", self.write(text), *options)

    def refused(self, text: str, *options: str) -> str:
        """Why a configuration is refused; that nothing at all was stored is seen to."""
        before = everything()
        said = refusal("apply", self.write(text), *options).said
        assert everything() == before
        assert said.startswith("Nothing was changed.\n")
        return said.removeprefix("Nothing was changed.\n")

    @property
    def tenant(self) -> Tenant:
        return Tenant.objects.get(slug="acme")

    @contextmanager
    def inside(self) -> Iterator[Tenant]:
        tenant = self.tenant
        with acting_for(tenant):
            yield tenant

    def flow(self, name: str = "bills") -> Flow:
        with self.inside():
            return Flow.objects.select_related("source", "target", "mapping").get(name=name)

    def connection(self, name: str) -> Connection:
        with self.inside():
            return Connection.objects.get(name=name)

    def vendor(self, key: str) -> Any:
        """A vendor's world for this tenant, with its faults, clock and calls."""
        return self.sandbox.mounted(key, str(self.tenant.id))

    @property
    def items(self) -> list[dict[str, Any]]:
        return list(self.vendor("monday").world.board_items("AP bills"))


@contextmanager
def open_office(folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Office]:
    settings.SANDBOX_URL = "http://sandbox.test"
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    office = Office(folder, Sandbox(VENDORS))
    with mounted(office.sandbox):
        yield office

"""Ask a vendor who we are."""

import time
from typing import Any

from integrations import connections
from integrations.management.base import TERMINAL, ConnectionCommand
from integrations.models import Connection


class Command(ConnectionCommand):
    help = "Make one cheap real call with CONNECTION: who we are there, at which company, which rights are missing, and how long it took."

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Connection, options["name"]) as connection:
            began = time.monotonic()
            found = connections.ping(connection, by=TERMINAL)
            took = round((time.monotonic() - began) * 1000)
            vendor = connections.vendor_of(connection).name
        answer = {
            "vendor": vendor,
            "who": found.who,
            "company": found.company,
            "missing": found.missing,
            "ms": took,
            "warnings": found.warnings,
        }
        words = f"{vendor} answered in {took} ms: signed in as {found.who} at {found.company}."
        words += "".join(f"\nMissing: {right}" for right in found.missing)
        words += "".join(f"\nNote: {warning}" for warning in found.warnings)
        self.tell(options, answer, words)

"""Make a tenant, its connections, flows and mappings be what a file says."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from integrations.configuration import looking, reading, storing
from integrations.configuration.wanted import BadConfiguration
from integrations.management.base import TERMINAL, VerbCommand
from tenants.scoping import acting_for


class Command(VerbCommand):
    help = "Make a tenant, its connections, flows and mappings be what FILE says, and print the difference. Doing it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a TOML file that describes one tenant")
        parser.add_argument("--dry-run", action="store_true", help="only print what would change; nothing is stored")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changes = self._apply(options["file"], dry_run=options["dry_run"])
        except BadConfiguration as error:
            raise CommandError("Nothing was changed.\n" + "\n".join(error.complaints)) from error
        words = "\n".join(f"{subject}: {said}" for subject, said in changes.lines) or "Everything is as the file says."
        if options["dry_run"] and changes.lines:
            words = "Would change:\n" + words
        words += "".join(f"\n{other}: not in this file; it stays as it is." for other in changes.others)
        answer = {"changes": changes.lines, "not_in_file": changes.others, "dry_run": options["dry_run"]}
        self.tell(options, answer, words)

    def _apply(self, path: Path, *, dry_run: bool) -> storing.Changes:
        wanted = reading.read(path)
        tenant = storing.tenant_of(wanted)
        with acting_for(tenant):
            stored = storing.connections_of(tenant, wanted)
            seen = looking.look(wanted, stored)
        return storing.store(tenant, wanted, seen, by=TERMINAL, dry_run=dry_run)

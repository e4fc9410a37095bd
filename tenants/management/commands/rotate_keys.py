"""manage.py rotate_keys: bring everything that is sealed under the newest of CREDENTIAL_KEYS."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.rotation import Progress, rotate, sealed_columns
from tenants.secrets import newest_key_id


class Command(BaseCommand):
    help = (
        "Put a new key in front of CREDENTIAL_KEYS, restart everything, then run this: it seals all stored credentials "
        "with the new key. It may be interrupted and started again. When nothing is left, the old keys may be removed from "
        "CREDENTIAL_KEYS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=200, help="Rows in one transaction (200).")
        parser.add_argument("--json", action="store_true", help="One JSON document instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        done = [self._rotate(model, column, options) for model, column in sealed_columns()]
        n_left = sum(progress.n_left for progress in done)
        if options["json"]:
            columns = [asdict(progress) for progress in done]
            self.stdout.write(json.dumps({"newest_key": newest_key_id(), "columns": columns, "left": n_left}, indent=2))
        if n_left:
            raise CommandError(f"{n_left} values are not under the newest key: keep the old keys, and run this again.")
        if not options["json"]:
            self.stdout.write(f"Nothing is left under an older key than {newest_key_id()}: the old keys may be removed.")

    def _rotate(self, model: Any, column: Any, options: dict[str, Any]) -> Progress:
        progress = Progress(column=f"{model._meta.label}.{column.name}")
        for progress in rotate(model, column, batch=options["batch"]):
            if not options["json"]:
                self.stdout.write(f"{progress.column}: {progress.n_moved} moved, {progress.n_left} left")
        for problem in progress.problems if not options["json"] else []:
            self.stderr.write(f"{progress.column} {problem}")
        return progress

"""Values that nobody mapped yet: list them, and map them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from integrations.management.base import TERMINAL, FlowCommand
from integrations.models import Flow
from integrations.sync import review


class Command(FlowCommand):
    help = "List the values that FLOW met and no list knows, with how many records wait for each; or map them, and rewrite exactly those."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--map", metavar="VALUE=LABEL", action="append", default=[], help="what the board shall show for VALUE"
        )
        parser.add_argument("--values", metavar="NAME", help="the value mapping that --map belongs to, such as gl_accounts")

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            n_records = self._map(flow, options["values"], options["map"]) if options["map"] else 0
            waiting = [review.describe(item) for item in review.open_items(flow)]
        words = [f"{n_records} records are mapped again with the next run."] if options["map"] else []
        words += [f"{each['values']}: {each['value']} ({each['records']} records). {each['said']}" for each in waiting]
        self.tell(options, {"mapped": n_records, "waiting": waiting}, "\n".join(words) or "Nothing waits for a review.")

    def _map(self, flow: Flow, values: str | None, pairs: list[str]) -> int:
        if not values:
            raise CommandError("Say with --values which value mapping this belongs to, such as gl_accounts.")
        mapped = dict(pair.partition("=")[::2] for pair in pairs)
        if not all(mapped.values()):
            raise CommandError("Write --map as VALUE=LABEL.")
        return review.resolve(flow, values, mapped, by=TERMINAL)

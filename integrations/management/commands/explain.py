"""Say where the value of one cell comes from."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from integrations.management.base import FlowCommand
from integrations.models import Flow
from integrations.sync import explained
from integrations.sync.explain import CannotExplain, explain


class Command(FlowCommand):
    help = "Say why a cell is what it is: the source's value, every step, the run that wrote it, and what stands there now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--record", metavar="ID", required=True, help="the record, by its id at the source")
        parser.add_argument("--column", metavar="NAME", required=True, help="the column, by title or id")
        parser.add_argument("--offline", action="store_true", help="do not look at the board; nothing is called")

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            try:
                cell = explain(flow, external_id=options["record"], column=options["column"], offline=options["offline"])
            except CannotExplain as error:
                raise CommandError(str(error)) from error
            self.tell(options, explained.described(cell), "\n".join(explained.sentences(cell)))

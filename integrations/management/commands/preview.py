"""Show what a run would write, item by item and column by column."""

from argparse import ArgumentParser
from typing import Any

from integrations.management.base import FlowCommand, at_least_one
from integrations.models import Flow
from integrations.sync import verbs
from integrations.sync.plan import Planned, Step
from mappings.fields import Value, dump_values
from mappings.sets import rules_of

_WORDS = {
    Step.CREATE: "would be made",
    Step.UPDATE: "would be changed",
    Step.UNCHANGED: "stays as it is",
    Step.RESTAMP: "stays as it is",
    Step.HELD: "was refused and waits to be mended",
    Step.LEFT: "was removed by people and is left alone",
}


class Command(FlowCommand):
    help = "Show what a run of FLOW would do with its newest records. Nothing is written, here or there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("-n", metavar="COUNT", type=at_least_one, default=10, help="how many records (default 10)")

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            planned = verbs.preview(flow, n=options["n"])
            titles = {rule.column: rule.name for rule in rules_of(flow.mapping)}
        answer = [
            {
                "record": each.record.external_id,
                "label": each.record.label,
                "step": each.step,
                "values": dump_values(each.mapped.values),
                "flags": each.flags,
            }
            for each in planned
        ]
        self.tell(options, answer, "\n\n".join(self._words(each, titles) for each in planned) or "The source has no records.")

    def _words(self, planned: Planned, titles: dict[str, str]) -> str:
        lines = [f"{planned.record.label} {_WORDS[planned.step]}"]
        lines += [f"  {titles.get(column, column)}: {_shown(value)}" for column, value in planned.mapped.values.items()]
        lines += [f"  ! {problem.said}" for problem in planned.mapped.problems]
        return "\n".join(lines)


def _shown(value: Value) -> str:
    """On one line, however many it has."""
    return "" if value is None else " / ".join(str(value).splitlines())

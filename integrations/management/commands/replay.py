"""Carry failed records again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from integrations.management.base import TERMINAL, FlowCommand
from integrations.models import Flow, RecordOutcome
from integrations.models.run import What
from integrations.sync import verbs


class Command(FlowCommand):
    help = "Carry FLOW's failed records again, as they are now at the source; or one record, failed or not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--record", metavar="ID", action="append", help="this record of the source (may be given several times)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            self.refuse_inactive(flow)
            n_asked = verbs.replay(flow, by=TERMINAL, external_ids=options["record"])
            run = self.carry(flow) if n_asked else None
            still = RecordOutcome.objects.filter(flow=flow, is_open=True).order_by("label", "external_id")
            missing = RecordOutcome.objects.filter(run=run, what=What.MISSING).order_by("external_id") if run else ()
            answer = {
                "replayed": n_asked,
                "failed": [_told(each) for each in still],
                "missing": [_told(each) for each in missing],
            }
        words = f"Replayed {n_asked}; {len(still)} failed." if n_asked else "No record is waiting to be replayed."
        words += "".join(f"\n{each.label or each.external_id}: {each.said}" for each in [*still, *missing])
        self.tell(options, answer, words)
        self.refuse_unfinished(flow, run)
        if still or (missing and options["record"]):
            raise CommandError(f"{len(still)} failed, {len(missing)} not found.")


def _told(outcome: RecordOutcome) -> dict[str, str]:
    return {"record": outcome.external_id, "label": outcome.label, "said": outcome.said}

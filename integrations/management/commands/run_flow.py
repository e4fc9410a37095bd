"""Run a flow now, in this process, as a worker would."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from integrations.management.base import TERMINAL, FlowCommand
from integrations.models import Flow
from integrations.models.flow import FlowState
from integrations.sync import report, verbs


class Command(FlowCommand):
    help = "Carry FLOW across now. Exits non-zero when it did not get through, or when a record failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--full", action="store_true", help="read everything again, not only what has changed since the last run"
        )
        parser.add_argument(
            "--overwrite", action="store_true", help="also write everything again, over whatever people changed there"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            self.refuse_inactive(flow)
            verbs.run_now(flow, by=TERMINAL, full=options["full"], overwrite=options["overwrite"])
            run = self.carry(flow)
            if run:
                self.tell(options, report.of_run(run), report.in_words(run))
            elif flow.state == FlowState.ACTIVE and not flow.waiting_until:
                self.tell(options, {"state": "done", "changed": 0}, "Nothing has changed since the last look.")
            else:
                self.tell(options, {"state": flow.state, "said": flow.state_said or flow.waiting_said}, "Nothing was carried.")
        self.refuse_unfinished(flow, run)
        if run and run.n_failed:
            raise CommandError(f"{run.n_failed} failed. See why with: replay {options['name']}")

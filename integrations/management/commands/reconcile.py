"""Does the board say what the books say?"""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError
from django.utils import timezone

from integrations.errors import RateLimited
from integrations.management.base import TERMINAL, FlowCommand
from integrations.models import Flow, Reconciliation
from integrations.sync.reconcile import reconcile, words


class Command(FlowCommand):
    help = "Compare FLOW's board with the books, to the cent, and name every record that differs. Exits non-zero when they do not agree."

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            made = self._made(flow)
            self.tell(options, words.as_json(made), words.in_words(made))
        if not made.agrees:
            raise CommandError("They do not agree.")

    def _made(self, flow: Flow) -> Reconciliation:
        try:
            return reconcile(flow, by=TERMINAL)
        except RateLimited as error:
            at = timezone.now() + max(error.retry_after, timedelta(seconds=1))
            local = at.astimezone(ZoneInfo(flow.tenant.time_zone))
            raise CommandError(
                f"{error.said.rstrip('.')}. The comparison goes on when you ask again, at {at:%Y-%m-%d %H:%M:%S} UTC"
                f" ({local:%H:%M} {flow.tenant.time_zone}). Nothing was kept of it."
            ) from error

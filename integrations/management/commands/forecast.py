"""What a full load would cost, and when it would end."""

from typing import Any

from integrations.management.base import FlowCommand
from integrations.models import Flow
from integrations.sync import forecast


class Command(FlowCommand):
    help = (
        "Say what a full load of FLOW would make and change, what it costs at both vendors, and when it ends. Nothing is written."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            found = forecast.forecast(flow)
        self.tell(options, forecast.as_json(found), forecast.in_words(found))

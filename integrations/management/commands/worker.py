"""Run one of the two clusters of workers."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.sync.bell import BULK, PEOPLE
from integrations.tasks import keep_ticking


class Command(BaseCommand):
    help = "Run the workers of one queue: “people” (clicks, webhooks, the minute's tick) or “bulk” (everything that can wait its turn)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queue", metavar="QUEUE", choices=[PEOPLE, BULK], help=f"{PEOPLE} or {BULK}")

    def handle(self, *args: Any, **options: Any) -> None:
        keep_ticking()
        # A cluster takes its name from the environment of its whole process: set any later, it silently serves the default queue.
        command = [sys.executable, sys.argv[0], "qcluster"]
        os.execve(sys.executable, command, {**os.environ, "Q_CLUSTER_NAME": options["queue"]})  # noqa: S606 - our own command

"""Serve the sandboxes."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.sandboxes import VENDORS
from integrations.sandboxes.server import serve


class Command(BaseCommand):
    help = "Serve one vendor's sandbox, or all of them in one process. For trying out; it answers whoever reaches its port."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "vendor", metavar="VENDOR", nargs="?", choices=sorted(VENDORS), help=f"one of {', '.join(sorted(VENDORS))}"
        )
        parser.add_argument("--port", type=int, default=9000, help="default 9000; 0 takes a free one, which is printed")
        parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1: this machine alone")

    def handle(self, *args: Any, **options: Any) -> None:
        vendors = {options["vendor"]: VENDORS[options["vendor"]]} if options["vendor"] else VENDORS
        try:
            server = serve(vendors, host=options["host"], port=options["port"])
        except (OSError, OverflowError) as error:
            raise CommandError(f"{options['host']}:{options['port']} cannot be served: {error}.") from error
        self.stdout.write(f"http://{options['host']}:{server.server_port} serves {', '.join(sorted(vendors))}. Stop with Ctrl-C.")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

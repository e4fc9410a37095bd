"""Watch bills leave a sandboxed Sage Intacct and arrive on a sandboxed Monday.com board."""

import signal
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from integrations.demo import folders, story
from integrations.demo.processes import Processes, free_port
from integrations.models import Flow, Run
from integrations.models.run import RunState
from tenants.models import Tenant
from tenants.scoping import acting_for

CONFIGURATION = Path(__file__).resolve().parents[2] / "demo" / "harbor.toml"
SECRETS = {
    "DEMO_SENDER_PASSWORD": "sample-sender-pw",
    "DEMO_USER_PASSWORD": "sample-user-pw",
    "DEMO_MONDAY_TOKEN": "sample-monday-token",
}


class Command(BaseCommand):
    help = "Set up an organisation against the sandboxes, carry its bills through the real queue, report, and keep serving."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="exit after the report; non-zero when anything failed or the sums differ"
        )
        parser.add_argument("--bills", type=int, default=600, help="how many bills there are (default 600)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.console = Console()
        port = free_port()
        self.sandbox_url, self.web_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
        environment = {"SANDBOX_URL": self.sandbox_url, "PUBLIC_URL": self.web_url, "LOG_LEVEL": "WARNING", **SECRETS}
        self.processes = Processes(settings.VAR_DIR, environment)
        folders.sweep(settings.VAR_DIR)
        before = signal.signal(signal.SIGTERM, _as_ctrl_c)
        agrees, stopped = None, False
        try:
            self._start(port)
            agrees = self._tell(options["bills"])
            if not options["once"]:
                self._serve()
        except KeyboardInterrupt:
            stopped = True
            self.console.print("\nStopped.")
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the farewell is not to be cut short
            self.processes.stop()
            self._tidy(keep=agrees is False or (agrees is None and not stopped))
            signal.signal(signal.SIGTERM, before)
        if not agrees and not stopped:
            raise CommandError("The two sides do not agree, or a bill failed.")

    # -- The set-up ---------------------------------------------------------------------------------------------------------------

    def _start(self, port: int) -> None:
        say = self.console.print
        say("[bold]ml-connector demo[/]: Sage Intacct → Monday.com, both sandboxed, everything between them for real.\n")
        self.processes.run("migrate", "--verbosity", "0")
        self.processes.manage("sandboxes", "sandbox", "--port", str(port))
        self.processes.wait_for("sandboxes", f"{self.sandbox_url}/_sandbox/monday/state")
        host = self.web_url.removeprefix("http://")
        self.processes.start("web", [sys.executable, "-m", "gunicorn", "mlconnector.wsgi", "--bind", host, "--threads", "4"])
        self.processes.wait_for("web", f"{self.web_url}/health/live")
        self.workers = {queue: self.processes.manage(f"workers-{queue}", "worker", queue) for queue in ("people", "bulk")}
        say(self.processes.run("apply", str(CONFIGURATION)))
        for connection in ("harbor/books", "harbor/board"):
            say(self.processes.run("ping", connection))

    # -- The story ------------------------------------------------------------------------------------------------------------------

    def _tell(self, n_bills: int) -> bool:
        tenant = Tenant.objects.get(slug="harbor")
        door = story.SandboxDoor(self.sandbox_url, str(tenant.id))
        there = story.books(door).count
        door.ask("intacct", "seed", {"bills": max(0, n_bills - there)})
        with acting_for(tenant):
            flow = Flow.objects.get(name="bills")
        self.console.print(
            f"\nWorkers: {', '.join(f'{queue} {pid}' for queue, pid in self.workers.items())}. Kill one and watch."
        )
        first = self._carry("First load", tenant, flow, n_bills)
        second = self._carry("Nothing changed", tenant, flow, n_bills)
        return self._report(
            [("First load", first), ("Nothing changed", second)], story.books(door), story.board(door, flow), door
        )

    def _carry(self, title: str, tenant: Tenant, flow: Flow, total: int) -> dict[str, Any]:
        columns = (TextColumn("{task.description:16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        began = time.monotonic()
        with Progress(*columns, console=self.console) as progress:
            bar = progress.add_task(title, total=total)

            def watch(run: Run | None) -> None:
                for name in self.processes.revive():
                    progress.console.print(
                        f"{name} died and was started again; a flow it held goes on when its lease has run out."
                    )
                waits = run is not None and run.state == RunState.WAITING
                progress.update(
                    bar, completed=run.n_created if run else 0, description=f"Waiting: {run.said}" if run and waits else title
                )

            told = story.carry(tenant, flow, watch=watch)
            progress.update(bar, completed=total)
        return {**told, "seconds": time.monotonic() - began}

    def _report(
        self, runs: list[tuple[str, dict[str, Any]]], books: story.Side, board: story.Side, door: story.SandboxDoor
    ) -> bool:
        table = Table(
            "Run", "Read", "Created", "Updated", "Unchanged", "Failed", "Seconds", title="What happened", title_justify="left"
        )
        for title, told in runs:
            counts = [f"{told[name]:,}" for name in ("read", "created", "updated", "unchanged", "failed")]
            table.add_row(title, *counts, f"{told['seconds']:.1f}")
        self.console.print("\n", table)
        calls = {vendor: len(door.ask(vendor, "calls")) for vendor in ("intacct", "monday")}
        self.console.print(
            f"Calls: {calls['intacct']} to Sage Intacct, {calls['monday']} to Monday.com, pings and set-up included."
        )
        sides = Table("", "Books", "Board", "Difference", title="Both sides, to the cent", title_justify="left")
        sides.add_row("Bills", f"{books.count:,}", f"{board.count:,}", f"{board.count - books.count:,}")
        for currency in sorted(books.sums.keys() | board.sums.keys()):
            ours, theirs = books.sums.get(currency, 0), board.sums.get(currency, 0)
            sides.add_row(currency, f"{ours:,}", f"{theirs:,}", f"{theirs - ours:,}")
        self.console.print("\n", sides)
        sound = all(told["state"] == "done" and not told["failed"] for _, told in runs) and runs[0][1]["created"] > 0
        for _, told in runs:
            if told["said"]:
                self.console.print(told["said"])
        return sound and books == board

    # -- Afterwards -------------------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        variables = f"VAR_DIR={settings.VAR_DIR} SANDBOX_URL={self.sandbox_url}"
        self.console.print("\nStill serving. Where to look:")
        self.console.print(f"  {self.web_url}/health/ready                     is everything well", soft_wrap=True)
        self.console.print(f"  {self.sandbox_url}/_sandbox/monday/state         the sandbox's control door", soft_wrap=True)
        self.console.print(f"  {variables} {sys.executable} manage.py preview harbor/bills", soft_wrap=True)
        self.console.print(f"  {settings.VAR_DIR}/*.log                         what each process says", soft_wrap=True)
        self.console.print("Ctrl-C stops everything.")
        while True:
            for name in self.processes.revive():
                self.console.print(f"{name} died and was started again.")
            time.sleep(1)

    def _tidy(self, *, keep: bool) -> None:
        """The demo's folder was made for this one start; after a failure its logs tell why."""
        if keep:
            self.console.print(f"The logs are kept: {settings.VAR_DIR}/*.log", soft_wrap=True)
        else:
            folders.remove(settings.VAR_DIR)


def _as_ctrl_c(*_: Any) -> None:
    """Being told to end is the same as Ctrl-C: without this the children would outlive us."""
    raise KeyboardInterrupt

"""What the terminal's verbs have in common: naming things ``tenant/name``, ``--json``, and an exit code that tells the truth."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.configuration.looking import said_at_once
from integrations.errors import IntegrationError
from integrations.models import Connection, Flow, Run
from integrations.models.flow import FlowState
from integrations.models.run import OPEN_STATES, RunState
from integrations.registry import VENDORS
from integrations.sync import verbs
from tenants.audit import Actor
from tenants.models import Tenant
from tenants.scoping import acting_for
from tenants.secrets import SealBroken

TERMINAL = Actor(kind="staff", id="terminal")


def tenant_named(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(f"There is no tenant ‘{slug}’. There are: {_listed(Tenant.objects.values_list('slug', flat=True))}.")
    return tenant


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"


def at_least_one(text: str) -> int:
    """An argument that counts something."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"‘{text}’ is not a whole number from 1 on")
    return int(text)


class VerbCommand(BaseCommand):
    """A command that finds a row inside its tenant, calls one verb, and answers in words or JSON."""

    names = ""  # "FLOW" or "CONNECTION": the positional argument, written tenant/name
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        if self.names:
            parser.add_argument("name", metavar=self.names, help=f"the {self.names.lower()}, named tenant/name")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def tell(self, options: dict[str, Any], answer: Any, words: str) -> None:
        """Print the answer, in the form that was asked for."""
        self.stdout.write(json.dumps(answer, indent=2, default=str) if options["json"] else words)

    @contextmanager
    def found(self, model: type[Any], name: str) -> Iterator[Any]:
        """The row named ``tenant/name``, with the tenant current. Outside systems' refusals become one sentence and exit code 1."""
        slug, slash, own = name.partition("/")
        what = model.__name__.lower()
        with acting_for(tenant_named(slug)):
            row = model.objects.filter(name=own).first()
            if row is None:
                known = _listed(model.objects.order_by("name").values_list("name", flat=True))
                why = f"‘{slug}’ has no {what} ‘{own}’" if slash else f"Name a {what} as tenant/name"
                raise CommandError(f"{why}. {slug} has: {known}.")
            try:
                yield row
            except IntegrationError as error:
                vendor = VENDORS[error.vendor].name if error.vendor in VENDORS else "The other side"
                raise CommandError(said_at_once(error, vendor)) from error
            except SealBroken as error:
                raise CommandError(str(error)) from error


class FlowCommand(VerbCommand):
    names = "FLOW"
    model = Flow

    def refuse_inactive(self, flow: Flow) -> None:
        if flow.state == FlowState.PAUSED:
            raise CommandError(f"The flow is paused. {flow.state_said or 'Make it active first.'}")
        if flow.state == FlowState.NEEDS_ATTENTION:
            raise CommandError(f"The flow needs attention. {flow.state_said}")

    def carry(self, flow: Flow) -> Run | None:
        """Carry a flow in this process, and the run that was made or finished by it; None when there was nothing to do.

        Afterwards ``flow`` is as it is stored: it may be waiting, or stopped.
        """
        newest = Run.objects.filter(flow=flow).order_by("-began_at").first()
        if not verbs.serve_here(flow, by=TERMINAL):
            raise CommandError(
                "A worker is carrying this flow at this moment. It takes up what you asked for when it is through."
            )
        flow.refresh_from_db()
        run = Run.objects.filter(flow=flow).order_by("-began_at").first()
        was_over = newest is not None and newest.state not in OPEN_STATES
        return None if run and newest and run.id == newest.id and was_over else run

    def refuse_unfinished(self, flow: Flow, run: Run | None) -> None:
        """Exit code 1 when it did not get through: it waits, it stopped, it failed."""
        if flow.state != FlowState.ACTIVE:
            raise CommandError(flow.state_said)
        if flow.waiting_until:
            raise CommandError(f"{flow.waiting_said} Not before {flow.waiting_until:%Y-%m-%d %H:%M:%S} UTC.")
        if run and run.state != RunState.DONE:
            raise CommandError(run.said or "The run did not get through.")


class ConnectionCommand(VerbCommand):
    names = "CONNECTION"
    model = Connection

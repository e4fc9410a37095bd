"""Write a tenant's configuration as a file that ``apply`` reads, without secrets."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.configuration.exporting import export
from integrations.management.base import tenant_named
from tenants.scoping import acting_for
from tenants.secrets import SealBroken


class Command(BaseCommand):
    help = "Print TENANT's connections, flows and mappings as TOML. Secrets are named by the environment variables that should hold them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", metavar="TENANT", help="the tenant's short name")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        try:
            with acting_for(tenant):
                self.stdout.write(export(tenant), ending="")
        except SealBroken as error:
            raise CommandError(str(error)) from error

"""manage.py prepare_database: give the application's and the staff's role their rights, after each migrate --database owner."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections, transaction

from tenants.roles import RoleRefused, grant_application, grant_staff


class Command(BaseCommand):
    help = (
        "Grant the roles of DATABASE_URL and DATABASE_STAFF_URL their rights, as the role of DATABASE_OWNER_URL. "
        "Run it after every `migrate --database owner`; running it again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if connections["default"].vendor != "postgresql":
            self.stdout.write("SQLite has no roles: nothing to prepare.")
            return
        if "owner" not in settings.DATABASES:
            raise CommandError("DATABASE_OWNER_URL must name the role that owns the tables; DATABASE_URL must name another role.")
        owner = connections["owner"]
        try:
            with transaction.atomic(using="owner"):
                grant_application(owner, role := settings.DATABASES["default"]["USER"])
                self.stdout.write(f"{role} may read and write rows, within row-level security.")
                if "staff" in settings.DATABASES:
                    grant_staff(owner, role := settings.DATABASES["staff"]["USER"])
                    self.stdout.write(f"{role} may read and write rows of every organisation.")
        except RoleRefused as error:
            raise CommandError(str(error)) from error

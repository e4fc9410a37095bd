from django.db import migrations

from tenants.guards import AppendOnly
from tenants.rls import ChainSecurity, RowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_create_organisations_people_and_trail")]

    operations = [
        RowLevelSecurity("tenants_auditname"),
        ChainSecurity("tenants_auditevent"),
        AppendOnly("tenants_auditevent"),
    ]

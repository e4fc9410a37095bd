import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tenants.current
from tenants.rls import RowLevelSecurity


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0001_create_organisations_people_and_trail"),
    ]

    operations = [
        migrations.CreateModel(
            name="MappingSet",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("line", models.UUIDField(default=uuid.uuid4)),
                ("version", models.PositiveIntegerField(default=1)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("made_by", models.CharField(blank=True, max_length=64)),
                ("note", models.CharField(blank=True, max_length=500)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, default=tenants.current.tenant_or_none,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["line", "version"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="FieldMapping",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("position", models.PositiveIntegerField()),
                ("column_id", models.CharField(max_length=200)),
                ("column_title", models.CharField(blank=True, max_length=500)),
                ("column_kind", models.CharField(blank=True, max_length=100)),
                ("field", models.CharField(blank=True, max_length=200)),
                ("steps", models.JSONField(blank=True, default=list)),
                ("values", models.CharField(blank=True, max_length=100)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, default=tenants.current.tenant_or_none,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
                (
                    "mapping_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rules", to="mappings.mappingset"
                    ),
                ),
            ],
            options={
                "ordering": ["mapping_set", "position"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ValueMapping",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("source", models.CharField(max_length=500)),
                ("target", models.CharField(blank=True, max_length=500)),
                ("version", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("made_by", models.CharField(blank=True, max_length=64)),
                ("superseded_in", models.PositiveIntegerField(blank=True, null=True)),
                ("superseded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, default=tenants.current.tenant_or_none,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "source", "version"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ValueMappingChange",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("version", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("made_by", models.CharField(blank=True, max_length=64)),
                ("n_entries", models.PositiveIntegerField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, default=tenants.current.tenant_or_none,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "version"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="BoardSchema",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("connection_id", models.UUIDField()),
                ("place", models.CharField(max_length=200)),
                ("title", models.CharField(blank=True, max_length=500)),
                ("columns", models.JSONField(blank=True, default=list)),
                ("digest", models.CharField(max_length=64)),
                ("seen_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, default=tenants.current.tenant_or_none,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "connection_id", "place"), name="one_schema_per_place")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="mappingset",
            constraint=models.UniqueConstraint(fields=("tenant", "line", "version"), name="one_mapping_per_version"),
        ),
        migrations.AddConstraint(
            model_name="fieldmapping",
            constraint=models.UniqueConstraint(fields=("mapping_set", "column_id"), name="one_rule_per_column"),
        ),
        migrations.AddConstraint(
            model_name="valuemapping",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_in", None)), fields=("tenant", "name", "source"), name="one_value_that_holds"
            ),
        ),
        migrations.AddConstraint(
            model_name="valuemapping",
            constraint=models.UniqueConstraint(fields=("tenant", "name", "source", "version"), name="one_value_per_version"),
        ),
        migrations.AddConstraint(
            model_name="valuemappingchange",
            constraint=models.UniqueConstraint(fields=("tenant", "name", "version"), name="one_change_per_version"),
        ),
        RowLevelSecurity("mappings_boardschema"),
        RowLevelSecurity("mappings_mappingset"),
        RowLevelSecurity("mappings_fieldmapping"),
        RowLevelSecurity("mappings_valuemappingchange"),
        RowLevelSecurity("mappings_valuemapping"),
    ]

from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from mappings.apply import Rule
from mappings.fields import Column, FieldType
from mappings.models import BoardSchema, FieldMapping, MappingSet, ValueMapping, ValueMappingChange
from mappings.schemas import remember_schema, remembered_schema
from mappings.sets import new_version
from mappings.value_mappings import set_values
from tenants.audit import SYSTEM
from tenants.scoping import acting_for

COLUMNS = (
    Column(id="status", title="Status", kind="status", accepts=frozenset({FieldType.CHOICE}), settings={"labels": {"0": "Done"}}),
    Column(id="formula", title="Formula", kind="formula"),
)


def test_columns_are_read_back_as_they_were_seen(anna_org: Any) -> None:
    with acting_for(anna_org):
        remember_schema(uuid4(), "18", "AP bills", COLUMNS, "d1")
        assert BoardSchema.objects.get().as_columns() == COLUMNS


def test_a_place_is_remembered_once_as_it_is_now(anna_org: Any) -> None:
    where = uuid4()
    with acting_for(anna_org):
        first = remember_schema(where, "18", "AP bills", COLUMNS, "d1")
        remember_schema(where, "19", "Vendors", COLUMNS, "d1")
        again = remember_schema(where, "18", "AP 2026", COLUMNS[:1], "d2")
        assert again.pk == first.pk and again.seen_at > first.seen_at
        kept = remembered_schema(where, "18")
        assert kept and (kept.title, kept.digest, kept.as_columns()) == ("AP 2026", "d2", COLUMNS[:1])


def test_another_organisation_does_not_see_it_even_under_the_same_ids(anna_org: Any, carla_org: Any) -> None:
    where = uuid4()
    with acting_for(anna_org):
        remember_schema(where, "18", "AP bills", COLUMNS, "d1")
    with acting_for(carla_org):
        assert remembered_schema(where, "18") is None
        remember_schema(where, "18", "Other", COLUMNS, "d2")
    with acting_for(anna_org):
        kept = remembered_schema(where, "18")
        assert kept and kept.title == "AP bills"


@pytest.mark.database
def test_the_database_hides_all_tables_from_another_organisation_even_without_our_managers(anna_org: Any, carla_org: Any) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Row-level security is PostgreSQL's.")
    tables = (BoardSchema, MappingSet, FieldMapping, ValueMapping, ValueMappingChange)
    with acting_for(anna_org):
        remember_schema(uuid4(), "18", "AP bills", COLUMNS, "d1")
        new_version(None, [Rule(column="c", field="F")], by=SYSTEM)
        set_values("gl_accounts", {"1": "One"}, by=SYSTEM)
        assert [each.unscoped.count() for each in tables] == [1] * 5
    with acting_for(carla_org):
        assert [each.unscoped.count() for each in tables] == [0] * 5


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", "mappings", check=True, dry_run=True, verbosity=0, skip_checks=True)

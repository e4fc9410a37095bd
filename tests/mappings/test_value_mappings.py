from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from mappings.apply import Rule
from mappings.models import ValueMapping, ValueMappingChange
from mappings.value_mappings import lookups_for, names, set_values, values_at, version_of
from tenants.audit import Actor
from tenants.models import AuditEvent
from tenants.scoping import NoTenant, acting_for
from tests.mappings.threads import at_once

ANNA = Actor(kind="user", id="anna")
GL = Rule(column="gl", field="lines.ACCOUNTNO", values="gl_accounts")


@pytest.fixture
def tenant(anna_org: Any) -> Any:
    with acting_for(anna_org):
        yield anna_org


def test_codes_are_kept_byte_for_byte(tenant: Any) -> None:
    codes = {"0042": "A", "42": "B", "4000-01-00": "C", " 42": "D", "abc": "E", "ABC": "F", "e\u0301": "G", "\xe9": "H"}
    set_values("gl_accounts", codes, by=ANNA)
    assert lookups_for([GL]) == {"gl_accounts": codes}


def test_what_is_not_named_stays_unless_all_are_replaced(tenant: Any) -> None:
    set_values("gl_accounts", {"1": "One", "2": "Two"}, by=ANNA)
    set_values("gl_accounts", {"2": "Deux", "3": "Three"}, by=ANNA)
    assert lookups_for([GL])["gl_accounts"] == {"1": "One", "2": "Deux", "3": "Three"}
    set_values("gl_accounts", {"3": "Three"}, by=ANNA, replace=True)
    assert lookups_for([GL])["gl_accounts"] == {"3": "Three"}


def test_every_version_can_be_told_later(tenant: Any) -> None:
    assert version_of("gl_accounts") == 0
    versions: list[dict[str, str]] = [{"1": "One"}, {"1": "Uno", "2": "Two"}, {"2": "Two"}, {"1": "Uno", "2": "Two"}]
    for number, entries in enumerate(versions, start=1):
        assert set_values("gl_accounts", entries, by=ANNA, replace=True) == number
    assert [values_at("gl_accounts", number) for number in range(5)] == [{}, *versions]


def test_setting_what_holds_already_makes_no_version_and_no_event(tenant: Any) -> None:
    set_values("gl_accounts", {"1": "One"}, by=ANNA)
    assert set_values("gl_accounts", {"1": "One"}, by=ANNA, replace=True) == 1
    assert set_values("empty", {}, by=ANNA) == 0
    assert AuditEvent.objects.filter(action="values.changed").count() == 1


def test_the_trail_tells_how_much_changed(tenant: Any) -> None:
    set_values("gl_accounts", {"1": "One", "2": "Two"}, by=ANNA)
    set_values("gl_accounts", {"1": "Uno"}, by=ANNA, replace=True)
    event = AuditEvent.objects.latest("number")
    assert (event.action, event.actor_id) == ("values.changed", "anna")
    assert event.details == {"name": "gl_accounts", "version": 2, "n_set": 1, "n_removed": 1}


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_of_several_changes_at_the_same_moment_all_hold(anna_org: Any) -> None:
    def change(number: int) -> int:
        with acting_for(anna_org):
            return set_values("gl_accounts", {str(number): f"Account {number}"}, by=ANNA)

    assert sorted(at_once(change, range(4))) == [1, 2, 3, 4]
    with acting_for(anna_org):
        assert lookups_for([GL])["gl_accounts"] == {str(number): f"Account {number}" for number in range(4)}


def test_the_database_itself_knows_one_target_per_value(tenant: Any) -> None:
    set_values("gl_accounts", {"1": "One"}, by=ANNA)
    with pytest.raises(IntegrityError), transaction.atomic():
        ValueMapping(name="gl_accounts", source="1", target="Uno", version=2).save()


@pytest.mark.parametrize("entries", [{"x" * 501: "a"}, {"x": "a" * 501}, {"": "a"}])
def test_entries_that_cannot_be_kept_are_refused_whole(tenant: Any, entries: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        set_values("gl_accounts", {"1": "One", **entries}, by=ANNA)
    assert not ValueMapping.objects.exists() and not ValueMappingChange.objects.exists()


def test_all_look_ups_of_a_mapping_come_in_one_query(tenant: Any, django_assert_num_queries: Any) -> None:
    set_values("gl_accounts", {"1": "One"}, by=ANNA)
    set_values("labels", {"Paid": "Done"}, by=ANNA)
    set_values("unused", {"x": "y"}, by=ANNA)
    by_step = Rule(column="s", field="STATE", steps=({"do": "look_up", "values": "labels"}, {"do": "upper"}))
    broken = Rule(column="b", field="F", steps=({"do": "vanish"},), values="unused")
    with django_assert_num_queries(1):
        found = lookups_for([GL, by_step, Rule(column="x", field="F", values="not made yet"), broken])
    assert found == {"gl_accounts": {"1": "One"}, "labels": {"Paid": "Done"}, "not made yet": {}}
    with django_assert_num_queries(0):
        assert lookups_for([Rule(column="c", field="F")]) == {}


def test_thousands_of_entries_take_few_queries(tenant: Any, django_assert_max_num_queries: Any) -> None:
    accounts = {f"{number:05}": f"Account {number}" for number in range(2000)}
    with django_assert_max_num_queries(40):
        set_values("gl_accounts", accounts, by=ANNA)
    with django_assert_max_num_queries(50):
        set_values("gl_accounts", {code: f"{label}!" for code, label in accounts.items()}, by=ANNA)
    assert values_at("gl_accounts", 1) == accounts


def test_another_organisation_has_its_own_values(anna_org: Any, carla_org: Any) -> None:
    with acting_for(anna_org):
        set_values("gl_accounts", {"1": "One"}, by=ANNA)
    with acting_for(carla_org):
        assert lookups_for([GL]) == {"gl_accounts": {}}
        assert names() == frozenset() and version_of("gl_accounts") == 0
        set_values("gl_accounts", {"1": "Eins"}, by=ANNA)
    with acting_for(anna_org):
        assert values_at("gl_accounts", 1) == {"1": "One"}
        assert names() == {"gl_accounts"}
    with pytest.raises(NoTenant):
        lookups_for([GL])

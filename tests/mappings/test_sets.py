from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from mappings.apply import Rule
from mappings.difference import described
from mappings.models import FieldMapping, MappingSet
from mappings.parameters import BadStep
from mappings.sets import MappingRefused, Outdated, difference, latest, new_version, restore, rules_of
from tenants.audit import SYSTEM, Actor
from tenants.models import AuditEvent
from tenants.scoping import NoTenant, acting_for
from tests.mappings.threads import at_once

ANNA = Actor(kind="user", id="anna")
VENDOR = Rule(column="vendor", title="Vendor", kind="text", field="VENDORNAME")
DUE = Rule(column="due", title="Due date", kind="date", field="WHENDUE")
GL = Rule(
    column="gl",
    title="GL account",
    kind="text",
    field="lines.ACCOUNTNO",
    steps=({"do": "list", "separator": " / "}, {"do": "cut", "length": 80}),
    values="gl_accounts",
)
NAME = Rule(column="name", steps=({"do": "join", "fields": ["VENDORNAME", "RECORDID"]},))


@pytest.fixture
def tenant(anna_org: Any) -> Any:
    with acting_for(anna_org):
        yield anna_org


def test_rules_are_read_back_as_they_were_made(tenant: Any) -> None:
    made = new_version(None, [VENDOR, DUE, GL, NAME], by=ANNA, note="First draft")
    assert rules_of(made) == (VENDOR, DUE, GL, NAME)
    assert (made.version, made.made_by, made.note) == (1, "anna", "First draft")
    assert latest(made.line) == made


def test_every_edit_is_a_new_version_and_the_old_one_stays_readable(tenant: Any) -> None:
    first = new_version(None, [VENDOR, DUE], by=ANNA)
    second = new_version(first.line, [VENDOR, GL], by=SYSTEM)
    assert (second.line, second.version, second.made_by) == (first.line, 2, "system")
    assert rules_of(first) == (VENDOR, DUE) and rules_of(second) == (VENDOR, GL)
    assert first.stamp != second.stamp
    assert latest(first.line) == second


def test_saving_what_is_there_already_makes_no_version_and_no_event(tenant: Any) -> None:
    tuples = Rule(column="name", steps=({"do": "join", "fields": ("VENDORNAME", "RECORDID")},))
    first = new_version(None, [NAME], by=ANNA)
    n_events = AuditEvent.objects.count()
    assert new_version(first.line, [tuples], by=ANNA, expected_version=1) == first
    assert AuditEvent.objects.count() == n_events


def test_an_edit_of_a_version_that_is_no_longer_the_newest_is_refused(tenant: Any) -> None:
    first = new_version(None, [VENDOR], by=ANNA)
    new_version(first.line, [VENDOR, DUE], by=ANNA, expected_version=1)
    with pytest.raises(Outdated, match="Somebody else changed this mapping"):
        new_version(first.line, [VENDOR, GL], by=ANNA, expected_version=1)
    assert rules_of(latest(first.line)) == (VENDOR, DUE)


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_of_several_edits_at_the_same_moment_one_wins_and_the_others_are_told(anna_org: Any) -> None:
    with acting_for(anna_org):
        line = new_version(None, [VENDOR], by=ANNA).line

    def edit(number: int) -> str:
        with acting_for(anna_org):
            try:
                return f"made {new_version(line, [Rule(column='c', field=f'F{number}')], by=ANNA, expected_version=1).version}"
            except Outdated:
                return "told"

    assert sorted(at_once(edit, range(4))) == ["made 2", "told", "told", "told"]
    with acting_for(anna_org):
        assert MappingSet.objects.count() == 2 and FieldMapping.objects.count() == 2


def test_an_old_version_is_restored_as_the_newest(tenant: Any) -> None:
    first = new_version(None, [VENDOR, GL], by=ANNA)
    new_version(first.line, [DUE], by=ANNA)
    restored = restore(first.line, 1, by=ANNA)
    assert (restored.version, restored.note) == (3, "Restored from version 1.")
    assert rules_of(restored) == (VENDOR, GL)
    assert restore(first.line, 3, by=ANNA) == restored


def test_the_trail_tells_who_changed_which_column(tenant: Any) -> None:
    first = new_version(None, [VENDOR], by=ANNA)
    second = new_version(first.line, [DUE], by=ANNA, note="Vendors have a board of their own")
    event = AuditEvent.objects.latest("number")
    assert (event.action, event.actor_id, event.subject_id) == ("mapping.changed", "anna", str(second.pk))
    assert event.because == "Vendors have a board of their own"
    assert event.details == {
        "line": str(first.line),
        "version": 2,
        "changes": ["Due date is now filled with WHENDUE.", "Vendor is no longer filled; it was VENDORNAME."],
    }


@pytest.mark.parametrize(
    ("rules", "refusal"),
    [
        ([VENDOR, VENDOR], MappingRefused),
        ([Rule(column="c", field="F", steps=({"do": "cut"},))], BadStep),
        ([Rule(column="", field="F")], ValidationError),
        ([Rule(column="c", field="F" * 201)], ValidationError),
    ],
)
def test_rules_that_cannot_be_kept_are_refused_whole(tenant: Any, rules: list[Rule], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        new_version(None, rules, by=ANNA)
    assert not MappingSet.objects.exists() and not AuditEvent.objects.exists()


def test_the_database_itself_knows_one_rule_per_column_and_one_mapping_per_version(tenant: Any) -> None:
    made = new_version(None, [VENDOR], by=ANNA)
    with pytest.raises(IntegrityError), transaction.atomic():
        FieldMapping.of_rule(VENDOR, mapping_set=made, position=2).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        MappingSet(line=made.line, version=1).save()


def test_another_organisation_cannot_see_edit_or_restore_it(anna_org: Any, carla_org: Any) -> None:
    with acting_for(anna_org):
        made = new_version(None, [VENDOR], by=ANNA)
    with acting_for(carla_org):
        assert rules_of(made) == ()
        with pytest.raises(MappingSet.DoesNotExist):
            latest(made.line)
        with pytest.raises(MappingSet.DoesNotExist):
            new_version(made.line, [DUE], by=ANNA)
        with pytest.raises(MappingSet.DoesNotExist):
            restore(made.line, 1, by=ANNA)
    with pytest.raises(NoTenant):
        latest(made.line)


def test_a_mapping_that_does_not_exist_is_not_made_by_mistake(tenant: Any) -> None:
    with pytest.raises(MappingSet.DoesNotExist):
        new_version(uuid4(), [VENDOR], by=ANNA)


# -- Differences --------------------------------------------------------------------------------------------------------------


def test_a_difference_names_what_was_added_removed_and_changed() -> None:
    other = Rule(column="due", title="Due date", kind="date", field="WHENPAID")
    found = difference([VENDOR, DUE], [other, GL])
    assert (found.added, found.removed, found.changed) == ((GL,), (VENDOR,), ((DUE, other),))
    assert found.sentences == (
        "GL account is now filled with lines.ACCOUNTNO, then looked up in gl_accounts, "
        "then list (separator “ / ”), then cut (length 80).",
        "Vendor is no longer filled; it was VENDORNAME.",
        "Due date is now filled with WHENPAID; it was WHENDUE.",
    )


def test_a_renamed_or_retyped_column_is_a_difference_of_its_own_kind() -> None:
    renamed = Rule(column="due", title="Pay by", kind="date", field="WHENDUE")
    retyped = Rule(column="due", title="Due date", kind="text", field="WHENDUE")
    assert difference([DUE], [renamed]).sentences == ("The column Due date is now called Pay by.",)
    assert difference([DUE], [retyped]).sentences == ("Due date is now a column of type text; it was date.",)


def test_another_order_is_no_difference() -> None:
    assert not difference([VENDOR, DUE], [DUE, VENDOR])


def test_a_rule_that_brings_its_own_value_is_described_by_its_steps() -> None:
    assert described(NAME) == "join (fields VENDORNAME + RECORDID)"

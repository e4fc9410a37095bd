"""A file makes a tenant be what it says, once; what differs is told and stored, and nothing else is touched."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from integrations.models import Due, Flow
from integrations.models.flow import FlowState
from mappings.models import MappingSet
from mappings.sets import rules_of
from tenants.models import AuditEvent
from tests.configuration.files import COLUMNS, FILE, Office, everything, run, told, without

SECOND_FLOW = FILE[FILE.index("[[flows]]") :].replace('name = "bills"', 'name = "again"')


def cells(office: Office) -> dict[str, str]:
    """Column title → the field that fills it, or the first step that does."""
    with office.inside():
        flow = Flow.objects.select_related("mapping").get(name="bills")
        return {rule.title: rule.field or rule.steps[0]["do"] for rule in rules_of(flow.mapping)}


def actions(office: Office) -> list[str]:
    with office.inside():
        return list(AuditEvent.objects.order_by("number").values_list("action", flat=True))


def test_a_file_makes_tenant_connections_flow_and_mapping(office: Office) -> None:
    said = office.apply()

    assert "tenant acme: made" in said
    assert "connection books: made, to Sage Intacct (sample)" in said
    assert "flow bills: made: source books, target board, place ‘AP bills’ (" in said
    flow = office.flow()
    assert (office.tenant.name, office.tenant.time_zone) == ("Acme Services", "America/Chicago")
    assert (flow.kind, flow.source.name, flow.target.name) == ("intacct_monday.bills", "books", "board")
    assert (flow.schedule, flow.state, flow.place_title) == ("every 4 hours", FlowState.ACTIVE, "AP bills")
    assert flow.place == office.vendor("monday").world.board("AP bills").id  # the title was found, the id is kept
    assert office.connection("books").settings == {
        "company_id": "SAMPLE",
        "sender_id": "sample_sender",
        "user_id": "xml_gateway",
    }
    assert cells(office) == {
        "Name": "RECORDID",
        "Vendor": "VENDORNAME",
        "Amount": "TRX_TOTALENTERED",
        "Due": "WHENDUE",
        "PO number": "DOCNUMBER",
        "GL account": "lines.ACCOUNTNO",
        "Lines": "lines.ENTRYDESCRIPTION",
        "Contact": "join",
    }
    with office.inside():
        by_title = {rule.title: rule for rule in rules_of(flow.mapping)}
    assert by_title["PO number"].steps == ({"do": "upper"},)
    assert by_title["GL account"].values == "gl_accounts"
    assert by_title["Lines"].steps == ({"do": "list", "separator": "; "},)
    assert [step["do"] for step in by_title["Contact"].steps] == ["join", "cut"]


def test_a_flow_that_was_applied_is_due_and_carries_its_bills(office: Office) -> None:
    office.apply()
    assert Due.objects.get(pk=office.flow().id).due_at is not None

    run("run_flow", "acme/bills")

    assert len(office.items) == len(office.vendor("intacct").world.bills())


def test_applying_twice_changes_nothing(office: Office) -> None:
    office.apply()
    before = everything()

    assert office.apply() == "Everything is as the file says.\n"

    assert without(everything(), "seen_at") == without(before, "seen_at")


def test_a_changed_column_makes_a_new_version_and_is_told(office: Office) -> None:
    office.apply()

    said = office.apply(
        FILE + COLUMNS.replace('Vendor = "VENDORNAME"', 'Vendor = "VENDORID"').replace("Due = ", "Currency = 'CURRENCY'\nDue = ")
    )

    assert "flow bills: mapping version 1 → version 2" in said
    assert "Vendor is now filled with VENDORID; it was VENDORNAME." in said
    assert "Currency is now filled with CURRENCY." in said
    assert cells(office)["Vendor"] == "VENDORID"
    with office.inside():
        assert list(MappingSet.objects.order_by("version").values_list("version", flat=True)) == [1, 2]
        assert AuditEvent.objects.filter(action="mapping.changed").count() == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Acme Services"', 'name = "Acme Group"', "tenant acme: name Acme Services → Acme Group"),
        ('"America/Chicago"', '"Europe/Berlin"', "tenant acme: time zone America/Chicago → Europe/Berlin"),
        ('"every 4 hours"', '"0 6 * * 1-5"', "flow bills: schedule every 4 hours → 0 6 * * 1-5"),
        ('"every 4 hours"', '"every 15 minutes"', "flow bills: schedule every 4 hours → every 15 minutes"),
        ('state = "active"', 'state = "paused"', "flow bills: state active → paused"),
        ('place = "AP bills"', 'place = "Vendors"', "flow bills: place ‘AP bills’ ("),
        ('user_id = "xml_gateway"', 'user_id = "xml_gateway"\nlocation_id = "E100"', "connection books: set location_id"),
    ],
)
def test_what_differs_is_told_and_stored(office: Office, old: str, new: str, said: str) -> None:
    """And told only once: the third time everything is as the file says."""
    office.apply(FILE)

    assert said in office.apply(FILE.replace(old, new))

    n_events = len(actions(office))
    assert office.apply(FILE.replace(old, new)) == "Everything is as the file says.\n"
    assert len(actions(office)) == n_events


def test_an_optional_setting_that_left_the_file_is_gone(office: Office) -> None:
    office.apply(FILE.replace('user_id = "xml_gateway"', 'user_id = "xml_gateway"\nlocation_id = "E100"'))

    assert "connection books: set location_id" in office.apply(FILE)

    assert "location_id" not in office.connection("books").settings


def test_what_a_ping_found_out_stays_beside_the_files_settings(office: Office) -> None:
    office.apply()
    run("ping", "acme/board")
    found = office.connection("board").settings

    assert found["account_id"]
    assert office.apply() == "Everything is as the file says.\n"
    assert office.connection("board").settings == found


def test_a_dry_run_tells_all_and_writes_nothing(office: Office) -> None:
    before = everything()

    said = office.apply(FILE + COLUMNS, "--dry-run")

    assert said.startswith("Would change:\ntenant acme: made")
    assert "flow bills: made" in said
    assert everything() == before

    office.apply()
    before = everything()
    changed = (FILE + COLUMNS).replace('"active"', '"paused"').replace('"VENDORNAME"', '"VENDORID"').replace("Services", "Group")
    said = office.apply(changed, "--dry-run")

    assert "state active → paused" in said
    assert "version 1 → version 2" in said
    assert everything() == before
    assert office.apply(FILE + COLUMNS, "--dry-run") == "Everything is as the file says.\n"


def test_json_tells_the_same_for_programs(office: Office) -> None:
    path = office.write(FILE)

    would = told("apply", path, "--dry-run")
    did = told("apply", path)

    assert would["dry_run"] is True
    assert did["dry_run"] is False
    assert ["tenant acme", "made"] in did["changes"]
    assert [each[0] for each in would["changes"]] == [each[0] for each in did["changes"]]
    assert told("apply", path) == {"changes": [], "not_in_file": [], "dry_run": False}


def test_without_columns_the_flows_suggestions_are_taken(office: Office) -> None:
    office.apply(FILE)

    suggested = cells(office)
    assert suggested["Name"] == "RECORDID"
    assert suggested["Vendor"] == "VENDORNAME"
    assert suggested["Due"] == "WHENDUE"
    assert suggested["GL account"] == "lines.ACCOUNTNO"


def test_without_columns_a_mapping_that_people_made_is_left_to_them(office: Office) -> None:
    office.apply(FILE)
    office.apply(FILE + '[flows.columns]\nName = "VENDORNAME"\n')
    office.vendor("monday").world.add_column("AP bills", "Department", "text")

    assert office.apply(FILE) == "Everything is as the file says.\n"

    assert cells(office) == {"Name": "VENDORNAME"}


def test_an_empty_table_of_columns_fills_none(office: Office) -> None:
    office.apply(FILE + "[flows.columns]\n")

    assert cells(office) == {}


def test_live_is_the_default_world(office: Office, settings: Any) -> None:
    settings.VENDOR_ADDRESSES = {**settings.VENDOR_ADDRESSES, "MONDAY_API_URL": "http://monday.test/monday/v2"}

    office.apply(FILE.replace('world = "sample"\n', ""))

    assert {office.connection(name).world for name in ("books", "board")} == {"live"}
    assert office.sandbox.mounted("monday").calls  # the address of the live world led there
    assert not office.vendor("monday").calls


def test_a_place_may_be_named_by_id(office: Office) -> None:
    office.apply()
    board = office.flow().place

    assert office.apply((FILE + COLUMNS).replace('"AP bills"', f'"{board}"')) == "Everything is as the file says.\n"


def test_a_column_may_be_named_by_id_and_title_without_regard_to_case(office: Office) -> None:
    office.apply(FILE + '[flows.columns]\nbill_date = "WHENCREATED"\n" po NUMBER " = "DOCNUMBER"\n')

    assert cells(office) == {"Bill date": "WHENCREATED", "PO number": "DOCNUMBER"}


def test_a_renamed_board_and_column_are_followed_by_id(office: Office) -> None:
    office.apply()
    place, world = office.flow().place, office.vendor("monday").world
    world.board("AP bills").name = "Accounts payable"
    world.rename_column(place, "Vendor", "Supplier")

    said = office.apply((FILE + COLUMNS).replace('"AP bills"', '"Accounts payable"').replace("\nVendor =", "\nSupplier ="))

    assert f"place ‘AP bills’ ({place}) → ‘Accounts payable’ ({place})" in said
    assert "The column Vendor is now called Supplier." in said
    assert office.flow().place == place


def test_an_unused_flow_moves_to_a_board_of_the_same_title(office: Office) -> None:
    office.apply(FILE)
    world = office.vendor("monday").world
    twin = world.add_board("AP bills", [("Vendor", "text")])

    said = office.apply(FILE.replace('"AP bills"', f'"{twin}"'))

    assert f"→ ‘AP bills’ ({twin})" in said
    assert office.flow().place == twin


def test_what_the_file_does_not_name_is_told_and_left_alone(office: Office) -> None:
    office.apply(FILE + SECOND_FLOW)

    said = office.apply(FILE)

    assert said == "Everything is as the file says.\nflow again: not in this file; it stays as it is.\n"
    assert office.flow("again").state == FlowState.ACTIVE
    assert told("apply", office.write(FILE))["not_in_file"] == ["flow again"]


def test_a_changed_secret_is_stored_and_only_its_name_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.apply()
    monkeypatch.setenv("ACME_USER_PASSWORD", "canary-new-password")

    said = office.apply()

    assert said == "connection books: set user_password\n"
    with office.inside():
        details = [str(event.details) for event in AuditEvent.objects.all()]
    assert not any("canary" in each for each in details)


def test_a_secret_may_stand_in_a_file_beside_the_configuration(office: Office) -> None:
    """Relative to the configuration's folder, wherever the command was started."""
    (office.folder / "keys").mkdir()
    (office.folder / "keys" / "token").write_text("sample-monday-token\n")
    office.apply()

    said = office.apply((FILE + COLUMNS).replace('"env:ACME_MONDAY_TOKEN"', '"file:keys/token"'))

    assert os.getcwd() != str(office.folder)
    assert said == "Everything is as the file says.\n"


def test_a_file_that_windows_wrote_is_read(office: Office) -> None:
    path = office.folder / "acme.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())

    assert "tenant acme: made" in run("apply", path)


def test_another_time_zone_moves_the_next_run_of_a_cron_line(office: Office) -> None:
    with time_machine.travel(datetime(2026, 11, 27, 3, 0, tzinfo=UTC), tick=False):
        at_six = FILE.replace('"every 4 hours"', '"0 6 * * *"')
        office.apply(at_six.replace('"active"', '"paused"'))
        office.apply(at_six)
        run("run_flow", "acme/bills")
        due_at = Due.objects.get(pk=office.flow().id).due_at
        assert due_at
        assert due_at.astimezone(ZoneInfo("America/Chicago")).hour == 6

        office.apply(at_six.replace("America/Chicago", "Europe/Berlin"))

        due_at = Due.objects.get(pk=office.flow().id).due_at
        assert due_at
        assert due_at.astimezone(ZoneInfo("Europe/Berlin")).hour == 6


def test_a_flow_that_stopped_over_its_board_goes_on_once_the_file_fits_again(office: Office) -> None:
    office.apply()
    office.vendor("monday").world.delete_column("AP bills", "Vendor")
    with pytest.raises(Exception, match="no longer has the column"):
        run("run_flow", "acme/bills")
    assert office.flow().state == FlowState.NEEDS_ATTENTION

    said = office.apply(FILE + COLUMNS.replace('Vendor = "VENDORNAME"', ""))

    assert "state needs_attention → active" in said
    run("run_flow", "acme/bills")
    assert len(office.items) == len(office.vendor("intacct").world.bills())


def test_pausing_and_starting_by_file_keeps_cursor_and_links(office: Office) -> None:
    office.apply()
    run("run_flow", "acme/bills")
    cursor = office.flow().cursor

    office.apply((FILE + COLUMNS).replace('"active"', '"paused"'))
    assert Due.objects.get(pk=office.flow().id).due_at is None
    office.apply()

    assert office.flow().cursor == cursor
    assert actions(office).count("flow.paused") == 1
    assert run("run_flow", "acme/bills") == "Nothing has changed since the last look.\n"


def test_every_change_leaves_one_event_that_tells_it(office: Office) -> None:
    office.apply()
    office.apply((FILE + COLUMNS).replace('"active"', '"paused"'))

    with office.inside():
        events = list(AuditEvent.objects.filter(action="configuration.applied").order_by("number"))
    assert [(event.actor_kind, event.actor_id) for event in events] == [("staff", "terminal")] * 2
    assert events[1].details["changes"] == ["flow bills state active → paused"]

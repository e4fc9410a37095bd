"""A wrong mapping, from rehearsal to undo, with both sandboxes behind the real clients, at the terminal."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.models import Flow, Link, Run
from integrations.sync import verbs
from tenants.audit import SYSTEM, verify
from tests.flows.conftest import CONFIGURATION, Harbor

pytestmark = pytest.mark.database

SHOUTED = 'Vendor = { field = "VENDORNAME", transform = "upper" }'


def told(*words: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def answered(*words: Any) -> Any:
    return json.loads(told(*words, "--json"))


@pytest.fixture
def shouted(tmp_path: Path) -> Path:
    """The flow's configuration with another rule for one column."""
    text = CONFIGURATION.read_text()
    assert 'Vendor = "VENDORNAME"' in text
    path = tmp_path / "shouted.toml"
    path.write_text(text.replace('Vendor = "VENDORNAME"', SHOUTED))
    return path


def vendors_on(harbor: Harbor) -> dict[str, str]:
    return {harbor.text(item, "Source ID").rpartition(":")[2]: harbor.text(item, "Vendor") for item in harbor.items()}


def writes(harbor: Harbor) -> list[str]:
    return [call for call in harbor.calls("board") if "create_item" in call or "change_" in call or "archive" in call]


def test_a_wrong_mapping_is_seen_before_it_is_made_and_undone_after(harbor: Harbor, shouted: Path) -> None:
    harbor.books.world.seed(bills=30)
    harbor.finish()
    before = vendors_on(harbor)
    harbor.later(hours=4)
    harbor.forget_calls()

    rehearsal = answered("rehearse", "harbor/bills", shouted)
    assert (writes(harbor), harbor.calls("books")) == ([], [])
    assert {each["record"]: each["cells"]["Vendor"] for each in rehearsal["changes"]} == {
        recordno: [name, name.upper()] for recordno, name in before.items()
    }
    said = told("rehearse", "harbor/bills", shouted)
    assert said.endswith("30 cells of 30 of 30 bills would change. Nothing was written.\n")
    assert vendors_on(harbor) == before

    told("apply", shouted)
    harbor.finish()
    assert vendors_on(harbor) == {recordno: name.upper() for recordno, name in before.items()}
    run, edited = harbor.run, sorted(before)[0]
    harbor.later(hours=1)
    column = harbor.board.world.column_id("AP bills", "Vendor")
    harbor.board.world.set_value(harbor.item(edited)["id"], column, "Our best vendor")

    seen = answered("undo", "harbor/bills", "--dry-run")
    assert (seen["cells"], [each["record"] for each in seen["left"]]) == (29, [edited])
    assert Run.objects.get(pk=run.pk).undone_at is None
    said = told("undo", "harbor/bills", "--run", run.pk)
    assert "the run wrote" in said
    assert "‘Our best vendor’. It was changed on the board since." in said
    assert "29 cells of 29 bills back as before, 0 items archived, 1 left as they stand." in said
    assert vendors_on(harbor) == {**before, edited: "Our best vendor"}
    assert harbor.again().mapping.version == 1
    with pytest.raises(CommandError, match="was undone already"):
        told("undo", "harbor/bills")
    assert verify(harbor.tenant).ok

    verbs.start(harbor.flow, by=SYSTEM)
    harbor.forget_calls()
    harbor.finish()
    assert writes(harbor) == []
    harbor.later(hours=4)
    harbor.books.world.change_bill(edited, WHENDUE="12/31/2026")
    harbor.finish()
    assert harbor.text(harbor.item(edited), "Due") == "2026-12-31"
    assert harbor.text(harbor.item(edited), "Vendor") == "Our best vendor"


def test_bills_that_a_run_made_are_archived_and_come_back_when_they_change(harbor: Harbor) -> None:
    harbor.books.world.seed(bills=3)
    harbor.finish()
    harbor.later(hours=4)
    added = [harbor.books.world.add_bill(RECORDID=f"NEW-{i}", VENDORID="V-001", WHENDUE="11/30/2026") for i in range(3)]
    harbor.finish()
    assert len(harbor.items()) == 6
    harbor.later(hours=1)
    answer = answered("undo", "harbor/bills")
    assert (answer["archived"], answer["cells"], answer["left"]) == (3, 0, [])
    assert len(harbor.items()) == 3
    verbs.start(harbor.again(), by=SYSTEM)
    harbor.finish()
    assert len(harbor.items()) == 3
    harbor.later(hours=4)
    harbor.books.world.change_bill(added[0], WHENDUE="12/31/2026")
    harbor.finish()
    assert len(harbor.items()) == 4
    assert harbor.item(added[0])["name"] == "NEW-0"


def test_an_undo_whose_answer_was_lost_is_finished_by_starting_it_again(harbor: Harbor) -> None:
    [recordno] = harbor.books.world.seed(bills=1)["bills"]
    harbor.finish()
    due = harbor.text(harbor.item(recordno), "Due")
    harbor.later(hours=4)
    harbor.books.world.change_bill(recordno, WHENDUE="12/31/2026")
    harbor.books.world.add_bill(RECORDID="NEW", VENDORID="V-001", WHENDUE="11/30/2026")
    harbor.finish()
    harbor.later(hours=1)
    harbor.board.faults.arm("commit_then_drop", operation="change_multiple_column_values")
    with pytest.raises(CommandError, match="did not answer"):
        told("undo", "harbor/bills")
    harbor.later(minutes=2)
    told("undo", "harbor/bills")
    assert harbor.text(harbor.item(recordno), "Due") == due
    assert len(harbor.items()) == 1


def test_why_a_cell_is_what_it_is(harbor: Harbor) -> None:
    [recordno] = harbor.books.world.seed(bills=1)["bills"]
    harbor.finish()
    harbor.forget_calls()
    said = told("explain", "harbor/bills", "--record", recordno, "--column", "gl account")
    assert "Sage Intacct has" in said
    assert "lines.ACCOUNTNO" in said
    assert "The same mapping, applied again to the stored record, gives the same value." in said
    assert "On the board there stands the same." in said
    assert len(harbor.calls("board")) <= 2
    harbor.forget_calls()
    link = Link.objects.get(external_id=recordno)
    for rule in Flow.objects.get().mapping.rules.all():
        answer = answered("explain", "harbor/bills", "--record", recordno, "--column", rule.column_title, "--offline")
        assert answer["agrees"]
        assert answer["written"] == link.written[rule.column_id]
    assert harbor.calls("board") == []
    with pytest.raises(CommandError, match="is on the board, but this flow does not fill it"):
        told("explain", "harbor/bills", "--record", recordno, "--column", "Source ID")
    with pytest.raises(CommandError, match="knows no bill ‘none’"):
        told("explain", "harbor/bills", "--record", "none", "--column", "Due")


def test_a_rehearsal_of_another_flow_or_board_is_refused(harbor: Harbor, tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    text = CONFIGURATION.read_text()
    for old, new, why in (
        ('name = "bills"', 'name = "others"', "has no flow ‘bills’"),
        ('place = "AP bills"', 'place = "Elsewhere"', "Rehearse a change of columns only"),
        ('Vendor = "VENDORNAME"', 'Nowhere = "VENDORNAME"', "has no such column"),
    ):
        path.write_text(text.replace(old, new))
        with pytest.raises(CommandError, match=why):
            told("rehearse", "harbor/bills", path)

"""“Why is this cell what it is?”: from the books to the board, and whether it still follows."""

from dataclasses import replace

import pytest

from integrations.models import Link, RecordOutcome
from integrations.sync import explained, undo
from integrations.sync.explain import CannotExplain, Explanation, explain
from mappings.fields import Column
from mappings.schemas import remember_schema
from mappings.value_mappings import set_values
from tenants.audit import SYSTEM, Actor
from tests.sync.conftest import RULES, Story
from tests.sync.test_undo import SHOUTED, item_of, map_by, two_runs

pytestmark = pytest.mark.database

MIRA = Actor(kind="user", id="mira")
LOOKED_UP = (RULES[0], RULES[1], replace(RULES[2], values="codes", steps=({"do": "upper"}, {"do": "cut", "length": 4})))


def words(cell: Explanation) -> str:
    return "\n".join(explained.sentences(cell))


@pytest.fixture
def rent(story: Story) -> Story:
    """One entry whose note went through a value mapping and two steps."""
    set_values("codes", {"6220": "Paper"}, by=SYSTEM)
    set_values("codes", {"7100": "Rental"}, by=MIRA)
    map_by(story, LOOKED_UP)
    story.ledger.put("1", name="Entry 1", amount="1.00", note="7100")
    story.later(hours=1)
    story.finish()
    return story


def test_the_way_from_the_books_to_the_board(rent: Story) -> None:
    cell = explain(rent.flow, external_id="1", column="note")
    assert explained.sentences(cell) == [
        "Entry 1, Note: we wrote ‘REN…’.",
        "Ledger has ‘7100’ as Note (note), as last read.",
        "Step 1, Look up (“codes”): ‘Rental’.",
        "Step 2, In capitals: ‘RENTAL’.",
        "Step 3, Cut to length (4): ‘REN…’.",
        "The value mapping codes says ‘7100’ → ‘Rental’ since version 2, by mira on 2026-11-27 09:00 UTC.",
        "The mapping is version 2, made by system on 2026-11-27 09:00 UTC.",
        f"It was written on 2026-11-27 10:00 UTC by the run that began on 2026-11-27 10:00 UTC ({rent.run.id}).",
        "The same mapping, applied again to the stored record, gives the same value.",
        "On the board there stands the same.",
    ]
    assert rent.shelf.calls.count("standing") == 1


def test_offline_calls_nobody(rent: Story) -> None:
    rent.shelf.calls.clear()
    cell = explain(rent.flow, external_id="1", column="NOTE ", offline=True)
    assert (cell.agrees, cell.standing, rent.shelf.calls) == (True, None, [])


def test_what_people_changed_since_is_told(rent: Story) -> None:
    item_of(rent, "1")["note"] = "by hand"
    cell = explain(rent.flow, external_id="1", column="Note")
    assert cell.was_changed_by_people
    assert words(cell).endswith("On the board there stands ‘by hand’ now: people changed it since.")


def test_a_value_mapping_that_changed_later_does_not_change_the_past(rent: Story) -> None:
    rent.later(hours=1)
    set_values("codes", {"7100": "Office"}, by=MIRA)
    cell = explain(rent.flow, external_id="1", column="Note")
    assert cell.agrees
    assert "‘7100’ → ‘Rental’ since version 2" in words(cell)
    assert "Under the mapping and value mappings of now it would be ‘OFF…’." in words(cell)


def test_a_value_that_nobody_mapped_is_told(rent: Story) -> None:
    rent.ledger.put("2", name="Entry 2", amount="1.00", note="4711")
    rent.finish()
    said = words(explain(rent.flow, external_id="2", column="Note"))
    assert "Nobody has put ‘4711’ into the value mapping codes (version 2)." in said
    assert "The value mapping “codes” has no entry for “4711”" in said


def test_every_written_cell_follows_from_its_stored_record(story: Story) -> None:
    two_runs(story, n=5)
    story.later(hours=1)
    map_by(story, SHOUTED)
    story.finish()
    for link in Link.objects.filter(flow=story.flow):
        for rule in SHOUTED:
            assert explain(story.flow, external_id=link.external_id, column=rule.column).agrees


def test_a_cell_that_does_not_follow_is_told_plainly(rent: Story) -> None:
    outcome = RecordOutcome.objects.get(external_id="1")
    outcome.differences["note"][1] = "OTHER"
    outcome.save(update_fields=["differences"])
    cell = explain(rent.flow, external_id="1", column="Note")
    assert "applied again to the stored record, gives ‘REN…’: not what was written." in words(cell)
    assert not explained.described(cell)["agrees"]


def test_after_an_undo_the_cell_says_so(story: Story) -> None:
    two_runs(story)
    item_of(story, "2")["amount"] = {"amount": "7.77"}
    undo.undo(story.flow, by=SYSTEM)
    back = words(explain(story.again(), external_id="1", column="Amount"))
    assert "we wrote ‘1.10’" in back
    assert "by an undo that began on" in back
    assert "gives ‘99.99’: not what was written. An undo put back what stood there before." in back
    left = words(explain(story.flow, external_id="2", column="Amount"))
    assert "That run was undone on" in left
    assert "On the board there stands ‘7.77’ now" in left
    withdrawn = words(explain(story.flow, external_id="13", column="Amount"))
    assert "An undo took its item off the board." in withdrawn


def test_a_column_that_the_flow_does_not_fill_is_told_with_those_it_fills(rent: Story) -> None:
    with pytest.raises(CannotExplain, match=r"‘Status’ is not filled by this flow\. It fills ‘Name’, ‘Amount’, ‘Note’"):
        explain(rent.flow, external_id="1", column="Status")
    status = Column(id="status", title="Status", kind="status")
    remember_schema(connection_id=rent.flow.target_id, place="shelf", title="The shelf", columns=(status,), digest="x")
    with pytest.raises(CannotExplain, match="‘Status’ is on the board, but this flow does not fill it"):
        explain(rent.flow, external_id="1", column="Status")
    with pytest.raises(CannotExplain, match="knows no entry ‘99’"):
        explain(rent.flow, external_id="99", column="Note")


def test_a_column_that_was_refused_or_never_written_is_told(story: Story) -> None:
    story.fill(1)
    story.shelf.refuses["1"] = ("note",)
    story.finish()
    assert "Entry 1, Note: nothing was ever written there." in words(explain(story.flow, external_id="1", column="Note"))

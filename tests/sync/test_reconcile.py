"""Does the board say what the books say? Damage of every kind is named exactly, and what merely moves is no damage."""

import random
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations import registry
from integrations.errors import RateLimited, SetupBroken, VendorUnavailable
from integrations.models import Flow, Link, Reconciliation
from integrations.models.flow import FlowState, LinkState
from integrations.sync import verbs
from integrations.sync.reconcile import reconcile, reconcile_if_due, words
from mappings.apply import Rule
from mappings.fields import Catalogue, Field
from mappings.sets import new_version
from tenants.audit import SYSTEM, verify
from tenants.models import AuditEvent
from tests.sync.conftest import RULES, Story
from tests.sync.memory import CATALOGUE

CURRENCIES = ("USD", "EUR", "JPY")
ROUNDED = Rule(column="amount", title="Amount", kind="number", field="amount", steps=({"do": "decimal", "places": 0},))
CURRENCY = Rule(column="currency", title="Currency", kind="text", field="currency")


@pytest.fixture
def books(story: Story) -> Story:
    """The same flow, where amounts have currencies."""
    fields = Catalogue((*CATALOGUE.fields, Field(key="currency", label="Currency")))
    spec = registry.FLOWS["memory.entries"]
    registry.FLOWS["memory.entries"] = replace(spec, currency="currency", fields=fields)
    story.shelf.columns["currency"] = "text"
    remap(story, *RULES, CURRENCY)
    return story


def remap(story: Story, *rules: Rule) -> None:
    story.flow.mapping = new_version(story.flow.mapping.line, rules, by=SYSTEM)
    story.flow.save(update_fields=["mapping"])


def fill(story: Story, n: int, start: int = 1) -> None:
    for i in range(start, start + n):
        amount = f"-{i}.05" if i % 7 == 0 else f"{i}.10"
        story.ledger.put(f"{i:03}", name=f"Entry {i}", amount=amount, currency=CURRENCIES[i % 3])


def carry(story: Story) -> None:
    verbs.run_now(story.flow, by=SYSTEM)
    story.finish()
    story.again()


def named(made: Reconciliation, *, quiet: bool = False) -> dict[str, set[str]]:
    """What → records; only disagreements, unless ``quiet``."""
    found: dict[str, set[str]] = {}
    for each in made.differences["named"]:
        if quiet or each["what"] not in ("waiting", "deleted"):
            found.setdefault(each["what"], set()).add(each["record"])
    return found


def compare(story: Story) -> Reconciliation:
    return reconcile(story.again(), by=SYSTEM)


def item_of(story: Story, external_id: str) -> str:
    return next(target_id for target_id, item in story.shelf.items.items() if item["key"] == f"ledger:{external_id}")


def because(made: Reconciliation, record: str) -> str:
    return next(str(each["because"]) for each in made.differences["named"] if each["record"] == record)


# -- Both sides alike ---------------------------------------------------------------------------------------------------------


def test_a_board_that_agrees_says_so_with_both_sides_sums(books: Story) -> None:
    fill(books, 40)
    carry(books)
    made = compare(books)
    assert made.agrees and named(made, quiet=True) == {}
    assert words.verdict(made) == "The board ‘The shelf’ agrees with Ledger, to the cent."
    kinds = {(each["currency"], each["kind"]) for each in made.sums}
    assert kinds == {(currency, kind) for currency in CURRENCIES for kind in ("entries", "credits")}
    for each in made.sums:
        assert each["books"] == each["read"] == each["board"]
        assert Decimal(each["difference"]["amount"]) == 0
    expected = sum(record.values["amount"] for record in books.ledger.entries.values())
    assert sum(Decimal(each["board"]["amount"]) for each in made.sums) == expected


def test_an_agreement_reads_each_side_once_and_is_kept_with_an_event(books: Story) -> None:
    fill(books, 25)
    carry(books)
    books.ledger.calls.clear(), books.shelf.calls.clear()
    made = compare(books)
    assert Counter(books.ledger.calls) == {"population": 1, "everything": 3}
    assert Counter(books.shelf.calls) == {"schema": 1, "standing": 1}
    assert Reconciliation.objects.get(flow=books.flow) == made
    event = AuditEvent.objects.filter(action="flow.reconciled").get()
    assert event.details == {"reconciliation": str(made.id), "agrees": True}
    assert verify(books.tenant).ok


def test_ten_times_ten_cents_are_a_dollar(books: Story) -> None:
    for i in range(1000):
        books.ledger.put(f"{i:04}", name="Small", amount="0.10", currency="USD")
    carry(books)
    [only] = compare(books).sums
    assert only["board"] == {"n": 1000, "amount": "100.00"}


# -- Seeded damage ------------------------------------------------------------------------------------------------------------


def lose(story: Story, dice: random.Random, record: str) -> None:
    del story.shelf.items[item_of(story, record)]


def double(story: Story, dice: random.Random, record: str) -> None:
    story.shelf.items[f"copy of {record}"] = deepcopy(story.shelf.items[item_of(story, record)])


def alter(story: Story, dice: random.Random, record: str) -> None:
    values = story.shelf.items[item_of(story, record)]["values"]
    cents = dice.choice(("0.01", "-0.01", "10.00"))
    values["amount"] = {"amount": str(Decimal(values["amount"]["amount"]) + Decimal(cents))}


def recur(story: Story, dice: random.Random, record: str) -> None:
    values = story.shelf.items[item_of(story, record)]["values"]
    values["currency"] = dice.choice([each for each in (*CURRENCIES, "usd", "", None) if each != values["currency"]])


def empty(story: Story, dice: random.Random, record: str) -> None:
    story.shelf.items[item_of(story, record)]["values"].pop("amount")


def add(story: Story, dice: random.Random, record: str) -> None:
    story.shelf.items[f"extra {record}"] = {
        "key": f"ledger:{record}",
        "values": {"amount": {"amount": "5.00"}, "currency": "USD"},
    }


DAMAGES: tuple[tuple[str, Callable[[Story, random.Random, str], None]], ...] = (
    ("missing", lose),
    ("doubled", double),
    ("different", alter),
    ("different", recur),
    ("different", empty),
)


def test_whatever_was_damaged_is_named_and_nothing_else(books: Story) -> None:
    fill(books, 45)
    carry(books)
    books.shelf.items["theirs"] = {"key": "", "values": {"amount": {"amount": "1.00"}}}
    books.shelf.items["of another flow"] = {"key": "other:001", "values": {"amount": {"amount": "1.00"}}}
    whole = deepcopy(books.shelf.items)
    for seed in range(200):
        dice = random.Random(seed)
        books.shelf.items = deepcopy(whole)
        expected: dict[str, set[str]] = {}
        for record in dice.sample(sorted(books.ledger.entries), dice.randrange(12)):
            what, damage = dice.choice(DAMAGES)
            damage(books, dice, record)
            expected.setdefault(what, set()).add(record)
        for n in range(dice.randrange(3)):
            add(books, dice, f"9{seed:03}{n}")
            expected.setdefault("extra", set()).add(f"9{seed:03}{n}")
        made = compare(books)
        assert named(made, quiet=True) == expected, f"seed {seed}"
        assert made.agrees == (not expected)
        assert {what: len(records) for what, records in expected.items()} == made.differences["counts"]


def test_a_difference_names_both_values(books: Story) -> None:
    fill(books, 3)
    carry(books)
    books.shelf.items[item_of(books, "001")]["values"] |= {"amount": {"amount": "1.11"}, "currency": "USD"}
    made = compare(books)
    [only] = made.differences["named"]
    assert only["books"] == {"amount": "1.10", "currency": "EUR"}
    assert only["board"] == [{"item": item_of(books, "001"), "amount": "1.11", "currency": "USD"}]
    assert only["because"] == "The amount and the currency differ."
    said = words.in_words(made)
    assert (
        f"different: Entry 001 (books 1.10 EUR; item {item_of(books, '001')} 1.11 USD). The amount and the currency differ."
        in said
    )
    assert "EUR entries: 1 of 1.10 in the books, 0 of 0 on the board, difference -1 of -1.10" in said
    assert words.verdict(made) == "The board ‘The shelf’ does not agree with Ledger: 1 different."


def test_one_and_a_half_is_one_and_a_half_however_it_is_written(books: Story) -> None:
    books.shelf.columns["amount"] = "text"
    remap(books, *(replace(rule, kind="text") for rule in RULES), CURRENCY)
    books.ledger.put("1", name="Entry", amount="1.50", currency="USD")
    carry(books)
    books.shelf.items[item_of(books, "1")]["values"]["amount"] = "1.5"
    assert compare(books).agrees
    books.shelf.items[item_of(books, "1")]["values"]["amount"] = "about 1.50"
    assert named(compare(books)) == {"different": {"1"}}


def test_more_differences_than_can_be_named_are_counted(books: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(books, 30)
    carry(books)
    books.shelf.items.clear()
    monkeypatch.setattr("integrations.sync.reconcile.MOST_NAMED", 10)
    made = compare(books)
    assert made.differences["counts"] == {"missing": 30}
    assert len(made.differences["named"]) == 10
    assert "… and 20 more, which are counted but not named." in words.in_words(made)


def test_where_very_many_differ_they_are_named_without_a_second_look(books: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(books, 30)
    carry(books)
    lost = sorted(books.ledger.entries)[:20]
    for record in lost:
        lose(books, random.Random(0), record)
    monkeypatch.setattr("integrations.sync.reconcile.second_look.MOST", 10)
    monkeypatch.setattr("integrations.sync.reconcile.second_look.PAGE", 5)
    books.ledger.calls.clear()
    made = compare(books)
    assert named(made) == {"missing": set(lost)}
    assert books.ledger.calls.count("fetch") == 2
    books_, board = (sum(each[side]["n"] for each in made.sums) for side in ("books", "board"))
    assert (books_, board) == (30, 10)


# -- Why ------------------------------------------------------------------------------------------------------------------------


def test_what_is_missing_for_a_known_reason_is_named_with_it(books: Story) -> None:
    fill(books, 6)
    books.shelf.refuses["002"] = ()
    carry(books)
    gone, withdrawn = item_of(books, "003"), item_of(books, "004")
    for record, target_id, state in (("003", gone, LinkState.GONE), ("004", withdrawn, LinkState.WITHDRAWN)):
        del books.shelf.items[target_id]
        Link.objects.filter(external_id=record).update(state=state)
    Link.objects.filter(external_id="005").delete()
    del books.shelf.items[item_of(books, "005")]
    lost = item_of(books, "006")
    books.shelf.archived[lost] = books.shelf.items.pop(lost)
    made = compare(books)
    assert named(made) == {"missing": {"002", "003", "004", "005", "006"}}
    assert because(made, "002") == "It was refused. Entry 002 was refused."
    assert because(made, "003") == "People removed its item from the board."
    assert because(made, "004") == "It was taken off the board by an undo."
    assert because(made, "005") == "It was never carried."
    assert because(made, "006") == f"Its item {lost} does not stand on the board any more, or has lost its key."


def test_a_record_that_cannot_be_read_is_named_whether_it_stands_there_or_not(books: Story) -> None:
    fill(books, 3)
    carry(books)
    fill(books, 1, start=4)
    books.ledger.broken = {"001", "004"}
    made = compare(books)
    assert named(made) == {"different": {"001"}, "missing": {"004"}}
    assert because(made, "001") == "Entry 001 has no readable amount."
    assert because(made, "004") == "Entry 004 has no readable amount."


def test_a_copy_is_told_from_the_item_that_is_kept_up_to_date(books: Story) -> None:
    fill(books, 2)
    carry(books)
    ours = item_of(books, "001")
    double(books, random.Random(0), "001")
    assert because(compare(books), "001") == f"2 items bear its key. We keep {ours} up to date; delete copy of 001."


def test_an_item_of_a_deleted_record_is_no_extra_one_when_it_is_marked(books: Story) -> None:
    fill(books, 4)
    carry(books)
    books.ledger.delete("001")
    carry(books)
    assert Link.objects.get(external_id="001").deleted_at is not None
    made = compare(books)
    assert made.agrees
    assert named(made, quiet=True) == {"deleted": {"001"}}
    [apart] = [each for each in made.sums if each["kind"] == "deleted"]
    assert apart["board"] == {"n": 1, "amount": "1.10"}
    assert all(Decimal(each["difference"]["amount"]) == 0 for each in made.sums if each["kind"] != "deleted")
    assert "Not counted as differences: 1 deleted in the books and marked so." in words.verdict(made)
    Link.objects.filter(external_id="001").update(deleted_at=None)
    assert named(compare(books)) == {"extra": {"001"}}


def test_what_the_source_counts_but_does_not_give_is_told(books: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.sync.memory import LedgerSource

    fill(books, 4)
    carry(books)
    whole = LedgerSource.everything

    def lossy(self: Any) -> Any:
        for page in whole(self):
            yield replace(page, records=tuple(each for each in page.records if each.external_id != "003"))

    monkeypatch.setattr(LedgerSource, "everything", lossy)
    del books.shelf.items[item_of(books, "003")]
    made = compare(books)
    assert not made.agrees
    assert made.differences["counts"] == {"unread": 1}
    said = "Ledger counts 1 entries of 3.10 USD, and gives 0 of 0 when it is asked for all."
    assert made.differences["named"][0]["because"] == said


# -- What moves ---------------------------------------------------------------------------------------------------------------


def test_what_the_next_run_carries_waits_and_is_no_disagreement(books: Story) -> None:
    fill(books, 6)
    carry(books)
    books.ledger.put("001", name="Entry 1", amount="99.00", currency="EUR")
    books.ledger.put("new", name="New", amount="5.00", currency="USD")
    books.ledger.delete("002")
    made = compare(books)
    assert made.agrees
    assert named(made, quiet=True) == {"waiting": {"001", "002", "new"}}
    assert because(made, "new") == "It came to the books after the last run; the next one carries it."
    carry(books)
    assert named(compare(books), quiet=True) == {"deleted": {"002"}}


def test_a_stopped_flow_excuses_nothing(books: Story) -> None:
    fill(books, 4)
    carry(books)
    books.ledger.put("001", name="Entry 1", amount="99.00", currency="EUR")
    books.ledger.delete("002")
    fill(books, 1, start=5)
    verbs.replay(books.flow, by=SYSTEM, external_ids=["001"])
    verbs.pause(books.flow, by=SYSTEM, because="Year end")
    assert named(compare(books)) == {"missing": {"005"}, "different": {"001"}, "extra": {"002"}}


def test_an_edited_mapping_waits_for_the_run_that_writes_it(books: Story) -> None:
    fill(books, 3)
    carry(books)
    remap(books, *(rule for rule in RULES if rule.column != "amount"), CURRENCY, ROUNDED)
    made = compare(books)
    assert made.agrees and set(named(made, quiet=True)) == {"waiting"}
    verbs.pause(books.flow, by=SYSTEM, because="Year end")
    assert not compare(books).agrees
    verbs.start(books.flow, by=SYSTEM)
    carry(books)
    assert named(compare(books), quiet=True) == {}


def test_items_on_several_places_are_compared_where_they_stand(books: Story) -> None:
    routes = [{"field": "currency", "is": ["EUR"], "place": "north shelf"}]
    Flow.objects.update(options={"routes": routes})
    books.again()
    fill(books, 12)
    carry(books)
    assert {item.get("place") for item in books.shelf.items.values()} == {"shelf", "north shelf"}
    books.ledger.calls.clear()
    assert compare(books).agrees
    assert "fetch" not in books.ledger.calls  # nothing looked wrong in the first place
    lose(books, random.Random(0), "001")
    alter(books, random.Random(0), "004")
    alter(books, random.Random(0), "005")
    assert named(compare(books)) == {"missing": {"001"}, "different": {"004", "005"}}


def test_damage_to_a_bill_that_also_changed_elsewhere_is_not_excused(books: Story) -> None:
    fill(books, 3)
    carry(books)
    alter(books, random.Random(1), "001")
    books.ledger.put("001", name="Another name", amount="1.10", currency="EUR")
    assert named(compare(books)) == {"different": {"001"}}


def test_a_bill_that_the_cursor_passed_by_is_missing_and_not_waiting(books: Story) -> None:
    fill(books, 3)
    carry(books)
    Link.objects.filter(external_id="002").delete()
    del books.shelf.items[item_of(books, "002")]
    assert named(compare(books), quiet=True) == {"missing": {"002"}}


@pytest.mark.parametrize("moment", ["population", "everything", "schema", "standing", "fetch", "changed_since"])
@pytest.mark.parametrize("carried", [False, True])
def test_a_change_during_the_comparison_is_no_false_alarm(books: Story, moment: str, carried: bool) -> None:
    fill(books, 25)
    carry(books)
    done: list[str] = []

    def change(operation: str) -> None:
        if operation != moment or done:
            return
        done.append(operation)
        books.ledger.put("003", name="Entry 3", amount="77.77", currency="JPY")
        books.ledger.put("030", name="Entry 30", amount="30.00", currency="JPY")
        books.ledger.delete("004")
        if carried:
            with_flow = Flow.objects.get(pk=books.flow.pk)
            verbs.run_now(with_flow, by=SYSTEM)
            books.finish()

    if moment in ("fetch", "changed_since"):
        books.ledger.put("001", name="Entry 1", amount="1.11", currency="EUR")  # so that a second look is needed
    books.ledger.on_call = books.shelf.on_call = change
    made = compare(books)
    assert done
    assert made.agrees, made.differences
    assert set(named(made, quiet=True)) <= {"waiting", "deleted"}


# -- What it needs --------------------------------------------------------------------------------------------------------------


def test_an_amount_that_is_not_mapped_is_told(books: Story) -> None:
    fill(books, 1)
    remap(books, *(rule for rule in RULES if rule.column != "amount"))
    with pytest.raises(SetupBroken) as refused:
        compare(books)
    assert refused.value.said == (
        "‘Amount’ is not mapped to a column of the board ‘The shelf’, so the two sides cannot be compared. Map it first."
    )
    assert not Reconciliation.objects.exists()


def test_a_column_that_is_gone_is_told(books: Story) -> None:
    fill(books, 1)
    carry(books)
    del books.shelf.columns["currency"]
    with pytest.raises(SetupBroken, match="The board ‘The shelf’ no longer has the column ‘Currency’"):
        compare(books)


def test_without_a_mapped_currency_amounts_are_compared_under_the_books_currencies(books: Story) -> None:
    remap(books, *RULES)
    fill(books, 10)
    carry(books)
    made = compare(books)
    assert made.agrees
    assert {each["currency"] for each in made.sums} == set(CURRENCIES)
    alter(books, random.Random(1), "001")
    assert named(compare(books)) == {"different": {"001"}}


def test_a_limit_on_the_way_keeps_nothing(books: Story) -> None:
    fill(books, 25)
    carry(books)
    for n_calls in range(4):
        books.ledger.fails = []
        n = 0

        def limit(operation: str, wanted: int = n_calls) -> None:
            nonlocal n
            n += 1
            if n > wanted:
                raise RateLimited("The limit is reached.", retry_after=timedelta(hours=1))

        books.ledger.on_call = limit
        with pytest.raises(RateLimited):
            compare(books)
    assert not Reconciliation.objects.exists()


# -- At night -------------------------------------------------------------------------------------------------------------------

NIGHT = datetime.fromisoformat("2026-11-28T07:30:00+00:00")  # half past two in New York


@pytest.fixture
def nightly(books: Story) -> Story:
    fill(books, 5)
    carry(books)
    books.flow.options = {"reconcile_nightly": True}
    books.flow.save(update_fields=["options"])
    books.clock.move_to(NIGHT)
    return books


def at_night(story: Story) -> Reconciliation | None:
    return reconcile_if_due(story.again(), story.clock_now())


def test_a_flow_is_compared_once_a_night_in_its_tenants_zone(nightly: Story) -> None:
    nightly.clock.move_to(NIGHT - timedelta(minutes=31))
    assert at_night(nightly) is None
    nightly.later(minutes=31)
    made = at_night(nightly)
    assert made is not None and made.agrees and made.asked_by == "system"
    nightly.later(hours=5)
    assert at_night(nightly) is None
    nightly.later(hours=19)
    assert at_night(nightly) is not None


def test_a_flow_that_does_not_ask_for_it_or_is_stopped_is_left_alone(nightly: Story) -> None:
    Flow.objects.update(options={})
    assert at_night(nightly) is None
    Flow.objects.update(options={"reconcile_nightly": True}, state=FlowState.PAUSED)
    assert at_night(nightly) is None


@pytest.mark.parametrize(
    ("error", "minutes"),
    [
        (RateLimited("The limit is reached.", retry_after=timedelta(hours=2)), 120),
        (VendorUnavailable("Ledger did not answer."), 30),
        (SetupBroken("The board is gone."), 360),
    ],
)
def test_trouble_puts_it_off_without_a_call_until_then(nightly: Story, error: Any, minutes: int) -> None:
    nightly.ledger.fails = [error]
    assert at_night(nightly) is None
    nightly.ledger.calls.clear()
    nightly.later(minutes=minutes - 1)
    assert at_night(nightly) is None
    assert nightly.ledger.calls == []
    nightly.later(minutes=2)
    assert at_night(nightly) is not None


def test_two_workers_compare_once(nightly: Story) -> None:
    found: list[Any] = []
    nightly.ledger.on_call = lambda operation: found.append(at_night(nightly)) if operation == "population" else None
    assert at_night(nightly) is not None
    assert found == [None]

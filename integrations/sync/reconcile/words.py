"""A comparison, told to a controller: the verdict first, then the sums, then every record by name, then what it cost."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from integrations.models import Reconciliation
from integrations.registry import FLOWS
from integrations.sync.reconcile.findings import DISAGREEMENTS, What

_COUNTS = {
    What.MISSING: "missing",
    What.EXTRA: "extra",
    What.DOUBLED: "doubled",
    What.DIFFERENT: "different",
    What.UNREAD: "of the source's own totals not given in full",
    What.WAITING: "waiting for the next run",
    What.DELETED: "deleted in the books and marked so",
}


def in_words(made: Reconciliation) -> str:
    return "\n".join([verdict(made), f"Compared: {made.population}.", *_sums(made), *_named(made), _cost(made)])


def verdict(made: Reconciliation) -> str:
    """One sentence, and one about what is no disagreement."""
    spec, counts = FLOWS[made.flow.kind], made.differences["counts"]
    board = f"the board ‘{made.flow.place_title or made.flow.place}’"
    wrong = [f"{counts[what]:,} {_COUNTS[what]}" for what in DISAGREEMENTS if what in counts]
    besides = [f"{counts[what]:,} {_COUNTS[what]}" for what in (What.WAITING, What.DELETED) if what in counts]
    said = f"{board} does not agree with {spec.source.name}: {', '.join(wrong)}."
    if made.agrees:
        said = f"{board} agrees with {spec.source.name}, to the cent."
    return f"{said[0].upper()}{said[1:]}" + (f" Not counted as differences: {', '.join(besides)}." if besides else "")


def _sums(made: Reconciliation) -> Iterator[str]:
    for each in made.sums:
        what = " ".join(filter(None, [each["currency"], each["kind"]]))
        yield f"  {what}: {_sum(each['books'])} in the books, {_sum(each['board'])} on the board, difference {_difference(each)}"


def _sum(side: Mapping[str, Any]) -> str:
    return f"{side['n']:,} of {Decimal(side['amount']):,}"


def _difference(each: Mapping[str, Any]) -> str:
    difference = each["difference"]
    if each["kind"] == "deleted":
        return "none, since they are marked"
    return (
        f"{difference['n']:+,} of {Decimal(difference['amount']):+,}"
        if difference["n"] or Decimal(difference["amount"])
        else "none"
    )


def _named(made: Reconciliation) -> Iterator[str]:
    named, n = made.differences["named"], sum(made.differences["counts"].values())
    for each in named:
        yield f"  {each['what']}: {each['label']}{_values(each)}. {each['because']}".rstrip()
    if n > len(named):
        yield f"  … and {n - len(named):,} more, which are counted but not named."


def _values(each: Mapping[str, Any]) -> str:
    books = f"books {_figure(each['books'])}" if each["books"] else ""
    board = ", ".join(f"item {item['item']} {_figure(item)}" for item in each["board"])
    told = "; ".join(filter(None, [books, board]))
    return f" ({told})" if told else ""


def _figure(each: Mapping[str, Any]) -> str:
    return " ".join(filter(None, [each["amount"], each["currency"]])) or "empty"


def _cost(made: Reconciliation) -> str:
    spec = FLOWS[made.flow.kind]
    return f"{made.n_source_calls:,} calls to {spec.source.name}, {made.n_target_calls:,} to {spec.target.name}."


def as_json(made: Reconciliation) -> dict[str, Any]:
    return {
        "agrees": made.agrees,
        "said": verdict(made),
        "made_at": made.made_at.isoformat(timespec="seconds"),
        "population": made.population,
        "sums": made.sums,
        "differences": made.differences,
        "calls": {"source": made.n_source_calls, "target": made.n_target_calls},
    }

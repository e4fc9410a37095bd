"""A flow between two vendors in memory, and a worker to serve it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from integrations import registry
from integrations.models import Connection, Due, Flow, Link, Run
from integrations.models.flow import FlowState
from integrations.sync import due, serve
from integrations.sync.endings import Ending
from integrations.sync.spec import FlowSpec
from mappings.apply import Rule
from mappings.sets import new_version
from tenants.audit import SYSTEM
from tenants.scoping import acting_for
from tests.sync.memory import Ledger, Shelf, spec_of, vendors

START = datetime.fromisoformat("2026-11-27T09:00:00+00:00")
RULES = tuple(
    Rule(column=name, title=name.title(), kind=kind, field=name)
    for name, kind in (("name", "text"), ("amount", "number"), ("note", "text"))
)


@dataclass
class Story:
    """A tenant's flow from the ledger to the shelf, and the few things that tests do with it."""

    tenant: Any
    flow: Flow
    ledger: Ledger
    shelf: Shelf
    clock: Any
    endings: list[Ending] = field(default_factory=list)

    def fill(self, n: int, start: int = 1) -> None:
        for i in range(start, start + n):
            self.ledger.put(str(i), name=f"Entry {i}", amount=f"{i}.10", note="")

    def serve(self, clock: Any = None) -> Ending | None:
        """One slice, as a worker would; None when there was nothing to claim."""
        lease = due.claim_flow(self.flow.id)
        if lease is None:
            return None
        ending = serve.serve(lease, **({"clock": clock} if clock else {}))
        self.endings.append(ending)
        return ending

    def finish(self, most: int = 50) -> None:
        """Slice after slice until it is through."""
        for _ in range(most):
            if self.serve() is Ending.DONE:
                return
        raise AssertionError("the run does not end")

    def later(self, **how: int) -> None:
        self.clock.shift(timedelta(**how))

    def reference_spec(self) -> FlowSpec:
        """A kind of flow that fills lists and needs no board."""
        spec = registry.FLOWS["memory.entries"]
        return replace(spec, key="memory.accounts", is_reference=True)

    def spec_with_natural_key(self, *fields: str) -> None:
        registry.FLOWS["memory.entries"] = replace(registry.FLOWS["memory.entries"], natural_key=fields)

    def again(self) -> Flow:
        self.flow.refresh_from_db()
        return self.flow

    @property
    def run(self) -> Run:
        return Run.objects.filter(flow=self.flow).latest("began_at")

    def clock_now(self) -> datetime:
        return timezone.now()

    def assert_items(self, n: int) -> None:
        assert len(self.shelf.items) == n

    def assert_whole(self, n: int) -> None:
        """Every record stands on the shelf once, and the sums agree to the cent."""
        keys = sorted(item["key"] for item in self.shelf.items.values())
        assert keys == sorted(f"ledger:{external_id}" for external_id in self.ledger.entries)
        assert len(keys) == n
        assert self.shelf.total == sum(record.values["amount"] for record in self.ledger.entries.values())


def make_flow(name: str = "entries", rules: tuple[Rule, ...] = RULES) -> Flow:
    """A flow of the current tenant with connections of its own."""
    ends = {}
    for vendor in ("ledger", "shelf"):
        ends[vendor] = Connection(name=f"{vendor}-{name}", vendor=vendor, credentials_set_at=timezone.now())
        ends[vendor].save()
    flow = Flow(
        name=name,
        kind="memory.entries",
        source=ends["ledger"],
        target=ends["shelf"],
        place="shelf",
        place_title="The shelf",
        schedule="every hour",
        mapping=new_version(None, rules, by=SYSTEM),
        state=FlowState.ACTIVE,
    )
    flow.save()
    due.enrol(flow)
    Due.objects.filter(pk=flow.id).update(due_at=timezone.now())
    return flow


@pytest.fixture
def memory() -> Iterator[tuple[Ledger, Shelf]]:
    """The two vendors, offered like any other."""
    ledger, shelf = Ledger(), Shelf()
    source, target = vendors(ledger, shelf)
    registry.VENDORS |= {"ledger": source, "shelf": target}
    registry.FLOWS["memory.entries"] = spec_of(source, target)
    yield ledger, shelf
    del registry.VENDORS["ledger"], registry.VENDORS["shelf"], registry.FLOWS["memory.entries"]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def story(memory: tuple[Ledger, Shelf], anna_org: Any, clock: Any) -> Iterator[Story]:
    with acting_for(anna_org):
        yield Story(anna_org, make_flow(), *memory, clock)


@pytest.fixture
def stories(memory: tuple[Ledger, Shelf], anna_org: Any, clock: Any) -> Iterator[Callable[[], Story]]:
    """As many stories as a test wants, each with a flow and two vendors of its own."""
    names = count(1)

    def begin() -> Story:
        ledger, shelf = Ledger(), Shelf()
        source, target = vendors(ledger, shelf)
        registry.VENDORS |= {"ledger": source, "shelf": target}
        registry.FLOWS["memory.entries"] = spec_of(source, target)
        return Story(anna_org, make_flow(f"entries-{next(names)}"), ledger, shelf, clock)

    with acting_for(anna_org):
        yield begin


def links(flow: Flow) -> dict[str, str]:
    return dict(Link.objects.filter(flow=flow).values_list("external_id", "state"))

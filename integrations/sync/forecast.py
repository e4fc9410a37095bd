"""Before a load: what is there, what it would make and change, what it costs at each vendor, and when it ends under their limits."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from integrations import connections
from integrations.http import listening
from integrations.models import Flow, Link
from integrations.models.flow import LinkState
from integrations.sync import due, serve
from integrations.sync.plan import INCOMPLETE
from integrations.sync.slices import Slice
from integrations.sync.spec import FlowSpec
from integrations.types import Load, Needed, Vendor
from tenants.models import Tenant
from tenants.scoping import current_tenant_id


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A full load, foretold. ``population`` says in words what "all records" means."""

    spec: FlowSpec
    board: str
    zone: str
    made_at: datetime
    population: str
    n_records: int
    n_standing: int
    n_creates: int
    n_updates: int  # at most: only what differs is written
    read: Needed
    write: Needed
    calls: Counter[str] = field(default_factory=Counter)  # what the forecast itself cost

    @property
    def ends_at(self) -> datetime:
        """Reading and writing take turns, so their times add up."""
        return self.write.ends_at + (self.read.ends_at - self.made_at)

    @property
    def waits_for(self) -> str:
        """The limit that the load waits for: "Monday.com's daily limit"; empty for none."""
        sides = ((self.spec.target, self.write), (self.spec.source, self.read))
        return next((f"{vendor.name}'s {needed.waits_for}" for vendor, needed in sides if needed.waits_for), "")


def forecast(flow: Flow) -> Forecast:
    """One call to the source, one to the target. Raises what they raise; nothing is written, here or there."""
    now, calls = timezone.now(), Counter[str]()
    slice_ = serve.open_slice(flow, due.Lease(flow_id=flow.id, tenant_id=current_tenant_id(), number=-1))
    with listening(lambda vendor, _operation: calls.update([vendor])):
        population = slice_.source.population()
        load, board = _load(slice_, sum(total.n for total in population.totals))
    ends = {"read": (slice_.spec.source, flow.source), "write": (slice_.spec.target, flow.target)}
    needed = {side: _needed(side, vendor, connection, load, now) for side, (vendor, connection) in ends.items()}
    return Forecast(
        spec=slice_.spec,
        board=board,
        zone=Tenant.objects.get(pk=current_tenant_id()).time_zone,
        made_at=now,
        population=population.said,
        n_records=load.n_records,
        n_standing=_standing(flow).count(),
        n_creates=load.n_creates,
        n_updates=load.n_updates,
        calls=calls,
        **needed,
    )


def _load(slice_: Slice, n_records: int) -> tuple[Load, str]:
    flow = slice_.flow
    fields = serve.fields_read(slice_.spec, slice_.mapping.rules, flow.options)
    if not flow.place:  # reference data has no board
        return Load(n_records=n_records, fields=fields), ""
    schema = slice_.target.schema()
    is_first = flow.cursor is None and flow.adopted_at is None
    load = Load(
        n_records=n_records,
        n_creates=max(0, n_records - _linked(flow).count()),
        n_updates=_to_update(flow).count(),
        n_items=schema.n_items,
        n_items_max=schema.n_items_max,
        finds_out=is_first,
        fields=fields,
    )
    return load, schema.title


def _linked(flow: Flow) -> Any:
    """Records that have been met: they stand, were refused, or were taken off the board, and are not made anew by a load."""
    return Link.objects.filter(flow=flow, deleted_at=None).exclude(state=LinkState.INTENDED, target_id="")


def _standing(flow: Flow) -> Any:
    return Link.objects.filter(flow=flow).exclude(target_id="").exclude(state__in=(LinkState.GONE, LinkState.WITHDRAWN))


def _to_update(flow: Flow) -> Any:
    """Items whose content is not known for certain, or was written under an older mapping."""
    return _standing(flow).filter(Q(fingerprint__in=["", INCOMPLETE]) | ~Q(mapping=flow.mapping_id), deleted_at=None)


def _needed(side: str, vendor: Vendor, connection: Any, load: Load, now: datetime) -> Needed:
    forecaster = vendor.forecast_read if side == "read" else vendor.forecast_write
    if forecaster is None or connection is None:
        return Needed(n_calls=0, ends_at=now)
    return forecaster(load, connection.settings, connections.limits_known(connection), now)


# -- In words -------------------------------------------------------------------------------------------------------------------


def in_words(found: Forecast) -> str:
    """What a controller asks before a load: how many, what it costs, how long, and what it waits for."""
    return "\n".join(filter(None, [_counts(found), _costs(found), *found.read.said, *found.write.said, _end(found)]))


def as_json(found: Forecast) -> dict[str, Any]:
    sides = {"source": found.read, "target": found.write}
    return {
        "population": found.population,
        "records": found.n_records,
        "standing": found.n_standing,
        "creates": found.n_creates,
        "updates": found.n_updates,
        "calls": {side: needed.n_calls for side, needed in sides.items()},
        "seconds": round((found.ends_at - found.made_at).total_seconds()),
        "ends_at": found.ends_at.isoformat(timespec="seconds"),
        "waits_for": found.waits_for,
        "said": [*found.read.said, *found.write.said],
    }


def _counts(found: Forecast) -> str:
    one, many = found.spec.noun
    noun = one if found.n_records == 1 else many
    there = f"{found.n_records:,} {noun} in {found.spec.source.name} ({found.population})"
    if not found.board:
        return f"{there}."
    stand = "stands" if found.n_standing == 1 else "stand"
    made = f"{found.n_creates:,} would be made" + (f", up to {found.n_updates:,} changed" if found.n_updates else "")
    return f"{there}: {found.n_standing:,} {stand} on the board ‘{found.board}’, {made}."


def _costs(found: Forecast) -> str:
    source, target = found.spec.source.name, found.spec.target.name
    calls = f"{_calls(found.read.n_calls)} to {source}"
    if found.board:
        calls += f", about {found.write.n_calls:,} to {target}"
    waits = f"; {found.waits_for} is what it waits for" if found.waits_for else ""
    return f"{calls}, {_lasts(found.ends_at - found.made_at)}{waits}."


def _calls(n: int) -> str:
    return f"{n:,} call" if n == 1 else f"{n:,} calls"


def _lasts(lasts: timedelta) -> str:
    minutes = round(lasts.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    hours = round(minutes / 60)
    return f"about {hours} hours" if hours < 48 else f"about {round(hours / 24)} days"


def _end(found: Forecast) -> str:
    """Only where it ends on another day: a load of an hour needs no date."""
    if found.ends_at.date() == found.made_at.date():
        return ""
    local = found.ends_at.astimezone(ZoneInfo(found.zone))
    return f"It ends on {found.ends_at:%Y-%m-%d} at about {found.ends_at:%H:%M} UTC ({local:%Y-%m-%d %H:%M} {found.zone})."

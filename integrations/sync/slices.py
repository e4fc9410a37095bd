"""One slice of a run: the lease, the clock, the run's row and its counts. Everything that a slice writes goes through here."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import structlog
from django.db.models import F
from django.utils import timezone

from integrations.models import Flow, Link, ReviewItem, Run
from integrations.models.run import OPEN_STATES, RunState
from integrations.sync import options, reference, review, routes
from integrations.sync.due import Lease
from integrations.sync.plan import INCOMPLETE, REKEYED, Known, MappingPlan, Planned, plan_record
from integrations.sync.spec import FlowSpec
from integrations.types import Cursor, Record, Schema, Source, Target
from mappings.fields import Values, dump_values, load_values

SLICE_LASTS = timedelta(seconds=45)

Clock: TypeAlias = Callable[[], float]


class Slice:
    """The part of a run that one task carries out."""

    def __init__(
        self,
        flow: Flow,
        lease: Lease,
        *,
        spec: FlowSpec,
        mapping: MappingPlan,
        source: Source,
        target: Target | None,
        key_prefix: str,
        fetch_list: Callable[[str], int] = lambda name: 0,
        warn: Callable[[str, str], None] = lambda code, said: None,
        asked_by: str = "",
        clock: Clock = time.monotonic,
        run: Run | None = None,
    ) -> None:
        self.flow, self.lease, self.spec, self.mapping = flow, lease, spec, mapping
        self.source, self._target, self.key_prefix, self.asked_by = source, target, key_prefix, asked_by
        self.options = options.read(flow.options)
        self.routes = routes.read(flow.options, flow.place)
        self.warn = warn
        self._fetch_list, self._lists_fetched = fetch_list, set[str]()
        self._has_reviews = ReviewItem.objects.filter(flow=flow).exists()
        self.calls: Counter[str] = Counter()
        self.n_made = 0  # items made since the schema was read: the place fills up
        self._schema: Schema | None = None
        self._counts: Counter[str] = Counter()  # not stored yet
        self._told_at = datetime.min.replace(tzinfo=UTC)
        self._clock, self._began = clock, clock()
        self._run = run or Run.objects.filter(flow=flow, state__in=OPEN_STATES).first()

    @property
    def target(self) -> Target:
        if self._target is None:
            raise TypeError(f"the flow {self.flow.name} has no target")
        return self._target

    def same_login_since(self, moment: datetime) -> bool:
        """Idempotency keys belong to a login: whether the target's is still the one of that moment."""
        changed_at = self.flow.target.credentials_set_at if self.flow.target else None
        return changed_at is None or moment >= changed_at

    # -- Writing ----------------------------------------------------------------------------------------------------------------

    @contextmanager
    def holding(self) -> Iterator[None]:
        """A transaction under the lease, ended by what the run counts."""
        before, counted = self._run, self._counts.copy()
        try:
            with self.lease.holding():
                yield
                self._store_counts()
        except BaseException:  # rolled back: a run that was made in it does not exist, and nothing was counted
            self._run, self._counts = before, counted
            raise

    @property
    def run(self) -> Run:
        """The open run, made when there is something to tell: call it within ``holding``."""
        if self._run is None:
            before = Run.objects.filter(flow=self.flow).order_by("-began_at").values_list("mapping", flat=True).first()
            self._run = Run.objects.create(
                flow=self.flow,
                began_at=timezone.now(),
                asked_by=self.asked_by,
                mapping=self.flow.mapping,
                mapping_before_id=before or self.flow.mapping_id,
            )
            structlog.contextvars.bind_contextvars(run=str(self._run.id))
        return self._run

    @property
    def has_run(self) -> bool:
        return self._run is not None

    def count(self, **amounts: int) -> None:
        """Add to the run's counts: ``count(n_created=3)``; call it within ``holding``, which stores them."""
        self._counts.update(amounts)

    def got_through(self) -> None:
        """An answer came: failures before it were no outage, and the next pause begins small again; call it within ``holding``."""
        if self.flow.n_setbacks:
            Flow.objects.filter(pk=self.flow.pk).update(n_setbacks=0)
            self.flow.n_setbacks = 0

    def note_unknown(self, unknown: Mapping[str, review.Unknown]) -> None:
        """Put values that no list knows on the review page, and take off what is known now; call it within ``holding``."""
        if self._has_reviews or any(unknown.values()):
            review.note(self.flow, unknown, {rule.column: rule.name for rule in self.mapping.rules})
            self._has_reviews = True

    def note_read(self, n: int) -> None:
        """A page of so many records is finished; counted once there is a run to count it on."""
        self._counts["n_read"] += n

    def _store_counts(self) -> None:
        if any(amount for name, amount in self._counts.items() if name != "n_read"):
            _ = self.run  # something happened: there is a run to tell it of
        if self._run is None:
            return
        self._counts["n_source_calls"] += self.calls.pop(self.spec.source.key, 0)
        self._counts["n_target_calls"] += sum(self.calls.values())
        self.calls.clear()
        if grown := {name: F(name) + amount for name, amount in self._counts.items() if amount}:
            Run.objects.filter(pk=self._run.pk).update(**grown)
        self._counts.clear()

    def checkpoint(self, cursor: Cursor) -> bool:
        """Store the cursor: the page before it is safe at the target. False when somebody asked for a resync meanwhile."""
        with self.holding():
            flow = Flow.objects.filter(pk=self.flow.pk, n_resyncs=self.flow.n_resyncs)
            stored = flow.update(cursor=cursor, n_setbacks=0)
        self.flow.cursor = dict(cursor)
        return bool(stored)

    def open_again(self) -> None:
        """A run that waited goes on."""
        if self._run and self._run.state == RunState.WAITING:
            with self.holding():
                Run.objects.filter(pk=self._run.pk, state=RunState.WAITING).update(state=RunState.RUNNING, said="")

    def out_of_time(self) -> bool:
        return self._clock() - self._began > SLICE_LASTS.total_seconds()

    # -- Reading ----------------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return timezone.now()

    def moment(self) -> datetime:
        """Now, and later than any moment told before: two things that happened to a record keep their order on the coarsest clock."""
        self._told_at = max(self.now(), self._told_at + timedelta(microseconds=1))
        return self._told_at

    def schema(self) -> Schema:
        """The place as it is, read once a slice and only when something is to be written."""
        if self._schema is None:
            self._schema = self.target.schema()
        return self._schema

    def known(self, external_ids: Sequence[str]) -> dict[str, str]:
        """The source versions that are settled under today's mapping: what a source need not read again."""
        settled = Link.objects.filter(flow=self.flow, external_id__in=external_ids, mapping=self.flow.mapping_id)
        settled = settled.exclude(state="intended").exclude(fingerprint__in=["", INCOMPLETE, REKEYED]).filter(deleted_at=None)
        return dict(settled.values_list("external_id", "source_version"))

    def plan(
        self, records: Sequence[Record], *, rewrite: frozenset[str] = frozenset(), deleted: frozenset[str] = frozenset()
    ) -> list[Planned]:
        """One query brings the page's links; the rest is pure, unless a value is met that no list knows: then the list is read once."""
        ids = [record.external_id for record in records]
        links = {link.external_id: link for link in Link.objects.filter(flow=self.flow, external_id__in=ids)}
        planned = self._plan(records, links, rewrite, deleted)
        unknown = {values for each in planned for values, _, _ in each.unknown} - self._lists_fetched
        if unknown and sum(self._fetch_list(name) for name in sorted(unknown)):
            self.mapping = replace(self.mapping, lookups=reference.lookups(self.flow, self.mapping.rules))
            planned = self._plan(records, links, rewrite, deleted)
        self._lists_fetched |= unknown
        return planned

    def _plan(
        self, records: Sequence[Record], links: Mapping[str, Link], rewrite: frozenset[str], deleted: frozenset[str]
    ) -> list[Planned]:
        return [
            plan_record(
                self.mapping,
                record,
                known_of(links.get(record.external_id), self.flow.place),
                key=self.key_prefix + record.external_id,
                place=self.routes.place_of(record),
                rewrite=record.external_id in rewrite,
                is_deleted=record.external_id in deleted,
            )
            for record in _last_of_each(records)
        ]

    def attachment(self, values: Values) -> str:
        """The source's id of the documents that belong on the record's item; empty unless the flow carries files."""
        return str(values.get(self.spec.attachment) or "") if self.options.attachments and self.spec.attachment else ""

    def natural_key(self, record: Record) -> str:
        """What people know the record by; empty when a part of it is missing."""
        parts = [str(record.values.get(field) or "") for field in self.spec.natural_key]
        return "/".join(parts)[:250] if all(parts) else ""


def known_of(link: Link | None, place: str = "") -> Known | None:
    if link is None:
        return None
    return Known(
        target_id=link.target_id,
        state=link.state,
        fingerprint=link.fingerprint,
        version=link.source_version,
        place=link.place or place,
        written=load_values(link.written),
    )


def _last_of_each(records: Sequence[Record]) -> list[Record]:
    """A record that a page holds twice counts once, as it was last."""
    return list({record.external_id: record for record in records}.values())


def stored_source(record: Record) -> dict[str, Any]:
    """The record as JSON, for the link: it can be mapped again without asking the source."""
    return {"values": dump_values(record.values), "lines": [dump_values(line) for line in record.lines]}


def record_of(link: Link) -> Record:
    """The record as it was last settled."""
    stored = link.source or {"values": {}, "lines": []}
    return Record(
        external_id=link.external_id,
        label=link.label,
        values=load_values(stored["values"]),
        lines=tuple(load_values(line) for line in stored["lines"]),
        version=link.source_version,
    )

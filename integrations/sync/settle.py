"""Before a call: the intent. After it: one outcome per record. The two transactions that make doubles and losses impossible.

Killed between the two, the attempt's row is still there, with the exact body and everything that settling needs; the next slice asks
the target what became of it (``engine.settle_uncertain``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from integrations.errors import RecordRejected
from integrations.models import Attempt, Link, RecordOutcome
from integrations.models.flow import LinkState
from integrations.models.run import What
from integrations.sync.plan import Planned
from integrations.sync.routes import translated
from integrations.sync.slices import Slice, stored_source
from integrations.types import Batch, Done, Gone, NotWritten, Refused, Result, Write
from mappings.fields import dump_value, dump_values, load_values
from tenants import audit

FEW = 500  # rows of one statement


def member_of(
    planned: Planned,
    write: Write,
    *,
    natural_key: str = "",
    deleted: bool = False,
    columns: Mapping[str, str] | None = None,
    mapping: Any = None,
) -> dict[str, Any]:
    """Everything that settling this write will need, as JSON: the plan may be gone by then."""
    return {
        "external_id": write.external_id,
        "key": write.key,
        "label": write.label,
        "target_id": write.target_id,
        "values": dump_values(write.values),
        "before": {column: dump_value(before) for column, (before, _) in planned.differences.items()},
        "stood": dump_values(write.before),
        "fingerprint": planned.fingerprint,
        "version": planned.record.version,
        "source": stored_source(planned.record),
        "flags": planned.flags,
        "unknown": [list(each) for each in planned.unknown],
        "natural_key": natural_key,
        "deleted": deleted or planned.is_deleted,
        "mapping": str(mapping or ""),
        "archives": write.archives,
        "place": write.place,
        "moves_from": write.moves_from,
        "rekeys": write.rekeys,
        "parent_id": write.parent_id,
        "columns": dict(columns or {}),  # what the columns are called there, where that differs
        "withdraws": False,  # an undo takes the item off the board: it is made anew when its record changes
        "without": [],  # columns that were refused and left out
        "trial": False,  # a single column of an item that stands without it
    }


def write_of(member: Mapping[str, Any]) -> Write:
    return Write(
        external_id=member["external_id"],
        key=member["key"],
        label=member["label"],
        target_id=member["target_id"],
        values=translated(load_values(member["values"]), member["columns"]),
        before=translated(load_values(member["stood"]), member["columns"]),
        place=member["place"],
        moves_from=member["moves_from"],
        rekeys=member["rekeys"],
        parent_id=member["parent_id"],
        archives=member["archives"],
    )


def may_do_without(member: Mapping[str, Any], refused: Refused) -> bool:
    """Some columns are to blame, others are not, and it was not tried without them yet."""
    columns = refused.error.columns
    return bool(columns) and not member["without"] and not member["trial"] and not set(member["values"]) <= set(columns)


def member_without(member: Mapping[str, Any], refused: Refused) -> dict[str, Any]:
    """The same write without the columns that may be to blame, flagged with what the target said."""
    values = {column: value for column, value in member["values"].items() if column not in refused.error.columns}
    flags = " ".join(filter(None, [member["flags"], refused.error.said]))
    return {**member, "values": values, "without": list(refused.error.columns), "flags": flags}


def members_of_trial(member: Mapping[str, Any], original: Mapping[str, Any], target_id: str) -> list[dict[str, Any]]:
    """One write for each of several suspects, now that the item stands without them: those that are innocent arrive."""
    if len(member["without"]) < 2:
        return []
    shared = {**original, "target_id": target_id, "trial": True}
    return [
        {**shared, "values": {column: original["values"][column]}} for column in member["without"] if column in original["values"]
    ]


def batch_of(attempt: Attempt) -> Batch:
    """The batch exactly as it was sent."""
    return Batch(writes=tuple(write_of(member) for member in attempt.members), body=attempt.body, bulk=attempt.is_bulk)


def intend(slice_: Slice, batch: Batch, members: Sequence[Mapping[str, Any]]) -> Attempt:
    """Store what is about to be sent: the attempt, and a link for each record that must not be forgotten."""
    ids = [member["external_id"] for member in members]
    with slice_.holding():
        attempt = Attempt.objects.create(
            flow=slice_.flow, run=slice_.run, body=batch.body, is_bulk=batch.bulk, members=list(members), sent_at=slice_.now()
        )
        linked = set(Link.objects.filter(flow=slice_.flow, external_id__in=ids).values_list("external_id", flat=True))
        if linked:
            Link.objects.filter(flow=slice_.flow, external_id__in=list(linked)).update(state=LinkState.INTENDED)
        fresh = {member["external_id"]: member for member in members if member["external_id"] not in linked}
        Link.objects.bulk_create(
            Link(flow=slice_.flow, external_id=external_id, label=member["label"][:250]) for external_id, member in fresh.items()
        )
    return attempt


@dataclass(kw_only=True)
class Settlement:
    """What one answer changes, gathered before it is written."""

    links: list[Link] = field(default_factory=list)
    forgotten: list[Link] = field(default_factory=list)  # creates that certainly did not happen
    outcomes: list[RecordOutcome] = field(default_factory=list)
    refused: list[tuple[Mapping[str, Any], Refused]] = field(default_factory=list)  # to be sent again without some columns
    n_not_written: int = 0


def settle(slice_: Slice, attempt: Attempt, results: Sequence[Result]) -> Settlement:
    """Store one outcome per record and close the attempt, in one transaction; a record's refusal never touches its neighbours."""
    links = {
        link.external_id: link
        for link in Link.objects.filter(flow=slice_.flow, external_id__in=[member["external_id"] for member in attempt.members])
    }
    settled = Settlement()
    with slice_.holding():
        for member, result in zip(attempt.members, map(_in_our_words, attempt.members, results), strict=True):
            _settle_one(slice_, settled, links[member["external_id"]], member, result)
        _store(slice_, settled)
        Attempt.objects.filter(pk=attempt.pk).delete()
        slice_.got_through()
        slice_.note_unknown({member["external_id"]: member["unknown"] for member in attempt.members})
        _count(slice_, settled)
        _record_audit(slice_, settled)
    return settled


def _in_our_words(member: Mapping[str, Any], result: Result) -> Result:
    """A refusal names the columns of the place where it happened; everything else here speaks of the flow's own."""
    if not isinstance(result, Refused) or not member["columns"]:
        return result
    ours = {theirs: column for column, theirs in member["columns"].items()}
    error = RecordRejected(result.error.said, columns=[ours.get(column, column) for column in result.error.columns])
    return Refused(external_id=result.external_id, error=error)


def _settle_one(slice_: Slice, settled: Settlement, link: Link, member: Mapping[str, Any], result: Result) -> None:
    match result:
        case Done() if member["withdraws"]:
            _stamp(slice_, link, member, LinkState.WITHDRAWN)
            link.target_id, link.written = "", {}
            settled.outcomes.append(_outcome(slice_, member, What.GONE, said=member["flags"]))
        case Done() if member["archives"]:
            _stamp(slice_, link, member, LinkState.GONE)
            settled.outcomes.append(_outcome(slice_, member, What.DELETED, said=member["flags"]))
        case Done(target_id=target_id):
            what = What.DELETED if member["deleted"] else What.UPDATED if member["target_id"] else What.CREATED
            _stamp(slice_, link, member, LinkState.SETTLED)
            link.target_id = target_id
            link.written = {**(link.written if member["target_id"] else {}), **member["values"]}
            settled.outcomes.append(_outcome(slice_, member, what, said=member["flags"]))
        case Gone(said=said):
            _stamp(slice_, link, member, LinkState.GONE)
            settled.outcomes.append(_outcome(slice_, member, What.GONE, said=said))
        case Refused() if may_do_without(member, result):
            settled.refused.append((member, result))
            _forget(settled, link)
            return
        case Refused(error=error) if member["trial"]:
            _stamp(slice_, link, member, LinkState.SETTLED)
            settled.outcomes.append(_outcome(slice_, member, What.FLAGGED, said=error.said))
        case Refused(error=error):
            _stamp(slice_, link, member, LinkState.REJECTED)
            settled.outcomes.append(_outcome(slice_, member, What.FAILED, said=error.said))
        case NotWritten():
            settled.n_not_written += 1
            _forget(settled, link)
            return
    settled.links.append(link)


def _stamp(slice_: Slice, link: Link, member: Mapping[str, Any], state: LinkState) -> None:
    link.state, link.fingerprint, link.source_version = state, member["fingerprint"], member["version"]
    link.mapping, link.source, link.label = slice_.flow.mapping, member["source"], member["label"][:250]
    if member["mapping"] not in ("", str(slice_.flow.mapping_id)):
        link.mapping_id = UUID(member["mapping"])  # sent under an older mapping: to be mapped again under today's
    link.changed_at = slice_.now()
    link.natural_key, link.place = member["natural_key"], member["place"]
    link.attachment = slice_.attachment(load_values(member["source"]["values"]))
    link.deleted_at = (link.deleted_at or slice_.now()) if member["deleted"] else None


def _forget(settled: Settlement, link: Link) -> None:
    """Nothing came of it: a create is as if it had never been planned; an item's values are no longer known for certain."""
    if not link.target_id:
        settled.forgotten.append(link)
        return
    link.state, link.fingerprint = LinkState.SETTLED, ""
    settled.links.append(link)


def _outcome(slice_: Slice, member: Mapping[str, Any], what: What, *, said: str) -> RecordOutcome:
    differences = {column: [member["before"].get(column), value] for column, value in member["values"].items()}
    return RecordOutcome(
        run=slice_.run,
        flow=slice_.flow,
        external_id=member["external_id"],
        label=member["label"][:250],
        what=what,
        differences=differences if what in (What.CREATED, What.UPDATED) else {},
        said=said,
        is_open=what == What.FAILED,
        made_at=slice_.moment(),
    )


_LINK_FIELDS = [
    "target_id",
    "state",
    "fingerprint",
    "mapping",
    "source_version",
    "source",
    "written",
    "label",
    "changed_at",
    "natural_key",
    "attachment",
    "place",
    "deleted_at",
]


def _store(slice_: Slice, settled: Settlement) -> None:
    _store_links(slice_, list({link.pk: link for link in settled.links}.values()), _LINK_FIELDS)
    Link.objects.filter(pk__in=[link.pk for link in settled.forgotten]).delete()
    ids = [outcome.external_id for outcome in settled.outcomes]
    RecordOutcome.objects.filter(Q(is_open=True), flow=slice_.flow, external_id__in=ids).update(is_open=False)
    RecordOutcome.objects.bulk_create(settled.outcomes, batch_size=FEW)


def _store_links(slice_: Slice, links: Sequence[Link], fields: Sequence[str]) -> None:
    """Links that exist, as one upsert: several times faster than ``bulk_update``, whose CASE for each field grows with the rows."""
    for link in links:
        link.flow = slice_.flow  # known, so its tenant need not be looked up once more
    Link.objects.bulk_create(
        links, batch_size=FEW, update_conflicts=True, unique_fields=["flow", "external_id"], update_fields=fields
    )


def _count(slice_: Slice, settled: Settlement) -> None:
    n = {what: sum(outcome.what == what for outcome in settled.outcomes) for what in What}
    slice_.count(n_created=n[What.CREATED], n_updated=n[What.UPDATED], n_failed=n[What.FAILED], n_gone=n[What.GONE])


def _record_audit(slice_: Slice, settled: Settlement) -> None:
    """One event per settled batch, listing its records."""
    if settled.outcomes:
        happened = {str(what): [o.external_id for o in settled.outcomes if o.what == what] for what in What}
        details = {"run": str(slice_.run.id), **{what: ids for what, ids in happened.items() if ids}}
        audit.record("records.settled", subject=slice_.flow, by=audit.SYSTEM, details=details)


def restamp(slice_: Slice, planned: Sequence[Planned]) -> None:
    """Renew our own rows for records that changed without changing anything that is mapped: no call, no outcome."""
    by_id = {each.record.external_id: each for each in planned}
    for ids in _cut(list(by_id)):
        links = list(Link.objects.filter(flow=slice_.flow, external_id__in=ids))
        for link in links:
            each = by_id[link.external_id]
            link.fingerprint, link.source_version = each.fingerprint, each.record.version
            link.mapping, link.source = slice_.flow.mapping, stored_source(each.record)
            link.natural_key = slice_.natural_key(each.record)
            link.deleted_at = link.deleted_at if each.is_deleted else None
            link.attachment = slice_.attachment(each.record.values)
        _store_links(
            slice_, links, ["fingerprint", "source_version", "mapping", "source", "natural_key", "deleted_at", "attachment"]
        )
        slice_.note_unknown({external_id: by_id[external_id].unknown for external_id in ids})


def note_deleted(slice_: Slice, planned: Sequence[Planned]) -> None:
    """Records that are gone at the source where nothing of their items has to change: only we remember it."""
    if not planned:
        return
    ids = [each.record.external_id for each in planned]
    Link.objects.filter(flow=slice_.flow, external_id__in=ids).update(deleted_at=slice_.now())
    RecordOutcome.objects.bulk_create(
        RecordOutcome(
            run=slice_.run,
            flow=slice_.flow,
            external_id=each.record.external_id,
            label=each.record.label[:250],
            what=What.DELETED,
            said=f"{slice_.spec.source.name} no longer has it.",
            made_at=slice_.now(),
        )
        for each in planned
    )
    audit.record("records.settled", subject=slice_.flow, by=audit.SYSTEM, details={"run": str(slice_.run.id), "deleted": ids})


def fail_unread(slice_: Slice, failures: Sequence[tuple[str, str, str]]) -> None:
    """Dead letters for records that never reached a plan: (external id, label, sentence)."""
    told = RecordOutcome.objects.filter(flow=slice_.flow, external_id__in=[f[0] for f in failures], is_open=True)
    known = set(told.values_list("external_id", "said"))
    failures = [failure for failure in failures if (failure[0], failure[2]) not in known]
    if not failures:
        return
    ids = [external_id for external_id, _, _ in failures]
    RecordOutcome.objects.filter(flow=slice_.flow, external_id__in=ids, is_open=True).update(is_open=False)
    RecordOutcome.objects.bulk_create(
        RecordOutcome(
            run=slice_.run,
            flow=slice_.flow,
            external_id=external_id,
            label=label[:250],
            what=What.FAILED,
            said=said,
            is_open=True,
            made_at=slice_.now(),
        )
        for external_id, label, said in failures
    )
    slice_.count(n_failed=len(failures))
    audit.record("records.settled", subject=slice_.flow, by=audit.SYSTEM, details={"run": str(slice_.run.id), "failed": ids})


def _cut(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), FEW):
        yield ids[start : start + FEW]

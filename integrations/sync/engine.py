"""The loop that carries records across: the same for every integration, door and vendor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from integrations.errors import RateLimited, RecordRejected
from integrations.models import Attempt, Link, RecordOutcome, ReviewItem, WakeUp
from integrations.models.flow import LinkState
from integrations.models.run import What
from integrations.sync import reference, review
from integrations.sync import settle as settling
from integrations.sync.attachments import carry_attachments
from integrations.sync.before_writing import LONGEST_ID, adopt, refuse_drift
from integrations.sync.endings import Ending
from integrations.sync.hand_edits import leave_hand_edits
from integrations.sync.parents import PARENT, below_their_parents
from integrations.sync.plan import INCOMPLETE, REKEYED, Planned, Step
from integrations.sync.slices import Slice, record_of
from integrations.types import Batch, Page, Record, Sent, Unreadable, Write
from mappings.fields import ITEMS_OF
from tenants import audit

PAGE = 500
FEW_MISSING, MOST_MISSING = 20, 0.2
"""More than so many records, and than this share of all, are not taken for deleted by a comparison of keys: rights were taken away."""
COMPARE_KEYS_AT = "compare_keys_at"
"""A source that cannot tell deletions puts into its cursor when all keys are to be compared."""


def carry_out(slice_: Slice) -> Ending:
    """Carry changed records across, page by page, until done or out of time; safe to start again after dying anywhere.

    Every error other than a record's own leaves this loop. The cursor moves when a page is safe at the target, never before.
    """
    slice_.open_again()
    settle_uncertain(slice_)
    for carry in (_carry_woken, _carry_remapped, _carry_changed, carry_attachments):
        if carry(slice_) is Ending.CONTINUES:
            return Ending.CONTINUES
    return Ending.DONE


# -- What an earlier slice sent and never heard back about ------------------------------------------------------------------------


def settle_uncertain(slice_: Slice) -> None:
    """Ask the target what became of every open attempt, before anything new is planned."""
    for attempt in list(Attempt.objects.filter(flow=slice_.flow).order_by("sent_at")):
        sent = Sent(
            batch=settling.batch_of(attempt),
            key=str(attempt.id),
            sent_at=attempt.sent_at,
            now=slice_.now(),
            same_login=slice_.same_login_since(attempt.sent_at),
        )
        settling.settle(slice_, attempt, slice_.target.resolve(sent))


# -- The three reasons for which a record is carried ------------------------------------------------------------------------------


def _carry_woken(slice_: Slice) -> Ending:
    """Records that a webhook told of, or that somebody wants replayed: fetched by id, as they are now."""
    while woken := list(WakeUp.objects.filter(flow=slice_.flow).order_by("told_at")[:PAGE]):
        page = slice_.source.fetch([wake_up.external_id for wake_up in woken])
        rewrite = frozenset(wake_up.external_id for wake_up in woken if wake_up.rewrite)
        if carry_page(slice_, page, rewrite=rewrite) is Ending.CONTINUES:
            return Ending.CONTINUES
        _forget_woken(slice_, woken, page)
        if slice_.out_of_time():
            return Ending.CONTINUES
    return Ending.DONE


def _forget_woken(slice_: Slice, woken: Sequence[WakeUp], page: Page) -> None:
    """Only what was fetched is done: a record that was told of again meanwhile keeps its wake-up."""
    found = {record.external_id for record in page.records} | {each.external_id for each in page.unreadable}
    missing = [wake_up.external_id for wake_up in woken if wake_up.external_id not in found]
    with slice_.holding():
        for wake_up in woken:
            WakeUp.objects.filter(pk=wake_up.pk, told_at=wake_up.told_at).delete()
        RecordOutcome.objects.filter(flow=slice_.flow, external_id__in=missing, is_open=True).update(is_open=False)
        RecordOutcome.objects.bulk_create(
            RecordOutcome(
                run=slice_.run,
                flow=slice_.flow,
                external_id=external_id,
                what=What.MISSING,
                said=f"{slice_.spec.source.name} no longer has this {slice_.spec.noun[0]}.",
                made_at=slice_.now(),
            )
            for external_id in missing
        )


def _carry_remapped(slice_: Slice) -> Ending:
    """After the mapping changed: every record as it was last read, so that exactly what the change touches is rewritten."""
    while links := list(_under_an_older_mapping(slice_)[:PAGE]):
        page = Page(records=tuple(record_of(link) for link in links), cursor={})
        deleted = frozenset(link.external_id for link in links if link.deleted_at)
        if carry_page(slice_, page, deleted=deleted) is Ending.CONTINUES:
            return Ending.CONTINUES
        with slice_.holding():  # whatever came of it, each of them has been looked at under today's mapping
            Link.objects.filter(pk__in=[link.pk for link in links]).update(mapping=slice_.flow.mapping)
        if slice_.out_of_time():
            return Ending.CONTINUES
    return Ending.DONE


def _under_an_older_mapping(slice_: Slice) -> QuerySet[Link]:
    carried = Link.objects.filter(flow=slice_.flow, state__in=(LinkState.SETTLED, LinkState.REJECTED), source__isnull=False)
    about_to_be_read = {"source_version": ""}
    return carried.exclude(mapping=slice_.flow.mapping_id).exclude(**about_to_be_read).order_by("external_id")


def _carry_changed(slice_: Slice) -> Ending:
    if slice_.flow.cursor is None and slice_.flow.adopted_at is None and slice_.flow.place:
        adopt(slice_)
    for page in slice_.source.changed_since(slice_.flow.cursor, slice_.known):
        if slice_.spec.is_reference:
            _remember(slice_, page)
        if slice_.flow.place and _carry_both(slice_, page) is Ending.CONTINUES:
            return Ending.CONTINUES
        if page.cursor != slice_.flow.cursor and not slice_.checkpoint(page.cursor):
            return Ending.CONTINUES
        if slice_.out_of_time():
            return Ending.CONTINUES
    return _compare_keys(slice_)


def _compare_keys(slice_: Slice) -> Ending:
    """Where the source cannot tell what was deleted, all its keys are compared with the links, as often as its cursor says.

    A read that does not reach the end raises, so that nothing is ever taken for deleted because a page was missing.
    """
    cursor = slice_.flow.cursor or {}
    if not cursor.get(COMPARE_KEYS_AT) or datetime.fromisoformat(cursor[COMPARE_KEYS_AT]) > slice_.now():
        return Ending.DONE
    pages = slice_.source.keys()
    there = {external_id for page in pages for external_id in page}
    linked = Link.objects.filter(flow=slice_.flow, state=LinkState.SETTLED, deleted_at=None, source__isnull=False)
    missing = [external_id for external_id in linked.values_list("external_id", flat=True) if external_id not in there]
    if len(missing) > max(FEW_MISSING, linked.count() * MOST_MISSING):
        many, here = slice_.spec.noun[1], slice_.spec.source.name
        said = f"{len(missing):,} {many} can no longer be seen in {here}. None was marked: check what this user may see there."
        slice_.warn("many_missing", said)
        missing = []
    for start in range(0, len(missing), PAGE):
        if _carry_deleted(slice_, missing[start : start + PAGE]) is Ending.CONTINUES:
            return Ending.CONTINUES
    slice_.checkpoint(slice_.source.compared(cursor, slice_.now()))
    return Ending.DONE


def _carry_both(slice_: Slice, page: Page) -> Ending:
    """What is there, then what is gone: a bill that was made anew under another number takes its item along before it counts as gone."""
    if carry_page(slice_, page) is Ending.CONTINUES:
        return Ending.CONTINUES
    return _carry_deleted(slice_, page.deleted) if page.deleted else Ending.DONE


def _carry_deleted(slice_: Slice, external_ids: Sequence[str]) -> Ending:
    """Records that the source no longer has: their items are marked or archived, as the flow says; never deleted."""
    links = Link.objects.filter(flow=slice_.flow, external_id__in=external_ids, state=LinkState.SETTLED, deleted_at=None)
    links = links.filter(source__isnull=False)
    records = [record_of(link) for link in links]
    plan = slice_.plan(records, deleted=frozenset(record.external_id for record in records))
    if slice_.options.deleted == "archive":
        members = {each.record.external_id: _archiving(slice_, each) for each in plan}
    else:
        members = {each.record.external_id: _member(slice_, each, each.write, deleted=True) for each in plan if each.write}
    with slice_.holding():
        settling.note_deleted(slice_, [each for each in plan if each.record.external_id not in members])
    return send(slice_, members) if members else Ending.DONE


def _archiving(slice_: Slice, planned: Planned) -> dict[str, Any]:
    link = Link.objects.get(flow=slice_.flow, external_id=planned.record.external_id)
    key = slice_.key_prefix + link.external_id
    write = Write(
        external_id=link.external_id,
        key=key,
        label=link.label,
        values={},
        target_id=link.target_id,
        place=link.place,
        archives=True,
    )
    return _member(slice_, planned, write, deleted=True)


def _remember(slice_: Slice, page: Page) -> None:
    """Keep a page of reference data, and let go the records that waited for one of its codes."""
    with slice_.holding():
        reference.remember(slice_.flow.source, page.records)
        codes: dict[str, list[str]] = {}
        for record in page.records:
            codes.setdefault(str(record.values[reference.LIST]), []).append(str(record.values[reference.CODE]))
        for name, known in codes.items():
            review.release(name, known)


# -- One page -----------------------------------------------------------------------------------------------------------------------


def carry_page(
    slice_: Slice, page: Page, *, rewrite: frozenset[str] = frozenset(), deleted: frozenset[str] = frozenset()
) -> Ending:
    """Everything works on a page and a batch, never on one record at a time. CONTINUES: out of time, the page is not finished.

    ``deleted`` are records that the source no longer has, carried from what we remember of them.
    """
    page = _without_what_cannot_be_kept(page)
    _take_over_recreated(slice_, page.records)
    plan = slice_.plan(page.records, rewrite=rewrite, deleted=deleted)
    _store_what_needs_no_call(slice_, page, plan)
    if any(each.write for each in plan):
        refuse_drift(slice_, n_new=sum(each.step is Step.CREATE for each in plan))
        if _carry_plan(slice_, plan) is Ending.CONTINUES:
            return Ending.CONTINUES
    slice_.note_read(len(plan) + len(page.unreadable) + page.n_known)
    return Ending.DONE


def _without_what_cannot_be_kept(page: Page) -> Page:
    """An identity that is longer than our rows hold must not sink its neighbours: it becomes a dead letter."""
    if all(len(record.external_id) <= LONGEST_ID for record in page.records):
        return page
    said = f"Its number has more than {LONGEST_ID} characters, which is more than can be kept."
    kept = tuple(record for record in page.records if len(record.external_id) <= LONGEST_ID)
    dropped = tuple(
        Unreadable(external_id=record.external_id[:LONGEST_ID], label=record.label, error=RecordRejected(said))
        for record in page.records
        if len(record.external_id) > LONGEST_ID
    )
    return replace(page, records=kept, unreadable=(*page.unreadable, *dropped))


def _carry_plan(slice_: Slice, plan: Sequence[Planned]) -> Ending:
    """Creates without the columns that can only be set on an item that is there; those follow as updates of the same records."""
    deferred = {column.id for column in slice_.schema().columns if column.deferred}
    members, unfinished, left = {}, [], []
    for each in below_their_parents(slice_, leave_hand_edits(slice_, plan)):
        if each.write is None:
            continue
        if each.step is Step.UPDATE and not (each.write.values or each.write.moves_from or each.write.rekeys):
            left.append(each)
            continue
        member = _member(slice_, each, each.write)
        if each.step is Step.CREATE and deferred & set(member["values"]):
            member["values"] = {column: value for column, value in member["values"].items() if column not in deferred}
            member["fingerprint"] = INCOMPLETE
            unfinished.append(each.record)
        members[each.record.external_id] = member
    if left:
        with slice_.holding():
            settling.restamp(slice_, left)
    if send(slice_, members) is Ending.CONTINUES:
        return Ending.CONTINUES
    _let_go_related(slice_, plan)
    if unfinished:
        rest = {each.record.external_id: _member(slice_, each, each.write) for each in slice_.plan(unfinished) if each.write}
        return send(slice_, rest) if rest else Ending.DONE
    return Ending.DONE


def _member(slice_: Slice, planned: Planned, write: Write, *, deleted: bool = False) -> dict[str, Any]:
    return settling.member_of(
        planned,
        write,
        natural_key=slice_.natural_key(planned.record),
        deleted=deleted,
        columns=slice_.routes.columns_at(write.place),
        mapping=slice_.mapping.version,
    )


def _let_go_related(slice_: Slice, plan: Sequence[Planned]) -> None:
    """Other flows may wait for the items that were just made: a bill for its vendor."""
    creates = [each.record for each in plan if each.step is Step.CREATE]
    made = [key for record in creates for key in (slice_.natural_key(record), PARENT + record.external_id) if key]
    name = ITEMS_OF + slice_.flow.name
    if made and ReviewItem.objects.filter(values=name, resolved_at=None).exists():
        with slice_.holding():
            review.release(name, made)


def _take_over_recreated(slice_: Slice, records: Sequence[Record]) -> None:
    """A bill that purchasing deleted and made anew under another record number keeps its item: one bill number, one item.

    Only where the old record certainly is no more: two bills of one vendor may share a number.
    """
    if not slice_.spec.natural_key or slice_.flow.cursor is None:
        return
    named = {key: record for record in records if (key := slice_.natural_key(record))}
    linked = Link.objects.filter(flow=slice_.flow, external_id__in=[record.external_id for record in named.values()])
    known = set(linked.values_list("external_id", flat=True))
    fresh = {key: record for key, record in named.items() if record.external_id not in known}
    alike = Link.objects.filter(flow=slice_.flow, natural_key__in=list(fresh), state=LinkState.SETTLED).exclude(target_id="")
    candidates = {link.external_id: link for link in alike}
    if not candidates:
        return
    still_there = slice_.source.exists(list(candidates))
    with slice_.holding():
        for external_id, link in candidates.items():
            if external_id not in still_there:
                Link.objects.filter(pk=link.pk).update(
                    external_id=fresh[link.natural_key].external_id, source_version="", fingerprint=REKEYED, deleted_at=None
                )
                because = f"{slice_.spec.source.name} made {link.label} anew under another record number."
                details = {"was": external_id, "is": fresh[link.natural_key].external_id}
                audit.record("record.recreated", subject=slice_.flow, by=audit.SYSTEM, because=because, details=details)


def _store_what_needs_no_call(slice_: Slice, page: Page, plan: Sequence[Planned]) -> None:
    stamps = [each for each in plan if each.step in (Step.RESTAMP, Step.HELD)]
    if stamps or page.unreadable:
        with slice_.holding():
            settling.restamp(slice_, stamps)
            settling.fail_unread(slice_, [(each.external_id, each.label, each.error.said) for each in page.unreadable])


def send(slice_: Slice, members: Mapping[str, Mapping[str, Any]]) -> Ending:
    """Batch by batch: intent, call, outcome. The target cuts the batches one at a time, so that their size may adapt."""
    for batch in slice_.target.batches([settling.write_of(member) for member in members.values()]):
        _send_batch(slice_, batch, [members[write.external_id] for write in batch.writes])
        if slice_.out_of_time():
            return Ending.CONTINUES
    return Ending.DONE


def _send_batch(slice_: Slice, batch: Batch, members: Sequence[Mapping[str, Any]]) -> None:
    settled = _exchange(slice_, batch, members)
    for member, refused in settled.refused:
        _send_without(slice_, member, settling.member_without(member, refused))
    _refuse_partial(slice_, settled)


def _refuse_partial(slice_: Slice, settled: settling.Settlement) -> None:
    if settled.n_not_written:
        raise RateLimited(
            f"{slice_.spec.target.name} took only a part of what was sent. The rest follows in a moment.",
            vendor=slice_.spec.target.key,
            retry_after=timedelta(seconds=30),
        )


def _exchange(slice_: Slice, batch: Batch, members: Sequence[Mapping[str, Any]]) -> settling.Settlement:
    attempt = settling.intend(slice_, batch, members)
    return settling.settle(slice_, attempt, slice_.target.write(batch, key=str(attempt.id)))


def _send_without(slice_: Slice, original: Mapping[str, Any], member: Mapping[str, Any]) -> None:
    """Once more without the columns that were refused; where there are several suspects, each is then tried by itself."""
    for batch in slice_.target.batches([settling.write_of(member)]):
        _refuse_partial(slice_, _exchange(slice_, batch, [member]))
    link = Link.objects.filter(flow=slice_.flow, external_id=member["external_id"], state=LinkState.SETTLED).first()
    trials = settling.members_of_trial(member, original, link.target_id) if link else []
    for batch in slice_.target.batches([settling.write_of(trial) for trial in trials]):
        columns = [tuple(write.values) for write in batch.writes]
        _exchange(slice_, batch, [trial for trial in trials if tuple(trial["values"]) in columns])


def preview(slice_: Slice, n: int) -> list[Planned]:
    """The plan of a real page, to be shown instead of carried out: nothing is written, here or there."""
    return slice_.plan(tuple(islice(slice_.source.newest(n).records, n)))

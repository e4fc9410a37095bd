"""The pages of an undo: what to do with each record of a run, and doing it under the flow's lease, through the same intents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from integrations.http import listening
from integrations.models import Link, RecordOutcome, Run
from integrations.models.run import What
from integrations.sync import engine, opening, traces
from integrations.sync import settle as settling
from integrations.sync.plan import Planned
from integrations.sync.slices import Slice, record_of
from integrations.sync.traces import Left, WayBack
from integrations.types import Record, Standing, Write
from mappings.fields import dump_value

PAGE = 500
ARCHIVED = "Taken off the board by an undo; it can be restored from the board's archive."
PUT_BACK = "Put back by an undo as it was before."


def ways_back(slice_: Slice, run: Run) -> Iterator[list[tuple[WayBack, Link]]]:
    """What to do with each record of the run; one read of the items as they stand per page."""
    ids = traces.ids_after(run, "", PAGE)
    while ids:
        links = traces.links_of(slice_.flow, ids)
        found = traces.traces_of(run, links)
        stands = _standing(slice_, links, traces.columns_of(found.values()))
        ways = ((traces.way_back(found[link.external_id], link, stands.get(link.target_id)), link) for link in links)
        yield [(way, link) for way, link in ways if way]
        ids = traces.ids_after(run, ids[-1], PAGE)


def _standing(slice_: Slice, links: Sequence[Link], columns: Sequence[str]) -> dict[str, Standing]:
    """The items as they are now, in the flow's own words for columns, wherever they stand."""
    found: dict[str, Standing] = {}
    for place in dict.fromkeys(link.place for link in links if link.target_id):
        theirs = {slice_.routes.columns_at(place).get(column, column): column for column in columns}
        ids = [link.target_id for link in links if link.target_id and link.place == place]
        for item in chain.from_iterable(slice_.target.standing(ids, list(theirs))):
            values = {theirs[column]: value for column, value in item.values.items()}
            found[item.target_id] = replace(item, values=values)
    return found


def put_back(slice_: Slice, run: Run, titles: Mapping[str, str]) -> Iterator[Left]:
    """Carry a run's records back, and tell what is left as it stands: all of it, however often this is started."""
    with listening(lambda vendor, _operation: slice_.calls.update([vendor])):
        for page in ways_back(slice_, run):
            planned = _planned(slice_, [link for _, link in page])
            _hold(slice_, page, planned, titles)
            members = {way.external_id: _member(slice_, way, link, planned[way.external_id]) for way, link in page if way.writes}
            if members:
                engine.send(slice_, members)
            slice_.note_read(len(page))
            yield from (each for way, _ in page for each in way.left)
    with slice_.holding():
        pass  # stores what was counted last


def _planned(slice_: Slice, links: Sequence[Link]) -> dict[str, Planned]:
    """Each record as last read, under the mapping that comes back."""
    deleted = frozenset(link.external_id for link in links if link.deleted_at)
    return {each.record.external_id: each for each in slice_.plan(_records(slice_, links), deleted=deleted)}


def _records(slice_: Slice, links: Sequence[Link]) -> list[Record]:
    """As last read; read once more where the mapping of before needs fields that were not, unless they changed meanwhile."""
    if not links or not opening.lacks_fields(slice_):
        return [record_of(link) for link in links]
    page = slice_.source.fetch([link.external_id for link in links])
    now = {record.external_id: record for record in page.records}
    return [
        now[link.external_id]
        if link.external_id in now and now[link.external_id].version == link.source_version
        else record_of(link)
        for link in links
    ]


def _hold(slice_: Slice, page: Sequence[tuple[WayBack, Link]], planned: Mapping[str, Planned], titles: Mapping[str, str]) -> None:
    """Nothing of these records is written again until they change at the source, and what is left is told, record by record.

    A cell that people changed counts as written with what the mapping makes of the record now, so that only the source's next
    change of it overwrites theirs.
    """
    touched = [(way, link) for way, link in page if way.left]
    told = RecordOutcome.objects.filter(
        run=slice_.run, what=What.FLAGGED, external_id__in=[way.external_id for way, _ in touched]
    )
    with slice_.holding():
        settling.restamp(slice_, list(planned.values()))
        for way, link in touched:
            values = planned[way.external_id].mapped.values
            theirs = [each.column for each in way.left if each.why == traces.BY_PEOPLE and each.column in values]
            link.written = {**link.written, **{column: dump_value(values[column]) for column in theirs}}
        Link.objects.bulk_update([link for _, link in page], ["written", "deleted_at"], batch_size=settling.FEW)
        known = set(told.values_list("external_id", flat=True))
        RecordOutcome.objects.bulk_create(
            RecordOutcome(
                run=slice_.run,
                flow=slice_.flow,
                external_id=way.external_id,
                label=way.label,
                what=What.FLAGGED,
                said="Left as it stands. " + " ".join(each.said(titles) for each in way.left),
                made_at=slice_.now(),
            )
            for way, _ in touched
            if way.external_id not in known
        )


def _member(slice_: Slice, way: WayBack, link: Link, planned: Planned) -> dict[str, Any]:
    write = Write(
        external_id=way.external_id,
        key=slice_.key_prefix + way.external_id,
        label=link.label,
        target_id=way.target_id,
        values={column: before for column, (_, before) in way.cells.items()},
        before={column: wrote for column, (wrote, _) in way.cells.items()},
        place=link.place,
        archives=way.archives,
    )
    planned = replace(planned, differences=way.cells)
    columns = slice_.routes.columns_at(link.place)
    is_deleted = link.deleted_at is not None
    member = settling.member_of(planned, write, natural_key=link.natural_key, deleted=is_deleted, columns=columns)
    return {**member, "withdraws": way.archives, "flags": ARCHIVED if way.archives else PUT_BACK}

"""Documents of a record as files on its item: carried after the item stands, and remembered by the source's id of them."""

from django.db.models import F, QuerySet

from integrations.errors import RecordRejected
from integrations.models import Link, RecordOutcome
from integrations.models.flow import LinkState
from integrations.models.run import What
from integrations.sync.endings import Ending
from integrations.sync.slices import Slice

AT_A_TIME = 20


def carry_attachments(slice_: Slice) -> Ending:
    """Put the documents of every item that lacks them into the flow's file column; the target skips a name that is there."""
    if not slice_.options.attachments:
        return Ending.DONE
    while links := list(_without_theirs(slice_)[:AT_A_TIME]):
        column = slice_.schema().column(slice_.options.attachments)
        for link in links:
            said = _attach(slice_, link, column.id) if column else "The board has no such file column."
            with slice_.holding():
                Link.objects.filter(pk=link.pk).update(attached=link.attachment)
                if said:
                    _tell(slice_, link, said)
            if slice_.out_of_time():
                return Ending.CONTINUES
    return Ending.DONE


def _without_theirs(slice_: Slice) -> QuerySet[Link]:
    standing = Link.objects.filter(flow=slice_.flow, state=LinkState.SETTLED, deleted_at=None).exclude(target_id="")
    return standing.exclude(attachment="").exclude(attachment=F("attached")).order_by("external_id")


def _attach(slice_: Slice, link: Link, column: str) -> str:
    """Returns why it did not work, for this record alone; everything else is raised."""
    try:
        for name, _type, content in slice_.source.attachments(link.external_id):
            slice_.target.add_file(link.target_id, column, name, content, key=f"{link.pk}/{name}")
    except RecordRejected as error:
        return error.said
    return ""


def _tell(slice_: Slice, link: Link, said: str) -> None:
    RecordOutcome.objects.create(
        run=slice_.run,
        flow=slice_.flow,
        external_id=link.external_id,
        label=link.label,
        what=What.FLAGGED,
        said=said,
        made_at=slice_.now(),
    )

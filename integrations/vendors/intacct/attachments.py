"""The files that hang on a record: one attachment of Intacct's holds any number of them (README.md, "Attachments")."""

import base64
import binascii
import mimetypes
import re
from typing import NamedTuple

from integrations.errors import AnswerTooLarge, RecordRejected
from integrations.vendors.intacct.client import Client
from integrations.vendors.intacct.envelope import Row

MEGABYTE = 1024 * 1024
LARGEST = 20 * MEGABYTE  # one file
LARGEST_ANSWER = 40 * MEGABYTE  # all files of one attachment, in base64

_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


class Attachment(NamedTuple):
    """One file."""

    filename: str
    content_type: str
    content: bytes


def files(client: Client, supdocid: str) -> list[Attachment]:
    """The files of an attachment, in one call: Intacct sends all of them, or none.

    Raises RecordRejected when they are too large or not readable, PermissionMissing when the user may not see attachments.
    """
    try:
        rows = client.get("supdoc", supdocid, "attachment", max_bytes=LARGEST_ANSWER)
    except AnswerTooLarge as error:
        said = f"The files of the attachment {supdocid} are larger than {LARGEST_ANSWER * 3 // 4 // MEGABYTE} MB together."
        raise _refused(f"{said} They stay in Sage Intacct.", error.detail) from None
    return [_file(row, supdocid) for row in rows]


def _file(row: Row, supdocid: str) -> Attachment:
    name = _name(row)
    text = "".join(row.get("ATTACHMENTDATA", "").split())
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        said = f"The file {name} of the attachment {supdocid} cannot be read. Attach it anew in Sage Intacct."
        raise _refused(said, str(error)) from None
    if len(content) > LARGEST:
        said = f"The file {name} of the attachment {supdocid} is larger than {LARGEST // MEGABYTE} MB."
        raise _refused(f"{said} It stays in Sage Intacct.")
    return Attachment(name, mimetypes.guess_type(name)[0] or "application/octet-stream", content)


def _name(row: Row) -> str:
    """Name and extension come apart; nothing of them may look like a path."""
    name = _UNFIT.sub("_", row.get("ATTACHMENTNAME", "").strip()).strip(". ") or "attachment"
    kind = _UNFIT.sub("_", row.get("ATTACHMENTTYPE", "").strip()).strip(". ")
    return name if not kind or name.lower().endswith(f".{kind.lower()}") else f"{name}.{kind}"


def _refused(said: str, detail: str = "") -> RecordRejected:
    return RecordRejected(said, vendor="intacct", operation="get supdoc", detail=detail)

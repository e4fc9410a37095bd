"""What a flow is: a value with about ten fields, read by one engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.types import Vendor
from mappings.fields import Catalogue


@dataclass(frozen=True, kw_only=True)
class FlowSpec:
    """One kind of flow that we offer. ``suggests`` maps likely column titles to fields, until the customer decides."""

    key: str
    title: str
    source: Vendor
    object: str  # the source's own name for the kind of record
    target: Vendor
    every: str  # the default schedule, in the words that ``schedules`` reads
    fields: Catalogue
    suggests: Mapping[str, str] = field(default_factory=dict)
    always_reads: tuple[str, ...] = ()  # fields that labels and keys need, mapped or not
    noun: tuple[str, str] = ("record", "records")  # how people call one and many
    natural_key: tuple[str, ...] = ()  # fields by which people know a record; joined with "/"
    attachment: str = ""  # the field that names a record's documents
    parent: str = ""  # the field that names the record below whose item this one's is made
    parent_kind: str = ""  # the kind of flow that makes those items, on the same board
    is_reference: bool = False  # its records fill the lists that value mappings choose from; a board is optional
    amount: str = ""  # the field that reports add up, per ``currency``
    currency: str = ""

    def described(self) -> dict[str, Any]:
        return {"kind": self.key, "title": self.title, "from": self.source.name, "to": self.target.name}

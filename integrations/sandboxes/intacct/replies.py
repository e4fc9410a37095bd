"""What a function hands back before it is put into the envelope."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reply:
    data: str = ""  # the data element
    bare_body: bytes | None = None  # json or csv instead
    bare_type: str = ""
    listtype: str = ""  # what the oldest functions say beside their data
    n_transactions: int = 1

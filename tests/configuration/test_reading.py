"""Whatever a TOML file may hold, reading it gives checked values or complaints, and never anything else."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.configuration.reading import read
from integrations.configuration.wanted import BadConfiguration, Wanted
from tests.configuration.files import COLUMNS, FILE

WORDS = (
    *(
        "acme",
        "books",
        "intacct",
        "monday",
        "sample",
        "live",
        "intacct_monday.bills",
        "bills",
        "active",
        "every 4 hours",
        "daily",
    ),
    *(
        "every 99999999999999999999 days",
        "every 0 minutes",
        "* * * * *",
        "env:HOME",
        "env:",
        "file:",
        "file:\x00",
        "file:/",
        "UTC",
    ),
    *("VENDORNAME", "lines.ACCOUNTNO", "upper", "join", "", " ", "\x00", "é😀", "x" * 300),
)
TEXTS = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=12)
LEAVES = TEXTS | st.integers() | st.floats() | st.booleans() | st.dates() | st.datetimes() | st.times()
KEYS = st.sampled_from(
    (
        *(
            "tenant",
            "connections",
            "flows",
            "slug",
            "name",
            "time_zone",
            "vendor",
            "world",
            "company_id",
            "user_id",
            "user_password",
        ),
        *("sender_id", "sender_password", "token", "kind", "source", "target", "place", "schedule", "state", "columns", "field"),
        *("transform", "values", "do", "fields", "length", "Vendor", "Amount"),
    )
)
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=5))
STEP = st.dictionaries(st.sampled_from(("do", "fields", "length", "separator", "values")), ANYTHING, max_size=3)
COLUMN = st.fixed_dictionaries(
    {}, optional={"field": ANYTHING, "values": ANYTHING, "transform": STEP | st.lists(STEP | ANYTHING)}
)


def check(content: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.toml"
        path.write_text(tomli_w.dumps(content), encoding="utf-8")
        try:
            wanted = read(path)
        except BadConfiguration as bad:
            assert bad.complaints
            assert all(complaint.startswith(("any.toml: ", str(path))) for complaint in bad.complaints)
        else:
            assert isinstance(wanted, Wanted)


@settings(deadline=None)
@given(st.dictionaries(KEYS | TEXTS, ANYTHING, max_size=5))
def test_any_table_is_read_or_refused(content: dict[str, Any]) -> None:
    check(content)


@settings(deadline=None)
@given(
    tenant=st.dictionaries(KEYS, ANYTHING, max_size=4),
    connections=st.lists(st.dictionaries(KEYS, ANYTHING, max_size=8), max_size=3),
    flow=st.dictionaries(KEYS, ANYTHING, max_size=8),
    columns=st.dictionaries(TEXTS, COLUMN | ANYTHING, max_size=4),
)
def test_any_values_of_known_keys_are_read_or_refused(
    tenant: dict[str, Any], connections: list[dict[str, Any]], flow: dict[str, Any], columns: dict[str, Any]
) -> None:
    flow = {"name": "bills", "kind": "intacct_monday.bills", **flow, "columns": columns}
    check({"tenant": tenant, "connections": connections, "flows": [flow]})


@settings(deadline=None)
@given(st.data())
def test_a_good_file_with_one_line_torn_out_or_replaced_is_read_or_refused(data: st.DataObject) -> None:
    lines = (FILE + COLUMNS).splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(
        st.just("") | st.text(max_size=20) | st.sampled_from([f"{key} = {{}}" for key in ("name", "place", "state")])
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.toml"
        path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
        try:
            assert isinstance(read(path), Wanted)
        except BadConfiguration as bad:
            assert bad.complaints

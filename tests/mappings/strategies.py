"""Values as a source may give them, and as none should."""

from datetime import UTC
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from mappings.fields import Value

ZONES = [UTC, ZoneInfo("America/Chicago"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Pacific/Apia")]

texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "  ", "4000-01-00", "0042", "1234.50", "-1", "1,234.50", "11/30/2026", "2026-02-30", "👩‍👩‍👧‍👦", "🇳🇱🇩🇪", "e\u0301"]
    ),
)
amounts = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12)
moments = st.datetimes(timezones=st.sampled_from(ZONES))
values: st.SearchStrategy[Value] = st.one_of(
    st.none(), texts, st.integers(-(10**15), 10**15), st.booleans(), amounts, st.dates(), moments
)
anything = st.one_of(
    values,
    st.text(),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Mn", "So"])),  # lone surrogates, control characters, zalgo, emoji
    st.integers(),
    st.just(10**5000),
    st.decimals(),  # NaN, signalling NaN, infinities and all exponents
    st.datetimes(),  # without a zone
    st.floats(),
    st.lists(st.integers(), max_size=2),
)
keys = st.sampled_from(["A", "B", "C"])
records = st.dictionaries(keys, anything)
lines = st.lists(st.dictionaries(st.sampled_from(["lines.X", "X", "lines.Y"]), anything), max_size=4)

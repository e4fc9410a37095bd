"""Which API version answers: what the header asks for, and the silent ways in which something else is given."""

import re

from .answers import invalid_version

CURRENT = "2026-10"
KINDS = {
    "dev": "dev",
    "2027-01": "release_candidate",
    CURRENT: "current",
    "2026-07": "maintenance",
    "2026-04": "maintenance",
    "2026-01": "maintenance",
    "2025-10": "maintenance",
    "2025-07": "maintenance",
    "2025-04": "maintenance",
}
OLDEST = "2025-04"
FORM = re.compile(r"\d{4}-\d{2}")
QUARTERS = ("01", "04", "07", "10")


def chosen(asked: str | None) -> str:
    """The version that answers a request with this ``API-Version`` header."""
    if not asked:
        return CURRENT
    if asked in KINDS:
        return asked
    if not FORM.fullmatch(asked):
        raise invalid_version()
    was_once = asked < OLDEST and asked[5:] in QUARTERS
    return OLDEST if was_once else CURRENT


def described(version: str) -> dict[str, str]:
    kind = KINDS[version]
    return {"kind": kind, "value": version, "display_name": f"{version} ({kind.replace('_', ' ')})"}

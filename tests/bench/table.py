"""A row of the table: what was measured, the figure, its bound, and whether it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Row:
    """``at_least`` turns the bound round. A row without a bound is there to be read beside the others."""

    what: str
    measured: float
    unit: str = ""
    bound: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        if self.bound is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def plain(self) -> dict[str, Any]:
        bound = {"bound": self.bound, "at_least": self.at_least, "ok": self.holds}
        return {"what": self.what, "measured": round(self.measured, 4), "unit": self.unit, **bound}


def as_table(rows: Sequence[Row], *, title: str) -> Table:
    table = Table("What", title=title, title_justify="left")
    for heading in ("Measured", "Bound", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        bound = "" if row.bound is None else f"{'≥' if row.at_least else '≤'} {number(row.bound)}"
        said = {True: "[green]ok[/]", False: "[bold red]over[/]", None: ""}[row.holds]
        table.add_row(row.what, f"{number(row.measured)} {row.unit}".strip(), bound, said)
    return table


def number(figure: float) -> str:
    """As many digits as are worth reading."""
    if figure == int(figure) or abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:,.1f}" if abs(figure) >= 10 else f"{figure:.2f}"

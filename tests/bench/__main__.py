"""One table of everything that is measured: ``python -m tests.bench [--full] [--json FILE] [--only WORD]``."""

import json
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench import sections
from tests.bench.databases import prepared
from tests.bench.measuring import MeasurementFailed, Workshop
from tests.bench.table import Row, as_table


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    console, rows = Console(), list[Row]()
    with tempfile.TemporaryDirectory(prefix="ml-connector-bench-") as folder, prepared(Path(folder)) as databases:
        workshop = Workshop(databases, is_full=asked.full)
        try:
            for section in sections.ALL:
                if asked.only in section.__name__:
                    with console.status(f"Measuring: {(section.__doc__ or section.__name__).splitlines()[0]}"):
                        rows += section(workshop)
        except MeasurementFailed as failed:
            console.print(f"[bold red]{failed.args[0]}[/]\n{failed.said}", highlight=False)
            return 1
    console.print(as_table(rows, title=f"Measured on {', '.join(each.name for each in databases)}"))
    if asked.json:
        asked.json.write_text(json.dumps([row.plain() for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0


def _asked(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="100,000 records and every page size: some minutes longer")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also keep the figures in FILE")
    parser.add_argument(
        "--only",
        default="",
        metavar="WORD",
        help=f"those whose name has WORD in it, of {', '.join(each.__name__ for each in sections.ALL)}",
    )
    asked = parser.parse_args(arguments)
    if not any(asked.only in each.__name__ for each in sections.ALL):
        parser.error(f"nothing that is measured is called ‘{asked.only}’")
    return asked


if __name__ == "__main__":
    sys.exit(main())

"""Show exactly what a change of the mapping would change on the board, before anybody makes it."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from integrations.configuration import looking, reading
from integrations.configuration.wanted import BadConfiguration, WantedFlow
from integrations.management.base import FlowCommand
from integrations.models import Flow
from integrations.registry import FLOWS
from integrations.sync import serve
from integrations.sync.rehearse import Change, Rehearsal, rehearse
from integrations.sync.traces import shown
from mappings.apply import Rule
from mappings.fields import dump_value
from mappings.parameters import BadStep
from mappings.sets import MappingRefused


class Command(FlowCommand):
    help = "Show which cells would change if FLOW had the columns that FILE gives it. Nothing is written, here or there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="a configuration with a flow of this name")

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            try:
                rehearsal = rehearse(flow, _rules(flow, options["file"]))
            except BadConfiguration as error:
                raise CommandError("Nothing was rehearsed.\n" + "\n".join(error.complaints)) from error
            except (MappingRefused, BadStep) as error:
                raise CommandError(str(error)) from error
            told = [self._told(each, rehearsal, is_json=options["json"]) for each in rehearsal]
            if options["json"]:
                self.tell(options, {"changes": told, **_counts(rehearsal)}, "")
            else:
                self.stdout.write("\n".join(_closing(rehearsal)))

    def _told(self, change: Change, rehearsal: Rehearsal, *, is_json: bool) -> dict[str, Any] | None:
        """A line at a time for people, however many there are; programs get all of it at once."""
        titles = rehearsal.titles
        if is_json:
            cells = {titles.get(column, column): [dump_value(a), dump_value(b)] for column, (a, b) in change.cells.items()}
            return {"record": change.external_id, "label": change.label, "item": change.target_id, "cells": cells}
        self.stdout.write(change.label if change.target_id else f"{change.label} would be made")
        for column, (before, after) in change.cells.items():
            self.stdout.write(f"  {titles.get(column, column)}: {shown(before)} → {shown(after)}")
        return None


def _rules(flow: Flow, path: Path) -> Sequence[Rule]:
    """The columns that the file gives to the flow of this name, with the ids that they have on its board now."""
    wanted = next((each for each in reading.read(path).flows if each.name == flow.name), None)
    if wanted is None:
        raise CommandError(f"{path.name} has no flow ‘{flow.name}’.")
    if wanted.columns is None:
        raise CommandError(f"{path.name} says nothing of this flow’s columns, so nothing would change.")
    _refuse_another_place(flow, wanted)
    return looking.rules_for(wanted, serve.open_target(flow).schema())


def _refuse_another_place(flow: Flow, wanted: WantedFlow) -> None:
    if wanted.place.casefold() not in (flow.place, flow.place_title.strip().casefold()):
        raise CommandError(
            f"The file fills ‘{wanted.place}’, and this flow fills ‘{flow.place_title}’. Rehearse a change of columns only."
        )


def _counts(rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        "records": rehearsal.n_records,
        "items": rehearsal.n_items,
        "made": rehearsal.n_made,
        "cells": rehearsal.n_cells,
        "gone": rehearsal.n_gone,
        "read_again": rehearsal.reads_again,
        "problems": [
            {"column": each.column, "said": each.said, "records": each.n_records, "example": each.example}
            for each in rehearsal.troubles.values()
        ],
    }


def _closing(rehearsal: Rehearsal) -> list[str]:
    one, many = FLOWS[rehearsal.flow.kind].noun
    lines = [
        f"! {each.said} ({each.n_records:,} {one if each.n_records == 1 else many}, for example {each.example})"
        for each in rehearsal.troubles.values()
    ]
    cells = f"{rehearsal.n_cells:,} {'cell' if rehearsal.n_cells == 1 else 'cells'}"
    of = f"{rehearsal.n_items:,} of {rehearsal.n_records:,} {many}"
    if rehearsal.n_items:
        lines.append(f"{cells} of {of} would change. Nothing was written.")
    else:
        lines.append(f"Nothing would change on the board; {rehearsal.n_records:,} {many} were looked at.")
    if rehearsal.n_gone:
        lines.append(f"{rehearsal.n_gone:,} more are no longer on the board, and stay off it.")
    if rehearsal.reads_again:
        lines.append("These columns need fields that were not read so far: the run that follows reads everything once more.")
    return lines

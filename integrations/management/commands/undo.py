"""Undo a run: what nobody touched since goes back to what stood there before."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from integrations.management.base import TERMINAL, FlowCommand
from integrations.models import Flow, Run
from integrations.sync import undo
from integrations.sync.traces import Left, WayBack, shown
from integrations.sync.undo import CannotUndo, Undone
from mappings.fields import dump_value


class Command(FlowCommand):
    help = (
        "Undo a run of FLOW: cells that nobody touched since go back, items that it made are archived, the mapping of before returns."
        " What was touched is listed and left. The flow is paused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--run", metavar="ID", type=UUID, help="the run (default: the newest)")
        parser.add_argument("--dry-run", action="store_true", help="only list what would go back; nothing is written")

    def handle(self, *args: Any, **options: Any) -> None:
        with self.found(Flow, options["name"]) as flow:
            try:
                run = self._run(flow, options["run"])
                undone = undo.look(flow, run=run) if options["dry_run"] else undo.undo(flow, by=TERMINAL, run=run)
            except CannotUndo as error:
                raise CommandError(str(error)) from error
            self.tell(options, _answer(undone, options["dry_run"]), "\n".join(_words(undone, options["dry_run"])))
        if undone.n_failed:
            raise CommandError(f"{undone.n_failed} refused. See why with: replay {options['name']}")

    def _run(self, flow: Flow, run_id: UUID | None) -> Run | None:
        if run_id is None:
            return None
        run = Run.objects.filter(flow=flow, pk=run_id).first()
        if run is None:
            raise CommandError(f"This flow has no run {run_id}.")
        return run


def _words(undone: Undone, is_dry: bool) -> list[str]:
    lines = [line for way in undone.ways for line in _way(way, undone.titles)]
    if undone.left:
        lines += ["Would be left as it stands:" if is_dry else "Left as it stands:"]
        lines += [f"  {each.said(undone.titles)}" for each in undone.left]
    if is_dry:
        return [*lines, f"Would do: {undone.said} Nothing was written."]
    kept = f"The mapping in force is version {undone.mapping.version}."
    return [*lines, undone.said, f"{kept} The flow is paused; start it again when the cause is mended."]


def _way(way: WayBack, titles: Mapping[str, str]) -> list[str]:
    if way.archives:
        return [f"{way.label}: its item would be archived"]
    cells = [f"  {titles.get(column, column)}: {shown(wrote)} → {shown(before)}" for column, (wrote, before) in way.cells.items()]
    return [way.label, *cells] if cells else []


def _answer(undone: Undone, is_dry: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "run": str(undone.run.id),
        "dry_run": is_dry,
        "said": undone.said,
        "mapping": undone.mapping.version,
        "cells": undone.n_cells,
        "records": undone.n_records,
        "archived": undone.n_archived,
        "failed": undone.n_failed,
        "left": [_left(each, undone.titles) for each in undone.left],
    }
    if is_dry:
        answer["back"] = [_back(way, undone.titles) for way in undone.ways if way.writes]
    return answer


def _back(way: WayBack, titles: Mapping[str, str]) -> dict[str, Any]:
    cells = {titles.get(column, column): [dump_value(wrote), dump_value(before)] for column, (wrote, before) in way.cells.items()}
    return {"record": way.external_id, "label": way.label, "item": way.target_id, "archived": way.archives, "cells": cells}


def _left(left: Left, titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "record": left.external_id,
        "label": left.label,
        "item": left.target_id,
        "column": titles.get(left.column, left.column),
        "wrote": dump_value(left.wrote),
        "stands": dump_value(left.stands),
        "why": left.why,
    }

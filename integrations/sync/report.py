"""A run, told in words and numbers."""

from typing import Any

from integrations.models import Run
from integrations.models.run import RunState
from integrations.registry import FLOWS

_COUNTS = ("read", "created", "updated", "unchanged", "failed", "gone", "adopted")


def of_run(run: Run) -> dict[str, Any]:
    """The run as plain values: state, what was said, counts, calls, seconds (None while it is open)."""
    seconds = (run.ended_at - run.began_at).total_seconds() if run.ended_at else None
    counts = {name: getattr(run, f"n_{name}") for name in _COUNTS}
    calls = {"source": run.n_source_calls, "target": run.n_target_calls}
    return {"id": str(run.id), "state": run.state, "said": run.said, **counts, "calls": calls, "seconds": seconds}


def in_words(run: Run) -> str:
    """One sentence a bookkeeper understands, and one about calls."""
    spec = FLOWS[run.flow.kind]
    one, many = spec.noun
    parts = [
        f"{getattr(run, f'n_{name}'):,} {name}"
        for name in ("created", "updated", "unchanged", "failed", "gone")
        if getattr(run, f"n_{name}")
    ]
    noun = one if run.n_read == 1 else many
    state = {RunState.DONE: "Carried", RunState.WAITING: "Waiting after", RunState.RUNNING: "So far"}.get(
        RunState(run.state), "Stopped after"
    )
    lines = [f"{state} {run.n_read:,} {noun}: {', '.join(parts) or 'nothing to do'}."]
    if run.said:
        lines.append(run.said)
    lines.append(f"{run.n_source_calls} calls to {spec.source.name}, {run.n_target_calls} to {spec.target.name}.")
    return "\n".join(lines)

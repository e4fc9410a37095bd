"""What the table says, section by section: the measurement, the figure of it that is shown, and its bound."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from tests.bench.measuring import Workshop
from tests.bench.sandboxes import in_their_own_process
from tests.bench.table import Row

LINES_PER_REQUEST = 2_000
BATCH = 10
KEYS_PER_REQUEST = 500
BOARD_ANSWERS_AFTER = 0.005
TROUBLE = {"minute_limit": 101, "server_error": 149, "commit_then_drop": 199}
"""Which calls of the board fail: every so-many-th is refused for a limit, breaks, or is carried out and never answered."""


def calls(workshop: Workshop) -> list[Row]:
    """Calls of the real flow: all that the sandboxes received once both connections were pinged"""
    n, page = 1_000, 500
    told = workshop.measure("bills", n=n, page=page, changes=[0, n // 100])
    first, none, changed = told["runs"]
    source_bound = 1 + ceil(n / page) + ceil(told["n_lines"] / LINES_PER_REQUEST)
    flow = "Intacct → Monday.com"
    return [
        Row(what=f"{flow}, {n:,} new bills: calls to the source", measured=first["source"], bound=source_bound),
        Row(what=f"{flow}, {n:,} new bills: calls to the target", measured=first["target"], bound=n / BATCH + 5),
        Row(what=f"{flow}, nothing changed: calls to the source", measured=none["source"], bound=1),
        Row(what=f"{flow}, nothing changed: calls to the target", measured=none["target"], bound=0),
        Row(what=f"{flow}, 1 % changed: calls to the source", measured=changed["source"], bound=3),
        Row(what=f"{flow}, 1 % changed: calls to the target", measured=changed["target"], bound=n / 100 / BATCH + 2),
        Row(what="Queries of the real flow for each 10 bills, everything included", measured=first["queries"] * BATCH / n, bound=40),
    ]  # fmt: skip


def engine(workshop: Workshop) -> list[Row]:
    """The engine between vendors in memory"""
    n = 2_000
    instant = workshop.measure("engine", n=n)["runs"][0]
    real = workshop.measure("engine", n=n, answers_after=BOARD_ANSWERS_AFTER)["runs"][0]
    queries = workshop.measure("queries")
    return [
        Row(what="Instant vendors: records a second", measured=n / instant["seconds"], bound=500, at_least=True),
        Row(what="Instant vendors: a record beyond the vendors' own time", measured=_overhead(instant, n), unit="ms", bound=2),
        Row(what="Board calls of 5 ms: a record beyond the vendors' own time", measured=_overhead(real, n), unit="ms", bound=2),
        Row(what="Queries for one more batch of 10", measured=queries["a_batch"], bound=16),
        Row(what="Queries for one more page", measured=queries["a_page"], bound=8),
    ]


def _overhead(run: dict[str, Any], n: int) -> float:
    return float(run["seconds"] - run["vendors"]) / n * 1000


def load(workshop: Workshop) -> list[Row]:
    """The load that others were measured with: 2,000 bills, a board that answers after 5 ms"""
    n, pages = 2_000, (100, 250, 500, 1_000) if workshop.is_full else (100, 1_000)
    rows = []
    for page in pages:
        told = workshop.measure("engine", n=n, page=page, answers_after=BOARD_ANSWERS_AFTER, changes=[0, 10])
        rows += _load_rows(f"Plain vendors, pages of {page:,}", told, [run["seconds"] for run in told["runs"]])
    for page in pages:
        with in_their_own_process() as url:
            told = workshop.measure("bills", sandbox_url=url, n=n, page=page, changes=[0, 10])
        rows += _load_rows(f"Real flow, pages of {page:,}", told, [_with_a_quick_board(run) for run in told["runs"]])
    return rows


def _with_a_quick_board(run: dict[str, Any]) -> float:
    """Seconds, had the books answered at once and the board after 5 ms: the sandboxes' own work is not ours."""
    return float(run["seconds"] - sum(run["vendors"].values()) + run["target"] * BOARD_ANSWERS_AFTER)


def _load_rows(who: str, told: dict[str, Any], seconds: Sequence[float]) -> list[Row]:
    first, none, ten = told["runs"]
    return [
        Row(what=f"{who}: 2,000 new bills", measured=seconds[0], unit="s", bound=4),
        Row(what=f"{who}: board calls for them", measured=first["target"], bound=210),
        Row(what=f"{who}: nothing changed", measured=seconds[1], unit="s", bound=0.5),
        Row(what=f"{who}: board calls for nothing", measured=none["target"], bound=0),
        Row(what=f"{who}: ten changed", measured=seconds[2], unit="s", bound=0.5),
        Row(what=f"{who}: board calls for ten", measured=ten["target"], bound=10),
        Row(what=f"{who}: peak memory", measured=told["peak"], unit="MB", bound=150),
    ]


def trouble(workshop: Workshop) -> list[Row]:
    """The same load on a board that fails: every 101st call 429, every 149th 500, every 199th written and never answered"""
    told = workshop.measure("trouble", n=2_000, page=100, answers_after=BOARD_ANSWERS_AFTER, every=TROUBLE)
    first, none, ten = told["runs"]
    who = "With failures, pages of 100"
    return [
        Row(what=f"{who}: calls that failed", measured=told["struck"], bound=4, at_least=True),
        Row(what=f"{who}: bills missing after three runs", measured=told["missing"], bound=0),
        Row(what=f"{who}: bills stale", measured=told["stale"], bound=0),
        Row(what=f"{who}: bills doubled", measured=told["doubled"], bound=0),
        Row(what=f"{who}: said to be done while one was missing", measured=sum(r["too_early"] for r in told["runs"]), bound=0),
        Row(what=f"{who}: board calls for 2,000 new bills", measured=first["target"], bound=230),
        Row(what=f"{who}: board calls for nothing", measured=none["target"], bound=0),
        Row(what=f"{who}: board calls for ten", measured=ten["target"], bound=10),
        Row(what=f"{who}: waits that the failures asked for, skipped here", measured=first["waited"], unit="s"),
    ]


def upload(workshop: Workshop) -> list[Row]:
    """A first load by upload, with a board that works 3 s on each file"""
    n = 2_000
    [run] = workshop.measure("bills", n=n, page=1_000, by_file_in=3.0)["runs"]
    return [Row(what=f"First load of {n:,} bills by upload: calls to the target", measured=run["target"], bound=20)]


def reconcile(workshop: Workshop) -> list[Row]:
    """A board of 10,000 bills compared with the books"""
    n = 10_000
    with in_their_own_process() as url:
        told = workshop.measure("comparing", sandbox_url=url, n=n)
    what, n_calls = f"Reconcile of {n:,} bills", told["source"] + told["target"]
    return [
        Row(what=f"{what}: beyond the vendors' own time", measured=told["seconds"] - told["vendors"], unit="s", bound=5),
        Row(what=f"{what}: calls to both sides", measured=n_calls, bound=n / KEYS_PER_REQUEST + n / LINES_PER_REQUEST + 5),
        Row(what=f"{what}: of these to the source", measured=told["source"]),
        Row(what=f"{what}: peak memory", measured=told["peak"], unit="MB", bound=200),
    ]


def memory(workshop: Workshop) -> list[Row]:
    """Memory, by the number of records"""
    small, large = 1_000, 100_000 if workshop.is_full else 30_000
    peaks = {n: workshop.measure("engine", n=n, page=500)["peak"] for n in (small, large)}
    return [
        Row(what=f"Peak memory of loading {small:,} records", measured=peaks[small], unit="MB", bound=150),
        Row(what=f"Peak memory of loading {large:,} records", measured=peaks[large], unit="MB", bound=150),
        Row(what="The second by the first", measured=peaks[large] / peaks[small], bound=1.1),
    ]


def claims(workshop: Workshop) -> list[Row]:
    """Finding what is due among 10,000 flows of 1,000 tenants"""
    rows = []
    for database in workshop.databases:
        for share, said in ((0.01, "1 % due"), (1.0, "all due at once")):
            told = workshop.measure("claims", database=database, share_due=share)
            what = f"10,000 flows of 1,000 tenants on {database.name}, {said}"
            rows += [
                Row(what=f"{what}: claim one", measured=told["claim"], unit="ms", bound=20),
                Row(what=f"{what}: count them", measured=told["count"], unit="ms", bound=20),
            ]
    return rows


def parts(workshop: Workshop) -> list[Row]:
    """Parts of the real flow by themselves"""
    told = workshop.measure("parts")
    return [
        Row(what="1,000 bills with their lines from Intacct's XML to records", measured=told["page"], unit="ms", bound=500),
        Row(what="The body of a Monday.com batch of 10", measured=told["body"], unit="ms", bound=5),
    ]


ALL: tuple[Callable[[Workshop], list[Row]], ...] = (calls, engine, load, trouble, upload, reconcile, memory, claims, parts)

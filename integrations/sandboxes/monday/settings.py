"""What ``reset`` can be told: the customer's plan, and how the vendor behaves where that is a matter of luck or of doubt."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    plan: str = "pro"  # free, basic, standard, pro, enterprise, trial
    limits: bool = True  # False: count and tell, but refuse nothing
    minute_limit: int | None = None  # None: what the plan gives
    daily_limit: int | None = None
    concurrency_limit: int | None = None
    items_limit: int = 10_000  # per board
    visibility_lag: float = 0  # seconds until a new value is found by value
    mutation_cost: int = 10_000  # complexity points
    create_labels: bool = True  # whether the people may change boards: labels, columns, groups
    relations_on_create: bool = False  # whether create_item keeps connected items; it was seen to drop them silently
    names_columns: bool = False  # whether a refused value names its column
    ingest_seconds: float = 0  # how long a bulk import takes
    ingest_bytes: int = 150_000_000  # the largest file of one
    seed: bool = True  # whether the sample boards are there

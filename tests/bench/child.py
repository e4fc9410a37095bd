"""One measurement, in this process: ``python -m tests.bench.child NAME '{"n": 1000}'`` prints its figures as JSON."""

import json
import sys
from collections.abc import Callable
from typing import Any

import django


def main() -> None:
    django.setup()
    from tests.bench import bills, claims, comparing, engine, parts, trouble

    measurements: dict[str, Callable[..., Any]] = {
        "bills": bills.carry,
        "engine": engine.carry,
        "queries": engine.count_queries,
        "claims": claims.scan,
        "parts": parts.time_them,
        "trouble": trouble.carry,
        "comparing": comparing.compare,
    }
    print(json.dumps(measurements[sys.argv[1]](**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()

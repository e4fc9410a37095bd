"""What it takes to compare a full board with the books."""

import time
from typing import Any

from integrations.sync.reconcile import reconcile
from integrations.sync.verbs import serve_here
from tenants.audit import SYSTEM
from tests.bench import peak
from tests.bench.bills import company, load_by_file
from tests.bench.engine import refuse_failure


def compare(*, n: int) -> dict[str, Any]:
    """A reconcile of ``n`` bills that agree. The load before it goes by file, to be there soon; the peak is that of both."""
    with company(n) as made:
        load_by_file(made)
        serve_here(made.flow, by=SYSTEM)
        refuse_failure(made.flow)
        made.flow.refresh_from_db()
        worked = made.door.seconds()
        calls = {vendor: len(made.door.log(vendor)) for vendor in worked}
        began = time.perf_counter()
        found = reconcile(made.flow, by=SYSTEM)
        seconds = time.perf_counter() - began
        if not found.agrees or sum(each["board"]["n"] for each in found.sums) != n:
            raise AssertionError(f"the board does not agree with the books: {found.differences['counts']} {found.sums}")
        source, target = (len(made.door.log(vendor)) - calls[vendor] for vendor in ("intacct", "monday"))
        vendors = sum(made.door.seconds().values()) - sum(worked.values())
    return {"seconds": seconds, "vendors": vendors, "source": source, "target": target, "peak": peak.megabytes()}

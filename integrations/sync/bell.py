"""The bell of the queue: it says that there is work, and nothing else. Losing or doubling it changes nothing."""

from functools import partial

from django.db import transaction
from django_q.tasks import async_task

BULK, PEOPLE = "bulk", "people"


def ring(*, urgent: bool = False) -> None:
    """Tell a worker, once what was decided is stored: the rows are the truth."""
    task, cluster = ("integrations.tasks.serve_urgent", PEOPLE) if urgent else ("integrations.tasks.serve_next", BULK)
    transaction.on_commit(partial(async_task, task, cluster=cluster))

"""Am I alive, is the queue moving: for load balancers and people."""

from datetime import timedelta

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from integrations.models import Due
from tenants.roles import why_unsafe

STUCK_AFTER = timedelta(minutes=10)


@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"alive": True})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Database and its role, migrations, and whether flows that are due are being served; 503 with the reason when one is not."""
    executor = MigrationExecutor(connection)
    n_unapplied = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    oldest = Due.objects.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True).first()
    waits = timezone.now() - oldest if oldest else timedelta()
    complaints = [f"{n_unapplied} migrations are not applied."] if n_unapplied else []
    if unsafe := why_unsafe(connection):
        complaints.append(unsafe)
    if waits > STUCK_AFTER:
        complaints.append(f"A flow has been due for {int(waits.total_seconds() // 60)} minutes: are the workers running?")
    return JsonResponse({"ready": not complaints, "complaints": complaints}, status=503 if complaints else 200)

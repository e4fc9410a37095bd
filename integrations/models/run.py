"""What happened: runs, one outcome per record and event, and the calls whose answer is still open."""

from django.db import models

from integrations.models.flow import Flow
from mappings.models import MappingSet
from tenants.scoping import TenantModel


class RunState(models.TextChoices):
    RUNNING = "running"
    WAITING = "waiting"  # for a limit, or for a vendor that does not answer; goes on by itself
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"  # the customer has to act


OPEN_STATES = (RunState.RUNNING, RunState.WAITING)


class Run(TenantModel):
    """One carrying-out of a flow. A poll that finds nothing makes no run: it moves the flow's ``checked_at``."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.RUNNING)
    mapping = models.ForeignKey(MappingSet, on_delete=models.PROTECT, null=True, related_name="+")  # the version it began under
    mapping_before = models.ForeignKey(MappingSet, on_delete=models.PROTECT, null=True, related_name="+")  # the run before's
    asked_by = models.CharField(max_length=80, blank=True)  # an actor; empty: the schedule
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    said = models.TextField(blank=True)
    detail = models.TextField(blank=True)  # for us: redacted
    n_slices = models.PositiveIntegerField(default=0)
    n_read = models.PositiveIntegerField(default=0)
    n_created = models.PositiveIntegerField(default=0)
    n_updated = models.PositiveIntegerField(default=0)
    n_failed = models.PositiveIntegerField(default=0)
    n_adopted = models.PositiveIntegerField(default=0)
    undone_at = models.DateTimeField(null=True)
    undoes = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="undone_by")  # this one is its undo
    n_gone = models.PositiveIntegerField(default=0)
    n_source_calls = models.PositiveIntegerField(default=0)
    n_target_calls = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["flow"], condition=models.Q(state__in=OPEN_STATES), name="one_open_run_a_flow"),
        ]
        indexes = [models.Index(fields=["flow", "-began_at"], name="runs_of_a_flow")]

    def __str__(self) -> str:
        return f"{self.state} since {self.began_at:%Y-%m-%d %H:%M}"

    @property
    def n_unchanged(self) -> int:
        """Records that were read and needed nothing."""
        return max(0, self.n_read - self.n_created - self.n_updated - self.n_failed - self.n_gone)


class What(models.TextChoices):
    CREATED = "created"
    UPDATED = "updated"
    FAILED = "failed"
    FLAGGED = "flagged"  # it stands there, but a column of it was refused
    GONE = "gone"
    DELETED = "deleted"  # the source no longer has it: marked or archived, as the flow says
    MISSING = "missing"  # asked for again, but no longer there at the source


class RecordOutcome(TenantModel):
    """What happened to one record in one run: its lineage."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="outcomes")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="outcomes", db_index=False)
    external_id = models.CharField(max_length=120)
    label = models.CharField(max_length=250, blank=True)
    what = models.CharField(max_length=10, choices=What.choices)
    differences = models.JSONField(default=dict)  # column id → [before, after]
    said = models.TextField(blank=True)  # why it failed, or what is flagged on it
    is_open = models.BooleanField(default=False)  # a dead letter that nobody mended yet
    made_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["flow", "external_id", "-made_at"], name="outcomes_of_a_record"),
            models.Index(fields=["flow"], condition=models.Q(is_open=True), name="open_dead_letters"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} {self.what}"


class Attempt(TenantModel):
    """A call that writes, stored before it is sent: its primary key is the idempotency key, and that key only ever goes with this body.

    It is deleted in the transaction that settles its answer, so every row that exists is a call whose outcome is open.
    """

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="attempts")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    body = models.TextField()
    is_bulk = models.BooleanField(default=False)
    members = models.JSONField()
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)

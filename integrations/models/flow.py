"""What a tenant has carried where, how often, and what stands at the target because of it."""

from django.db import models

from integrations.models.connection import Connection
from mappings.models import MappingSet
from tenants.scoping import TenantModel


class FlowState(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs_attention"


class Flow(TenantModel):
    """One kind of object moving one way between two connections of a tenant."""

    name = models.SlugField(max_length=60)
    kind = models.CharField(max_length=60)  # a FlowSpec's key
    source = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="flows_out")
    target = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="flows_in", null=True)  # null: reference data
    place = models.CharField(max_length=120, blank=True)
    place_title = models.CharField(max_length=250, blank=True)
    schedule = models.CharField(max_length=250)
    mapping = models.ForeignKey(MappingSet, on_delete=models.PROTECT, related_name="+")
    options = models.JSONField(default=dict)  # what a customer may choose beside columns; ``sync/options.py`` reads it
    state = models.CharField(max_length=20, choices=FlowState.choices, default=FlowState.PAUSED)
    state_said = models.TextField(blank=True)
    state_since = models.DateTimeField(null=True)
    blocked_on = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, related_name="+"
    )  # resumes when it is mended
    cursor = models.JSONField(null=True)
    n_resyncs = models.PositiveIntegerField(default=0)  # a slice that began before a resync must not put its cursor back
    fields_read = models.JSONField(default=list)  # the source fields that links remember
    adopted_at = models.DateTimeField(null=True)  # when the place's own keys were read, before the first write to it
    checked_at = models.DateTimeField(null=True)
    n_checks = models.PositiveBigIntegerField(default=0)
    n_setbacks = models.PositiveIntegerField(default=0)  # in a row; resets when a slice gets through
    waiting_until = models.DateTimeField(null=True)
    waiting_said = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="one_flow_of_a_name")]

    def __str__(self) -> str:
        return self.name


class Due(models.Model):
    """Which flow is due when, and who holds its lease: the narrow table that the tick and the claim read across tenants.

    ``lease`` counts claims. Every write of a slice carries the number it claimed, so a slice that lost its lease changes nothing.
    """

    flow_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField(db_index=True)  # not a foreign key to scoped rows: this table is read without a tenant
    due_at = models.DateTimeField(null=True)
    is_urgent = models.BooleanField(default=False)  # somebody waits for it: served by the queue for people
    lease = models.PositiveBigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    served_at = models.DateTimeField(null=True)
    n_died = models.PositiveIntegerField(default=0)  # leases in a row that ran out: their workers were killed, or hung

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="due_by_time"),
            models.Index(fields=["tenant_id", "served_at"], name="due_by_tenant"),
        ]

    def __str__(self) -> str:
        return str(self.flow_id)


class LinkState(models.TextChoices):
    INTENDED = "intended"  # a call that writes it is, or was, under way
    SETTLED = "settled"
    REJECTED = "rejected"  # refused as it is; tried again when it changes, when its mapping changes, or on request
    GONE = "gone"  # people archived or deleted the item; not made anew behind their back
    WITHDRAWN = "withdrawn"  # taken off the board by an undo; made anew when the source changes


class Link(TenantModel):
    """The stored pair of a source record and its item at the target, with what was last written there and from what."""

    flow = models.ForeignKey(
        Flow, on_delete=models.CASCADE, related_name="links", db_index=False
    )  # the constraint's index serves
    external_id = models.CharField(max_length=120)
    label = models.CharField(max_length=250, blank=True)
    natural_key = models.CharField(max_length=250, blank=True)  # what people know it by: a vendor's id, vendor and bill number
    target_id = models.CharField(max_length=120, blank=True)
    place = models.CharField(max_length=120, blank=True)  # where it stands, when routes send records to several places
    deleted_at = models.DateTimeField(null=True)  # when the source no longer had it
    state = models.CharField(max_length=10, choices=LinkState.choices, default=LinkState.INTENDED)
    fingerprint = models.CharField(max_length=64, blank=True)
    mapping = models.ForeignKey(MappingSet, on_delete=models.PROTECT, null=True, related_name="+")
    attachment = models.CharField(max_length=120, blank=True)  # the source's id of the documents that belong on the item
    attached = models.CharField(max_length=120, blank=True)  # those that are there
    source_version = models.CharField(max_length=120, blank=True)
    source = models.JSONField(null=True)  # the record's values and lines as last settled
    written = models.JSONField(default=dict)  # column id → value as last written
    changed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["flow", "external_id"], name="one_link_a_record")]
        indexes = [models.Index(fields=["flow", "natural_key"], name="links_by_natural_key")]

    def __str__(self) -> str:
        return f"{self.external_id} → {self.target_id or '(none)'}"


class WakeUp(TenantModel):
    """A record that has to be fetched and carried: a webhook told of it, or somebody asked for a replay. Many tellings are one."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="wake_ups")
    external_id = models.CharField(max_length=120)
    told_at = models.DateTimeField()
    rewrite = models.BooleanField(default=False)  # carry it even if it did not change

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["flow", "external_id"], name="one_wake_up_a_record")]

    def __str__(self) -> str:
        return self.external_id

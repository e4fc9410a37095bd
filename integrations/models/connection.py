"""A tenant's login at a vendor, and what workers share about it: sessions, turns, budgets."""

import uuid

from django.db import models

from tenants.scoping import TenantModel
from tenants.secrets import SealedField


class World(models.TextChoices):
    """Real systems, or the sandboxes that stand in for them. A flow never joins two worlds."""

    LIVE = "live"
    SAMPLE = "sample"


class Health(models.TextChoices):
    NEW = "new"  # never pinged
    HEALTHY = "healthy"
    UNAVAILABLE = "unavailable"  # the vendor does not answer; the engine tries again
    NEEDS_ATTENTION = "needs_attention"  # the customer has to act; nothing is sent until they did


class AppRegistration(models.Model):
    """An application of ours, or of one tenant, that is registered at a vendor.

    Ours come from the environment (``integrations.connections``); rows hold those that a tenant brings. Shared budgets and
    webhook addresses hang on it, so it is not scoped to a tenant.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    vendor = models.CharField(max_length=20)
    region = models.CharField(max_length=20, blank=True)
    owner_id = models.UUIDField(null=True, blank=True, help_text="The tenant whose own registration this is; empty: ours.")
    client_id = models.CharField(max_length=200)
    secrets = SealedField(bind=("id",), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor", "region", "owner_id", "client_id"], name="one_registration_each")
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.client_id}"


class Connection(TenantModel):
    """One tenant's login at one vendor. ``settings`` are plain; ``secrets`` are sealed and opened by ``connections`` alone."""

    name = models.SlugField(max_length=60)
    vendor = models.CharField(max_length=20)
    world = models.CharField(max_length=10, choices=World.choices, default=World.LIVE)
    settings = models.JSONField(default=dict)
    secrets = SealedField(bind=("tenant_id", "id"), null=True)
    credentials_set_at = models.DateTimeField(null=True)
    health = models.CharField(max_length=20, choices=Health.choices, default=Health.NEW)
    health_said = models.TextField(blank=True)
    health_since = models.DateTimeField(null=True)
    warnings = models.JSONField(default=dict)  # code → {"said", "at"}
    pinged_at = models.DateTimeField(null=True)
    who = models.CharField(max_length=200, blank=True)
    company = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="one_connection_of_a_name")]

    def __str__(self) -> str:
        return self.name


class VendorSession(TenantModel):
    """The session that one connection holds at its vendor. Never shared: another connection's password must not ride on it."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="session")
    sealed = SealedField(bind=("tenant_id", "connection_id"))
    opened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"session of {self.connection_id}"


class Turn(models.Model):
    """Whose turn it is where a vendor allows one request at a time (per sender and company, per board). Holds no secret."""

    key = models.CharField(primary_key=True, max_length=64)  # SHA-256: company and sender names are nobody else's business
    holder = models.UUIDField(null=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.key[:12]


class Budget(models.Model):
    """What is left of a vendor's limit in the current window; shared by all workers and all tenants that share the limit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.CharField(max_length=120)
    kind = models.CharField(max_length=30)
    used = models.BigIntegerField(default=0)
    learned_limit = models.BigIntegerField(null=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "kind"], name="one_budget_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.scope} {self.kind}"

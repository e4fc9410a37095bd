"""Who: tenants, people, their roles, and the trail of what they did."""

from __future__ import annotations

import uuid
import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.expressions import Expression
from django.db.models.functions import Lower
from django.utils import timezone

from tenants.scoping import TenantModel, tenant_or_none

PLATFORM_CHAIN = uuid.UUID(int=0)
"""The chain of events that belong to no tenant: failed sign-ins, refused webhooks, what staff did."""


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError("%(name)s is not a time zone. Use a name such as Europe/Berlin.", params={"name": name})


class Tenant(models.Model):
    """A customer; pages say "organisation"."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    locale = models.CharField(max_length=35, default="en-US", validators=[RegexValidator(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")])
    sample_allowed = models.BooleanField(default=True, help_text="May try the product with sample data.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.slug


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **values: Any) -> User:
        if not email:
            raise ValueError("A person needs an e-mail address: it is the name they sign in with.")
        user = self.model(email=email.strip().lower(), **values)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **values: Any) -> User:
        return self.create_user(email, password, **{**values, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person, who may belong to several organisations. Signs in with the e-mail address, in capitals or not."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering: ClassVar = ["email"]
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="one_person_per_email")]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)


class Role(models.TextChoices):
    """What a member may do. Each role may do everything that the ones before it may."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    ADMIN = "admin", "Administrator"
    OWNER = "owner", "Owner"

    def may(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Membership(models.Model):
    """A person in an organisation. Not scoped: it is what tells which tenants a signed-in person may act for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "user"], name="one_membership_per_person"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.tenant_id}: {self.role}"

    def may(self, needed: Role) -> bool:
        return Role(self.role).may(needed)


class CurrentChain(Expression):
    """The current tenant's chain, or the platform's outside any tenant; decided when the query runs."""

    output_field = models.UUIDField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self.output_field.get_db_prep_value(tenant_or_none() or PLATFORM_CHAIN, connection),)


class ChainManager(models.Manager["AuditEvent"]):
    def get_queryset(self) -> models.QuerySet[AuditEvent]:
        return super().get_queryset().filter(chain=CurrentChain())


class AuditEvent(models.Model):
    """One thing that was done. Written by tenants.audit.record alone; the database refuses to change or delete it.

    Everything is kept as ids, without foreign keys, so that nothing cascades into the trail, and without personal data.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chain = models.UUIDField()
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=100)
    subject_type = models.CharField(max_length=100, blank=True)
    subject_id = models.CharField(max_length=200, blank=True)
    because = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    objects: ClassVar[ChainManager] = ChainManager()
    unscoped: ClassVar[models.Manager[AuditEvent]] = models.Manager()

    class Meta:
        base_manager_name = "objects"
        default_manager_name = "objects"
        ordering: ClassVar = ["chain", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["chain", "number"], name="one_event_per_number")]
        indexes: ClassVar = [
            models.Index(fields=["chain", "subject_type", "subject_id"], name="audit_by_subject"),
            models.Index(fields=["chain", "at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.action}"


class AuditName(TenantModel):
    """Who an actor id of the trail was. The only personal data beside the trail; emptied when the organisation is closed."""

    actor_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254, blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["tenant", "actor_id"], name="one_name_per_actor")]

    def __str__(self) -> str:
        return self.name or self.actor_id

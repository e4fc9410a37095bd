"""Lists that a source keeps: GL accounts, departments, projects. Cached, so that a mapping can offer them and knows an unknown code."""

from django.db import models

from integrations.models.connection import Connection
from tenants.scoping import TenantModel


class ReferenceEntry(TenantModel):
    """One code of a list, byte for byte, with what people call it."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="reference_entries")
    list = models.CharField(max_length=60)  # "gl_accounts", "departments"
    code = models.CharField(max_length=120)
    label = models.CharField(max_length=250, blank=True)
    is_active = models.BooleanField(default=True)
    seen_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["connection", "list", "code"], name="one_reference_entry_a_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.label}".strip()

"""What people have to look at: values that nobody mapped yet, and nights on which the two sides did not agree."""

from django.db import models

from integrations.models.flow import Flow
from tenants.scoping import TenantModel


class ReviewItem(TenantModel):
    """A value that a flow met and no value mapping knows: it stands here until somebody maps it, and then its records are rewritten."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="review_items")
    values = models.CharField(max_length=100)  # the value mapping's name
    value = models.CharField(max_length=500)  # as the source has it, byte for byte
    column = models.CharField(max_length=200, blank=True)
    said = models.TextField()
    found_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["flow", "values", "value"], name="one_review_a_value")]

    def __str__(self) -> str:
        return f"{self.values}: {self.value}"


class ReviewRecord(TenantModel):
    """A record that carries an unknown value: exactly these are mapped again once it is known."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="records")
    external_id = models.CharField(max_length=120)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["item", "external_id"], name="one_review_record_each")]

    def __str__(self) -> str:
        return self.external_id


class Reconciliation(TenantModel):
    """One comparison of the books with the board: what was compared, both sides' sums, every record that differs, and what it cost."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="reconciliations")
    made_at = models.DateTimeField()
    asked_by = models.CharField(max_length=80, blank=True)
    agrees = models.BooleanField()
    population = models.TextField()  # what "everything" means here, in words
    sums = models.JSONField(default=list)  # one entry per currency and kind
    differences = models.JSONField(default=dict)
    n_source_calls = models.PositiveIntegerField(default=0)
    n_target_calls = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["flow", "-made_at"], name="reconciliations_of_a_flow")]

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d} {'agrees' if self.agrees else 'differs'}"

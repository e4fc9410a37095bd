from integrations.models.connection import AppRegistration, Budget, Connection, Turn, VendorSession
from integrations.models.flow import Due, Flow, Link, WakeUp
from integrations.models.reference import ReferenceEntry
from integrations.models.review import Reconciliation, ReviewItem, ReviewRecord
from integrations.models.run import Attempt, RecordOutcome, Run

__all__ = [
    "AppRegistration",
    "Attempt",
    "Budget",
    "Connection",
    "Due",
    "Flow",
    "Link",
    "Reconciliation",
    "RecordOutcome",
    "ReferenceEntry",
    "ReviewItem",
    "ReviewRecord",
    "Run",
    "Turn",
    "VendorSession",
    "WakeUp",
]

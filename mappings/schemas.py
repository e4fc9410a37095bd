"""What was last seen of the places that are written to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils import timezone

from mappings.fields import Column
from mappings.models import BoardSchema, dump_column


def remember_schema(connection_id: uuid.UUID, place: str, title: str, columns: Sequence[Column], digest: str) -> BoardSchema:
    """Keep a place's columns as they are now. Not for the trail: nobody decided anything."""
    seen = {
        "title": title,
        "columns": [dump_column(each) for each in columns],
        "digest": digest,
        "seen_at": timezone.now(),
    }
    schema, _ = BoardSchema.objects.update_or_create(connection_id=connection_id, place=place, defaults=seen)
    return schema


def remembered_schema(connection_id: uuid.UUID, place: str) -> BoardSchema | None:
    return BoardSchema.objects.filter(connection_id=connection_id, place=place).first()

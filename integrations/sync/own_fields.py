"""Fields that the engine itself fills: what is flagged on an item, and whether the books still have its record.

A customer maps them to columns like any other field; ``with_own`` adds them to a flow's catalogue.
"""

from collections.abc import Sequence

from mappings.apply import Problem
from mappings.fields import Catalogue, Field, FieldType, Value

PREFIX = "ml."
FLAGS = Field(key="ml.flags", label="What needs review", type=FieldType.LONG_TEXT, example="The GL account 4711 is not known.")
IS_FLAGGED = Field(key="ml.is_flagged", label="Needs review", type=FieldType.BOOLEAN, example="Yes")
BOOKS = Field(key="ml.books", label="In the books", type=FieldType.CHOICE, choices=("In the books", "Deleted in the books"))
IS_DELETED = Field(key="ml.is_deleted", label="Deleted in the books", type=FieldType.BOOLEAN, example="No")


def with_own(catalogue: Catalogue) -> Catalogue:
    return Catalogue((*catalogue.fields, FLAGS, IS_FLAGGED, BOOKS, IS_DELETED))


def is_own(field: str) -> bool:
    return field.startswith(PREFIX)


def values(problems: Sequence[Problem], *, is_deleted: bool) -> dict[str, Value]:
    said = " ".join(problem.said for problem in problems)
    return {
        FLAGS.key: said or None,
        IS_FLAGGED.key: bool(problems),
        BOOKS.key: BOOKS.choices[is_deleted],
        IS_DELETED.key: is_deleted,
    }

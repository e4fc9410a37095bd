"""Dimensions a company has made itself: an object with integer ids, and a field of every line that holds one of them."""

from collections.abc import Iterable, Mapping

from integrations.sandboxes.intacct.shapes import Field, Kind, object_type
from integrations.sandboxes.intacct.state import Company, Table

# Objects made by customers spell their fields so, other than all that came with the product.
_FIELDS = "id:I name description createdBy updatedBy createdAt:T updatedAt:T"
FIRST_ID = 10001


def put_dimension(company: Company, name: str, label: str, values: Iterable[str] | Mapping[int, str], now: int) -> dict[str, int]:
    """Make a dimension, or give it further values; says which id each value got. Raises ValueError for a name already taken."""
    field = f"GLDIM{name}"
    if name not in company.objects:
        type_ = object_type(name, label, _FIELDS, key="id", natural_key="name", created="createdAt", starts_at=FIRST_ID)
        company.objects[name], company.tables[name] = type_, Table(type_)
        company.custom.setdefault("APBILLITEM", {})[field] = Field(name=field, kind=Kind.INTEGER, is_custom=True)
        company.dimensions[field] = name
    elif field not in company.dimensions:
        raise ValueError(f"there is an object {name} already")
    table = company.tables[name]
    numbered = values.items() if isinstance(values, Mapping) else ((table.new_key(), value) for value in values)
    found = {}
    for id_, value in numbered:
        table.put({"id": id_, "name": value, "createdBy": "1", "updatedBy": "1", "createdAt": now, "updatedAt": now})
        table.next_key = max(table.next_key, id_ + 1)
        found[value] = id_
    return found

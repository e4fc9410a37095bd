"""The schema with its resolvers, and what the scalars admit."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    StringValueNode,
    ValueNode,
    build_schema,
    value_from_ast_untyped,
)

from .column_fields import COMMON, TYPED, type_name
from .context import Resolver, Table, of
from .files import FILE_VALUES, FILES
from .ingest_fields import INGEST
from .moving import MOVES
from .multipart import Upload
from .reads import READS
from .structure import STRUCTURE
from .writes import WRITES

SDL = Path(__file__).with_name("schema.graphql")
ROOTS = ("Query", "Mutation")
ONLY_MEMBERS = {"JobStatus": "ItemsJobStatus", "FileValueItem": "FileAssetValue"}  # what our unions hold in truth


@cache
def monday_schema() -> GraphQLSchema:
    schema = build_schema(SDL.read_text(encoding="utf-8"))
    _attach(schema, READS | WRITES | STRUCTURE | INGEST | FILES | MOVES)
    _attach_values(schema)
    _set_scalar(schema.type_map["JSON"], _json_value)
    _set_scalar(schema.type_map["CompareValue"], lambda value: value)
    _set_scalar(schema.type_map["File"], _file)
    for name, member in ONLY_MEMBERS.items():
        union = schema.type_map[name]
        assert isinstance(union, GraphQLUnionType)
        union.resolve_type = _always(member)
    return schema


def _attach(schema: GraphQLSchema, table: Table) -> None:
    for place, resolver in table.items():
        type_, field = place.split(".")
        owner = schema.type_map[type_]
        assert isinstance(owner, GraphQLObjectType)
        owner.fields[field].resolve = _guarded(resolver) if type_ in ROOTS and field != "complexity" else resolver


def _guarded(resolver: Resolver) -> Resolver:
    """A root field that an armed fault may let fail."""

    def resolve(source: Any, info: Any, **args: Any) -> Any:
        of(info).alias_fault.check()
        return resolver(source, info, **args)

    return resolve


def _attach_values(schema: GraphQLSchema) -> None:
    interface = schema.type_map["ColumnValue"]
    assert isinstance(interface, GraphQLInterfaceType)
    interface.resolve_type = lambda value, info, of_type: type_name(value)
    for type_ in schema.get_possible_types(interface):
        for name, field in type_.fields.items():
            field.resolve = (TYPED | FILE_VALUES).get(f"{type_.name}.{name}") or COMMON[name]


def _set_scalar(scalar: Any, parse: Any) -> None:
    assert isinstance(scalar, GraphQLScalarType)

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        return parse(node.value if isinstance(node, StringValueNode) else value_from_ast_untyped(node, variables))

    scalar.parse_value = parse  # type: ignore[method-assign]
    scalar.parse_literal = parse_literal  # type: ignore[method-assign]


def _always(member: str) -> Callable[..., str]:
    return lambda value, info, of_type: member


def _file(value: Any) -> Any:
    if not isinstance(value, Upload):
        raise GraphQLError("A file is sent as a part of a multipart request")
    return value


def _json_value(value: Any) -> Any:
    """JSON comes as text; where an object is allowed too, it stands for itself."""
    if not isinstance(value, str):
        return value
    try:
        decoded = json.loads(value)
        json.dumps(decoded, ensure_ascii=False).encode()  # half an emoji is no text
    except ValueError:
        raise GraphQLError("Syntax error in JSON input") from None
    return decoded

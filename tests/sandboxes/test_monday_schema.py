"""Our part of the schema, held against the one the vendor publishes."""

import dataclasses
from functools import cache
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_introspection_query,
    validate_schema,
)

from integrations.sandboxes.monday.schema import SDL, monday_schema
from integrations.sandboxes.monday.state import Board, Column, Group, Item, Tag, User, Workspace
from tests.sandboxes.test_monday import a_monday

PUBLISHED = Path(__file__).resolve().parents[2].parent / "shared" / "vendors" / "monday" / "schema-2026-10.graphql"


PLAIN = {"Board": Board, "Column": Column, "Group": Group, "Item": Item, "Tag": Tag, "User": User, "Workspace": Workspace}


@cache
def published() -> GraphQLSchema:
    return build_schema(PUBLISHED.read_text(encoding="utf-8"), assume_valid=True)


def test_our_schema_is_sound_and_every_field_is_resolved() -> None:
    schema = monday_schema()
    assert validate_schema(schema) == []
    for name, kind in PLAIN.items():
        attributes = {one.name for one in dataclasses.fields(kind)} | set(vars(kind))
        type_ = schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        assert [field for field, spec in type_.fields.items() if not spec.resolve and field not in attributes] == []
    for name in ("Query", "Mutation"):
        type_ = schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        assert all(spec.resolve for spec in type_.fields.values())


def test_the_schema_can_be_asked_for() -> None:
    assert a_monday().ask(get_introspection_query()).data["__schema"]["queryType"]["name"] == "Query"


def lines(schema: GraphQLSchema) -> set[str]:
    """Every type, field, argument and enum value as one line of text."""
    own = {name: type_ for name, type_ in schema.type_map.items() if not name.startswith("__")}
    return {line for type_ in own.values() for line in described(type_)}


def described(type_: GraphQLNamedType) -> set[str]:
    kind = type(type_).__name__
    told = {f"{kind} {type_.name}"}
    if isinstance(type_, GraphQLEnumType):
        told |= {f"{type_.name}.{value}" for value in type_.values}
    elif isinstance(type_, GraphQLInputObjectType):
        told |= {f"{type_.name}.{name}: {field.type} = {field.default_value}" for name, field in type_.fields.items()}
    elif isinstance(type_, GraphQLUnionType):
        told |= {f"{type_.name} = {member.name}" for member in type_.types}
    elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        told |= {f"{type_.name} implements {interface.name}" for interface in type_.interfaces}
        for name, field in type_.fields.items():
            told.add(f"{type_.name}.{name}: {field.type}")
            told |= {f"{type_.name}.{name}({one}: {arg.type} = {arg.default_value})" for one, arg in field.args.items()}
    return told


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the vendor's schema is not beside this repository")
def test_everything_in_our_schema_is_in_the_published_one() -> None:
    ours = build_schema(SDL.read_text(encoding="utf-8"))
    assert sorted(lines(ours) - lines(published())) == []


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the vendor's schema is not beside this repository")
def test_no_required_argument_or_input_field_is_left_out() -> None:
    missing = []
    for name, type_ in build_schema(SDL.read_text(encoding="utf-8")).type_map.items():
        theirs = published().type_map.get(name)
        if isinstance(type_, GraphQLObjectType) and isinstance(theirs, GraphQLObjectType) and not name.startswith("__"):
            for field in type_.fields:
                required = {arg for arg, spec in theirs.fields[field].args.items() if str(spec.type).endswith("!")}
                missing += [f"{name}.{field}({arg})" for arg in required - set(type_.fields[field].args)]
    assert missing == []


def test_the_schema_file_says_so_in_our_own_words() -> None:
    assert '"""' not in SDL.read_text(encoding="utf-8")

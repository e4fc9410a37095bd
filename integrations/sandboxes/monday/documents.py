"""GraphQL documents: parsed and validated once per text, with what a request needs to know about them before it runs."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    parse,
    print_ast,
    validate,
)
from graphql.language import get_location

from .answers import parse_failed, validation_failed

KEPT_DOCUMENTS = 500
LOOK_UP = 1_000  # points for a look-up by column values
OBJECT = 10
PAGED = frozenset({"boards", "items", "items_page", "next_items_page", "items_page_by_column_values", "users", "workspaces"})
JSON_ONLY = frozenset({"column_values", "value"})  # arguments that want their JSON as text, never as an object


@dataclass(frozen=True, kw_only=True)
class Document:
    """A valid document, with the operation that is to run."""

    node: DocumentNode
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]

    @property
    def is_mutation(self) -> bool:
        return self.operation.operation.value == "mutation"

    def roots(self) -> list[FieldNode]:
        return list(self.fields(self.operation.selection_set))

    def name(self) -> str:
        """The root fields by their names, each once, for the list of calls."""
        return ",".join(dict.fromkeys(root.name.value for root in self.roots()))

    def fields(self, selections: SelectionSetNode | None) -> Iterator[FieldNode]:
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self.fields(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                yield from self.fields(self.fragments[node.name.value].selection_set)

    def json_variables(self) -> Iterator[tuple[str, str]]:
        """Variables that carry column values: their names and types as declared."""
        types = {one.variable.name.value: one.type for one in self.operation.variable_definitions or ()}
        for root in self.roots():
            for argument in root.arguments:
                if argument.name.value in JSON_ONLY and isinstance(argument.value, VariableNode):
                    yield argument.value.name.value, print_ast(types[argument.value.name.value])

    def json_literals(self) -> list[ValueNode]:
        """Objects and lists written into the document where JSON text belongs."""
        written = [argument for root in self.roots() for argument in root.arguments if argument.name.value in JSON_ONLY]
        return [argument.value for argument in written if isinstance(argument.value, ObjectValueNode | ListValueNode)]

    def cost(self, variables: Mapping[str, Any], mutation_cost: int) -> int:
        """Complexity points: one per scalar, ten per object, times the rows asked for; a fixed price per mutation."""
        total = 0
        for root in self.roots():
            if self.is_mutation and root.name.value != "complexity":
                total += mutation_cost
            elif root.name.value == "items_page_by_column_values":
                total += LOOK_UP
            else:
                total += self._field_cost(root, variables)
        return total

    def _field_cost(self, node: FieldNode, variables: Mapping[str, Any]) -> int:
        if not node.selection_set:
            return 1
        rows = _rows(node, variables) if node.name.value in PAGED else 1
        return rows * (OBJECT + sum(self._field_cost(child, variables) for child in self.fields(node.selection_set)))


class Documents:
    """Reads texts into documents and remembers the last few hundred."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._kept: OrderedDict[str, DocumentNode] = OrderedDict()

    def read(self, text: str, operation_name: str | None) -> Document:
        node = self._kept.get(text) or self._new(text)
        self._kept.move_to_end(text)
        operations = [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]
        named = [one for one in operations if not operation_name or (one.name and one.name.value == operation_name)]
        if len(named) != 1:
            asked = f'Unknown operation named "{operation_name}".' if operation_name else "Must provide operation name."
            raise validation_failed([GraphQLError(asked)])
        fragments = {one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)}
        return Document(node=node, operation=named[0], fragments=fragments)

    def _new(self, text: str) -> DocumentNode:
        try:
            node = parse(text)
        except GraphQLError as error:
            raise parse_failed(error) from error
        if errors := validate(self._schema, node):
            raise validation_failed(errors)
        self._kept[text] = node
        if len(self._kept) > KEPT_DOCUMENTS:
            self._kept.popitem(last=False)
        return node


def location(node: FieldNode) -> dict[str, int] | None:
    if node.loc is None:
        return None
    found = get_location(node.loc.source, node.loc.start)
    return {"line": found.line, "column": found.column}


def _rows(node: FieldNode, variables: Mapping[str, Any]) -> int:
    """How many rows a field asks for: its ids, or else its limit, or else a page of 25."""
    given = {argument.name.value: _given(argument.value, variables) for argument in node.arguments}
    ids, limit = given.get("ids"), given.get("limit")
    if ids is not None:
        return max(1, len(ids)) if isinstance(ids, list) else 1
    return max(1, limit) if isinstance(limit, int) else 25


def _given(value: ValueNode, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, VariableNode):
        return variables.get(value.name.value)
    if isinstance(value, ListValueNode):
        return list(value.values)
    return int(value.value) if isinstance(value, IntValueNode) else None

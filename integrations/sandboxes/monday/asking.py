"""A request on its way through the sandbox: what it asks for, read and checked before anything is carried out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from graphql import ExecutionResult, GraphQLError, VariableDefinitionNode, print_ast

from integrations.sandboxes.core import Fault, Request

from . import answers, multipart, versions
from .answers import WholeRefusal
from .documents import Document, location
from .state import Token

FILE_DOOR = "/v2/file"


@dataclass(kw_only=True)
class Call:
    """One request on its way through: filled step by step, so that every answer, also a refusal, can be dressed."""

    request: Request
    request_id: str
    token: Token | None = None
    version: str = versions.CURRENT
    document: Document | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None

    @property
    def operation(self) -> str:
        return self.document.name() if self.document else ""

    @property
    def budget(self) -> str:
        return self.token.budget if self.token else "personal"

    @property
    def kind(self) -> str:
        return "write" if self.document and self.document.is_mutation else "read"


def asked(request: Request) -> tuple[str, dict[str, Any], str | None]:
    """Query text, variables and operation name, as JSON or, leniently, as a form or in the address."""
    if request.method == "GET":
        return _from_form(request.query)
    if request.path.rstrip("/") == FILE_DOOR and request.headers.get("content-type", "").startswith("multipart/form-data"):
        return multipart.asked(request.body, request.headers["content-type"])
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        pairs = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        return _from_form({name: values[-1] for name, values in pairs.items()})
    try:
        given = json.loads(request.body)
    except ValueError:
        raise answers.bad_json() from None
    if not isinstance(given, dict) or not isinstance(given.get("query"), str) or not given["query"].strip():
        raise answers.no_query()
    variables = given.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise answers.variables_not_an_object()
    return given["query"], variables or {}, given.get("operationName")


def _from_form(given: Mapping[str, str]) -> tuple[str, dict[str, Any], str | None]:
    if not given.get("query"):
        raise answers.no_query()
    try:
        variables = json.loads(given.get("variables") or "{}")
    except ValueError:
        raise answers.variables_not_an_object() from None
    if not isinstance(variables, dict):
        raise answers.variables_not_an_object()
    return given["query"], variables, given.get("operationName")


def refuse_json_objects(document: Document, variables: Mapping[str, Any]) -> None:
    """Column values come as JSON text; an object in their place is refused, as a variable and as a literal."""
    if literals := document.json_literals():
        raise answers.validation_failed([GraphQLError("Expected a JSON encoded string", nodes=literals)])
    for name, type_ in document.json_variables():
        value = variables.get(name)
        if value is not None and not isinstance(value, str):
            raise answers.variable_invalid(name, type_, value, "Expected a JSON encoded string")


def refuse_bad_variables(result: ExecutionResult, variables: Mapping[str, Any]) -> None:
    """A variable of the wrong form refuses the whole document."""
    for error in result.errors or ():
        node = error.nodes[0] if error.nodes else None
        if isinstance(node, VariableDefinitionNode):
            name = node.variable.name.value
            value = variables.get(name)
            told = value.name if isinstance(value, multipart.Upload) else value
            raise answers.variable_invalid(name, print_ast(node.type), told, _explained(error))


def _explained(error: GraphQLError) -> str:
    return "Syntax error in JSON input" if "JSON input" in error.message else error.message


def document_fault(name: str, call: Call) -> WholeRefusal:
    assert call.document is not None
    root = call.document.roots()[0]
    if name == "scope_missing":
        return answers.scope_missing(root.name.value, location(root))
    if name == "variable_invalid":
        return answers.variable_invalid("columnValues", "JSON!", "not-valid-json", "Syntax error in JSON input")
    error = GraphQLError(f'Cannot query field "nope" on type "{call.kind.title()}".', nodes=root)
    return answers.validation_failed([error])

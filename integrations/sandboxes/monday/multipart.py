"""Requests that carry files: ``multipart/form-data`` with a query, its variables, and which part is which variable."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .answers import bad_json, no_query, variables_not_an_object

DIRECT = re.compile(r"variables\[(\w+)\]")
PARAMETER = re.compile(r';\s*(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as it came with a request."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Form:
    fields: Mapping[str, str]
    files: Mapping[str, Upload]


def asked(body: bytes, content_type: str) -> tuple[str, dict[str, Any], str | None]:
    """Query text, variables with the files in their places, and operation name."""
    form = read(body, content_type)
    query = form.fields.get("query", "")
    if not query.strip():
        raise no_query()
    variables = _object(form.fields.get("variables"))
    for part, upload in form.files.items():
        for variable in _variables_of(part, form):
            variables[variable] = upload
    return query, variables, form.fields.get("operationName")


def _variables_of(part: str, form: Form) -> list[str]:
    """A part named ``variables[file]`` says it itself; of any other the field ``map`` does: {"image": "variables.file"}."""
    if found := DIRECT.fullmatch(part):
        return [found[1]]
    places = _object(form.fields.get("map")).get(part, [])
    listed = places if isinstance(places, list) else [places]
    return [str(place).removeprefix("variables.") for place in listed]


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        raise variables_not_an_object() from None
    if not isinstance(found, dict):
        raise variables_not_an_object()
    return found


def read(body: bytes, content_type: str) -> Form:
    boundary = re.search(r'boundary="?([^";]+)"?', content_type)
    if boundary is None:
        raise bad_json()
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:]:
        head, found, content = part.partition(b"\r\n\r\n")
        if not found:
            continue  # the two dashes after the last part
        headers = _headers(head)
        told = dict(PARAMETER.findall(headers.get("content-disposition", "")))
        if "filename" in told:
            kind = headers.get("content-type", "application/octet-stream")
            files[told.get("name", "")] = Upload(name=told["filename"], content_type=kind, content=content)
        else:
            fields[told.get("name", "")] = content.decode("utf-8", "replace")
    return Form(fields=fields, files=files)


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in lines}

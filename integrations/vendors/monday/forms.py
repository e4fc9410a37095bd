"""A document and one file as the form that the vendor's address for files takes."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from integrations.vendors.monday.documents import Document


def multipart(document: Document, variables: Mapping[str, Any], filename: str, content: bytes) -> tuple[bytes, str]:
    """The body and its content type. The document's ``$file`` is the file; its name has to be clean."""
    mark = uuid4().hex
    fields = {"query": document.text, "variables": json.dumps(dict(variables)), "map": json.dumps({"file": "variables.file"})}
    parts = [_part(mark, f'name="{name}"', text.encode()) for name, text in fields.items()]
    parts.append(_part(mark, f'name="file"; filename="{filename}"', content, "Content-Type: application/octet-stream\r\n"))
    return b"".join(parts) + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


def _part(mark: str, disposition: str, content: bytes, more: str = "") -> bytes:
    return f"--{mark}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n".encode() + content + b"\r\n"


def clean_filename(name: str) -> str:
    """Without what would end the line or the quotation that it stands in; the vendor keeps this name."""
    return re.sub(r"[\r\n\x00]", "", name).replace("\\", "_").replace('"', "'").strip() or "file"

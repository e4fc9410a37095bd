"""Masks what is named like a secret, what looks like one, and what is known to be one. Imported by settings: no Django here."""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "[hidden]"
_DEEPEST = 20
_SHORTEST = 6  # shorter texts occur inside ordinary words; masking them would hide everything
_MOST = 1024

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)|pwd|secret|token(?!s?_?(count|used|left))|authori[sz]ation(?!_?(url|server))|cookie|session_?id|sessid|api_?key"
    r"|access_?key|private_?key|signing_?key|credential|client_assertion|csrf|signature|(^|_)otp|recovery_?code|^(code_verifier|sid|auth|bearer)$",
    re.IGNORECASE,
)
_PLAIN_NAME = re.compile(r"^(is|has|n)_|_(at|for|count|hint)$", re.IGNORECASE)
_NAME_OF_SOMEBODY = re.compile(r"(^|_)(id|user|user_?name|company|name|region|country|scopes?|url|host|at|type)$", re.IGNORECASE)
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-\s.]+")

_XML_SECRET = re.compile(
    r"(<(?:[\w.-]+:)?(password|userpassword|sessionid|token|access_?token|refresh_?token|secret|client_?secret|signature)\b[^>]*>)"
    r"(.*?)(</(?:[\w.-]+:)?\2\s*>|$)",
    re.IGNORECASE | re.DOTALL,
)
_ASSIGNED = re.compile(
    r"""((?:\b|_)(?:pass(?:word|wd|phrase)|pwd|secret|token|api_?key|session_?id|sessionid|signature)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&,;}<>"']+)""",
    re.IGNORECASE,
)
# A capital, a digit or padding tells a token from a sentence about one ("the token expired").
_SCHEMES = re.compile(r"\b(Bearer|Basic|Token)\s+(?=[\w.~+/-]*(?-i:[A-Z0-9=]))[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
# Looking back, instead of \b, starts each run of letters once: no text from outside can make these slow.
_JWT = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")
_URL_LOGIN = re.compile(r"(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*://)[^/\s@'\"<>]+@", re.IGNORECASE)

_known: "OrderedDict[str, None]" = OrderedDict()
_lock = threading.Lock()


def remember_secret(text: str) -> None:
    """Mask this text wherever it turns up in this process. The newest thousand are kept."""
    if len(text) < _SHORTEST:
        return
    with _lock:
        _known[text] = None
        _known.move_to_end(text)
        while len(_known) > _MOST:
            _known.popitem(last=False)


def remember_secrets(value: Any, key: str = "") -> None:
    """Remember every text in a nested value, except what its key calls a name or an id: those belong into logs."""
    if isinstance(value, str):
        words = _WORD_BREAK.sub("_", key)
        if looks_secret(key) or not _NAME_OF_SOMEBODY.search(words):
            remember_secret(value)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            remember_secrets(part, str(name))
    elif isinstance(value, list | tuple | set):
        for part in value:
            remember_secrets(part, key)


def looks_secret(name: str) -> bool:
    """Whether a key of this name holds a secret: `clientSecret`, `X-Api-Key`, `sessionid`."""
    words = _WORD_BREAK.sub("_", name)
    return bool(_SECRET_NAME.search(words)) and not _PLAIN_NAME.search(words)


def redact(value: Any, key: str = "") -> Any:
    """The same value with secrets masked. Never changes what it was given, and never raises."""
    return _redact(value, key, _DEEPEST)


def redact_text(text: str) -> str:
    with _lock:
        known = [secret for secret in _known if secret in text]
    # Longest first, so that a secret that contains another one is not left half visible.
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _XML_SECRET.sub(rf"\1{MASK}\4", text)
    text = _URL_LOGIN.sub(rf"\1{MASK}@", text)
    text = _SCHEMES.sub(rf"\1 {MASK}", text)
    text = _JWT.sub(MASK, text)
    return _ASSIGNED.sub(rf"\1{MASK}", text)


def _redact(value: Any, key: str, depth: int) -> Any:
    if key and value is not None and not isinstance(value, bool) and looks_secret(key):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return redact_text(bytes(value).decode("utf-8", "replace"))
    if depth == 0:
        return MASK
    if isinstance(value, Mapping):
        return {_redact_key(name): _redact(part, str(name), depth - 1) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return _redact_parts(value, depth)
    return value if type(value).__module__ in ("uuid", "datetime", "decimal") else redact_text(_told(value))


def _redact_key(name: Any) -> Any:
    return redact_text(name) if isinstance(name, str) else name


def _redact_parts(parts: Iterable[Any], depth: int) -> list[Any]:
    return [_redact_pair(part, depth) for part in parts]


def _redact_pair(part: Any, depth: int) -> Any:
    """Headers travel as pairs: the first names what the second is."""
    if isinstance(part, tuple | list) and len(part) == 2 and isinstance(part[0], str | bytes):
        name = part[0].decode("utf-8", "replace") if isinstance(part[0], bytes) else part[0]
        return [_redact(name, "", depth - 1), _redact(part[1], name, depth - 1)]
    return _redact(part, "", depth - 1)


def _told(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # somebody's broken __repr__ must not lose the log line
        return f"<{type(value).__name__}: {type(error).__name__} in its repr>"

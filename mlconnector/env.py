"""Reads the environment, typed, and refuses a wrong value with a sentence that names the variable."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

# Values are read here and not by django-environ, which takes one that begins with "$" for another variable's name: a password may.


def text(name: str, default: str = "") -> str:
    """A text, with the blanks around it removed. A variable that is set to nothing is not set."""
    return os.environ.get(name, "").strip() or default


def choice(name: str, default: str, known: Sequence[str]) -> str:
    """One of the known words, in capitals or not."""
    value = text(name, default)
    found = next((each for each in known if each.casefold() == value.casefold()), None)
    if found is None:
        raise _wrong(name, f"one of {', '.join(known)}", value)
    return found


def flag(name: str, default: bool) -> bool:
    """A yes or no. Anything that is neither is refused: a typing mistake must not mean "no"."""
    value = text(name).casefold()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise _wrong(name, "true or false", value)


def number(name: str, default: int, *, least: int = 0) -> int:
    value = text(name, str(default))
    try:
        found = int(value)
    except ValueError:
        raise _wrong(name, "a whole number", value) from None
    if found < least:
        raise _wrong(name, f"at least {least}", value)
    return found


def texts(name: str, default: list[str] | None = None) -> list[str]:
    """A comma-separated list; empty parts are dropped."""
    return [part.strip() for part in text(name).split(",") if part.strip()] or list(default or [])


def url(name: str, default: str) -> str:
    value = text(name, default).rstrip("/")
    if value and not _is_address(value):
        raise ImproperlyConfigured(f"{name} must be an address that begins with https:// or http://.")  # may hold a password
    return value


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def folder(name: str, default: Path) -> Path:
    """A folder, made where it does not exist yet."""
    path = Path(text(name) or default)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name} must be a folder; {path} cannot be made ({error.strerror}).") from None
    return path


def database(name: str, default: Path | None = None) -> dict[str, Any] | None:
    """A database address such as postgres://user:password@host:5432/name, or SQLite at ``default`` when the variable is not set.

    What is refused is not repeated, and neither is what the parser says of it: there is a password in it.
    """
    value = text(name)
    if not value:
        return None if default is None else {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
    try:
        is_known = value.startswith(("postgres://", "postgresql://", "sqlite://"))
        config: dict[str, Any] = environ.Env.db_url_config(value) if is_known else {}
    except (ValueError, ImproperlyConfigured):
        config = {}
    if not config.get("NAME"):
        raise ImproperlyConfigured(
            f"{name} must be a database address such as postgres://user:password@host:5432/name or sqlite:////folder/file."
        )
    return config


def _wrong(name: str, wanted: str, value: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} must be {wanted}; it is set to {value!r}.")

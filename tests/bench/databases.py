"""Scratch databases: migrated once, copied for every measurement, gone afterwards. What DATABASE_URL names is never written to."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
FILE = "ml-connector.sqlite3"
ROLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_STAFF_URL")


class Database(Protocol):
    name: str

    def copied(self) -> AbstractContextManager[Mapping[str, str]]:
        """``with database.copied() as environment:`` a migrated, empty one, and the environment of a process that uses it."""
        ...


@contextmanager
def prepared(folder: Path) -> Iterator[list[Database]]:
    """The databases to measure on: the one that is meant by DATABASE_URL first, and SQLite in any case."""
    with ExitStack() as stack:
        found: list[Database] = [Sqlite(folder)]
        if os.environ.get("DATABASE_URL", "").startswith("postgres"):
            found.insert(0, stack.enter_context(_postgresql(folder)))
        yield found


def _manage(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, str(MANAGE), *arguments], env=dict(environment), check=True, stdout=subprocess.DEVNULL)


def _environment(folder: Path, urls: Mapping[str, str]) -> dict[str, str]:
    """This process's own, without its databases."""
    kept = {name: value for name, value in os.environ.items() if name not in ROLES}
    return {**kept, **urls, "VAR_DIR": str(folder), "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "mlconnector.settings"}


class Sqlite:
    """A file per measurement."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, count(1)
        self._template = folder / "template"
        self._template.mkdir()
        _manage(_environment(self._template, {}), "migrate", "--verbosity", "0")

    @contextmanager
    def copied(self) -> Iterator[Mapping[str, str]]:
        folder = self._folder / f"sqlite-{next(self._numbers)}"
        folder.mkdir()
        shutil.copyfile(self._template / FILE, folder / FILE)
        try:
            yield _environment(folder, {})
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class Postgresql:
    """A database per measurement, beside the one that DATABASE_URL names and with the same three roles."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, template: str) -> None:
        self._folder, self._template, self._numbers = folder, template, count(1)

    @contextmanager
    def copied(self) -> Iterator[Mapping[str, str]]:
        name = f"{self._template}_{next(self._numbers)}"
        _as_owner(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        try:
            yield self.environment(name)
        finally:
            _as_owner(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def environment(self, database: str) -> dict[str, str]:
        urls = {role: _named(os.environ[role], database) for role in ROLES if os.environ.get(role)}
        return _environment(self._folder, urls)


@contextmanager
def _postgresql(folder: Path) -> Iterator[Postgresql]:
    if not os.environ.get("DATABASE_OWNER_URL"):
        sys.exit("On PostgreSQL this needs DATABASE_OWNER_URL too, whose role may create databases: tests/postgres_roles.sql.")
    template = f"bench_{os.getpid()}"
    made = Postgresql(folder, template)
    _as_owner(f'CREATE DATABASE "{template}"')
    try:
        _manage(made.environment(template), "migrate", "--database", "owner", "--verbosity", "0")
        _manage(made.environment(template), "prepare_database")
        yield made
    finally:
        _as_owner(f'DROP DATABASE IF EXISTS "{template}" WITH (FORCE)')


def _as_owner(sql: str) -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as session:
        session.execute(sql.encode())


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))

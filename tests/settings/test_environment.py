"""A wrong value in the environment is refused at the start, with one sentence that names the variable."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.settings.running import Start, start

pytestmark = pytest.mark.slow  # each starts a process

OWN_KEY = secrets.token_urlsafe(60)
WRONG = [
    ("ENVIRONMENT", "staging", "must be one of development, production; it is set to 'staging'."),
    ("DEBUG", "maybe", "must be true or false; it is set to 'maybe'."),
    ("SECURE_COOKIES", "2", "must be true or false"),
    ("SECURE_SSL_REDIRECT", "ja", "must be true or false"),
    ("BEHIND_PROXY", "nginx", "must be true or false"),
    ("LOG_JSON", "json", "must be true or false"),
    ("LOG_LEVEL", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL; it is set to 'LOUD'."),
    ("Q_WORKERS", "two", "must be a whole number; it is set to 'two'."),
    ("Q_WORKERS", "0", "must be at least 1; it is set to '0'."),
    ("SECURE_HSTS_SECONDS", "-1", "must be at least 0"),
    ("SECURE_HSTS_SECONDS", "1.5", "must be a whole number"),
    ("Q_BROKER", "redis://:canary@host", "must be orm: other brokers are not part of this version."),
    ("PUBLIC_URL", "ftp://example.com", "must be an address that begins with https:// or http://"),
    ("PUBLIC_URL", "https://", "must be an address that begins with https:// or http://"),
    ("SANDBOX_URL", "localhost:9000", "must be an address that begins with https:// or http://"),
    ("SANDBOX_URL", "http://host:port", "must be an address that begins with https:// or http://"),
    ("MONDAY_API_URL", "https//api.monday.com", "must be an address that begins with https:// or http://"),
    ("INTACCT_URL", "http//user:canary@books.example", "must be an address"),
    ("DATABASE_URL", "nonsense", "must be a database address such as postgres://"),
    ("DATABASE_URL", "postgres://user:canary@host", "must be a database address such as postgres://"),
    ("DATABASE_URL", "postgres://user:canary@host:port/name", "must be a database address such as postgres://"),
    ("DATABASE_URL", "postgres://user:can/ary@host/name", "must be a database address such as postgres://"),
    ("DATABASE_OWNER_URL", "mysql://user:canary@host/name", "must be a database address such as postgres://"),
    ("DATABASE_URL", "psql://user:canary@host:x/name", "must be a database address such as postgres://"),
    ("DATABASE_STAFF_URL", "postgres//user:canary@host/name", "must be a database address such as postgres://"),
]


def refused(started: Start) -> str:
    assert not started.ok
    return started.why


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, name: str, value: str, said: str) -> None:
    started = start(tmp_path, **{name: value})

    sentence = refused(started)
    assert sentence.startswith(f"{name} must be ")
    assert said in sentence
    assert "\n" not in sentence
    # Neither the sentence nor the traceback before it repeats a password.
    assert "canary" not in started.errors
    assert "ary@host" not in started.errors


def test_a_database_that_sits_behind_another_port_is_named_with_it(tmp_path: Path) -> None:
    code = "from django.conf import settings; d = settings.DATABASES['default']; print(d['HOST'], d['PORT'], d['NAME'], d['PASSWORD'])"

    started = start(tmp_path, code, DATABASE_URL="postgres://user:p%40ss@127.0.0.1:6543/ml")

    assert started.out == "127.0.0.1 6543 ml p@ss\n"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert refused(start(tmp_path, VAR_DIR=str(tmp_path / "file" / "var"))).startswith("VAR_DIR must be a folder; ")


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "ENVIRONMENT", "LOG_LEVEL", "Q_WORKERS", "DEBUG", "PUBLIC_URL", "DATABASE_URL", "Q_BROKER"]
)
def test_a_variable_that_is_set_to_nothing_is_not_set(tmp_path: Path, name: str) -> None:
    """Compose files and CI set what they do not know to nothing."""
    assert start(tmp_path, **{name: " "}).ok


def test_a_secret_may_begin_with_any_sign(tmp_path: Path) -> None:
    """Some readers of environments take "$name" for the value of another variable."""
    code = "from django.conf import settings; print(settings.INTACCT_SENDER_PASSWORD, settings.SECRET_KEY)"

    assert start(tmp_path, code, INTACCT_SENDER_PASSWORD="$HOME", SECRET_KEY="$x\\$y").out == "$HOME $x\\$y\n"


@pytest.mark.parametrize(
    ("value", "means"), [("1", True), ("Yes", True), ("ON", True), ("0", False), ("no", False), ("FALSE", False)]
)
def test_yes_and_no_are_understood_in_every_spelling(tmp_path: Path, value: str, means: bool) -> None:
    code = "from django.conf import settings; print(settings.DEBUG)"

    assert start(tmp_path, code, DEBUG=value).out == f"{means}\n"


def test_without_any_environment_it_starts_as_on_a_laptop(tmp_path: Path) -> None:
    code = "from django.conf import settings; print(settings.DATABASES['default']['ENGINE'], settings.PUBLIC_URL, settings.DEBUG)"

    assert start(tmp_path, code).out == "django.db.backends.sqlite3 http://localhost:8000 False\n"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ALLOWED_HOSTS": "localhost,ml-connector.example"}, "(ALLOWED_HOSTS)"),
        ({"ALLOWED_HOSTS": "*"}, "(ALLOWED_HOSTS)"),
        ({"PUBLIC_URL": "https://ml-connector.example"}, "(PUBLIC_URL)"),
        ({"DATABASE_URL": "postgres://user:canary@db/ml"}, "(the database's address)"),
        ({"DATABASE_URL": "postgres:///ml?host=db.example"}, "(the database's address)"),
        ({"DATABASE_STAFF_URL": "postgres://user:canary@10.0.0.5/ml"}, "(the database's address)"),
        ({"PUBLIC_URL": "http://10.0.0.5", "SECRET_KEY": OWN_KEY, "CREDENTIAL_KEYS": OWN_KEY}, "(PUBLIC_URL)"),
    ],
)
def test_keys_that_everybody_knows_do_not_leave_this_machine(tmp_path: Path, changed: dict[str, str], named: str) -> None:
    started = start(tmp_path, **changed)

    sentence = refused(started)
    assert sentence.startswith("This installation refuses to start: its keys are for development only")
    assert named in sentence
    assert sentence.endswith("Set ENVIRONMENT=production, or keep it on this machine.")
    assert "canary" not in started.errors


@pytest.mark.parametrize(
    "changed",
    [
        {"ALLOWED_HOSTS": "LOCALHOST,127.0.0.1,[::1]", "PUBLIC_URL": "http://[::1]:8000"},
        {"DATABASE_URL": "postgres://user@localhost/ml", "DATABASE_STAFF_URL": "postgres:///ml?host=/run/postgresql"},
        {"PUBLIC_URL": "https://tunnel.example", "SECRET_KEY": OWN_KEY, "CREDENTIAL_KEYS": OWN_KEY, "AUDIT_KEY": OWN_KEY},
    ],
)
def test_development_stays_on_this_machine_or_brings_its_own_keys(tmp_path: Path, changed: dict[str, str]) -> None:
    started = start(tmp_path, **changed)

    assert started.ok, started.errors

"""In production each unsafe value by itself keeps the installation from starting; safe ones start, and Django agrees that they are."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.settings.running import production, start

pytestmark = pytest.mark.slow  # each starts a process

SHARED = secrets.token_urlsafe(60)
DEVELOPMENT = "development-only-secret-key-never-used-in-production-0123456789"
UNSAFE = [
    ({"DEBUG": "on"}, "DEBUG must be off in production"),
    ({"SECRET_KEY": ""}, "SECRET_KEY must be a random text of at least 50 characters."),
    ({"SECRET_KEY": secrets.token_urlsafe(30)}, "SECRET_KEY must be a random text"),
    ({"SECRET_KEY": "x" * 80}, "SECRET_KEY must be a random text"),
    ({"SECRET_KEY": DEVELOPMENT}, "SECRET_KEY must be a random text"),
    ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS must name the hosts"),
    ({"ALLOWED_HOSTS": "ml-connector.example,*"}, "ALLOWED_HOSTS must name the hosts"),
    ({"ALLOWED_HOSTS": "*.example"}, "ALLOWED_HOSTS must name the hosts"),
    ({"PUBLIC_URL": ""}, "PUBLIC_URL must be this installation's https:// address."),
    ({"PUBLIC_URL": "http://ml-connector.example"}, "PUBLIC_URL must be this installation's https:// address."),
    ({"SECURE_COOKIES": "off"}, "SECURE_COOKIES must not be switched off"),
    ({"SECURE_HSTS_SECONDS": "3600"}, "SECURE_HSTS_SECONDS must be at least one year"),
    ({"CREDENTIAL_KEYS": ""}, "CREDENTIAL_KEYS must hold random keys of at least 32 characters"),
    ({"CREDENTIAL_KEYS": secrets.token_urlsafe(12)}, "CREDENTIAL_KEYS must hold random keys"),
    ({"CREDENTIAL_KEYS": f"{secrets.token_urlsafe(40)},short"}, "CREDENTIAL_KEYS must hold random keys"),
    ({"CREDENTIAL_KEYS": "development-only-credential-key-never-used-in-production"}, "CREDENTIAL_KEYS must hold random keys"),
    ({"AUDIT_KEY": ""}, "AUDIT_KEY must be a random text of at least 32 characters."),
    ({"AUDIT_KEY": secrets.token_urlsafe(12)}, "AUDIT_KEY must be a random text"),
    ({"AUDIT_KEY": "development-only-audit-key-never-used-in-production-0123456789"}, "AUDIT_KEY must be a random text"),
    ({"SECRET_KEY": SHARED, "AUDIT_KEY": SHARED}, "SECRET_KEY, AUDIT_KEY and CREDENTIAL_KEYS must differ."),
    ({"SECRET_KEY": SHARED, "CREDENTIAL_KEYS": SHARED}, "SECRET_KEY, AUDIT_KEY and CREDENTIAL_KEYS must differ."),
    ({"AUDIT_KEY": SHARED, "CREDENTIAL_KEYS": f"{secrets.token_urlsafe(40)},{SHARED}"}, "CREDENTIAL_KEYS must differ."),
    ({"DATABASE_URL": ""}, "DATABASE_URL must be a PostgreSQL address"),
    ({"DATABASE_URL": "sqlite:////tmp/ml-connector.sqlite3"}, "DATABASE_URL must be a PostgreSQL address"),
    ({"DATABASE_STAFF_URL": "sqlite:////tmp/ml-connector.sqlite3"}, "DATABASE_URL must be a PostgreSQL address"),
    ({"INTACCT_URL": "http://books.example/ia"}, "INTACCT_URL must be an https:// address in production."),
    ({"MONDAY_API_URL": "http://127.0.0.1:9000/v2"}, "MONDAY_API_URL must be an https:// address in production."),
]


@pytest.mark.parametrize(("changed", "said"), UNSAFE)
def test_an_unsafe_value_refuses_to_start(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    started = start(tmp_path, **production(**changed))

    assert not started.ok
    complaints = started.why.splitlines()
    assert complaints[0] == "This installation refuses to start:"
    assert len(complaints) == 2  # this and nothing else is wrong
    assert said in complaints[1]
    assert not any(value in started.why for value in changed.values() if len(value) > 12 and "://" not in value)


def test_everything_that_is_unsafe_is_told_at_once(tmp_path: Path) -> None:
    started = start(tmp_path, ENVIRONMENT="production", DEBUG="on")

    assert [line.split()[1] for line in started.why.splitlines()[1:]] == [
        "DEBUG",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "PUBLIC_URL",
        "CREDENTIAL_KEYS",
        "AUDIT_KEY",
        "DATABASE_URL",
    ]


def test_only_the_sandboxes_may_be_reached_without_encryption(tmp_path: Path) -> None:
    started = start(tmp_path, **production(SANDBOX_URL="http://sandboxes:9000", MONDAY_API_URL="https://api.monday.example/v2"))

    assert started.ok, started.errors


def test_safe_values_start_and_pass_djangos_own_checks(tmp_path: Path) -> None:
    started = start(tmp_path, "", "check", "--deploy", "--fail-level", "WARNING", **production())

    assert started.ok, started.errors
    assert started.out == "System check identified no issues (0 silenced).\n"


def test_production_keeps_cookies_and_transport_safe_by_itself(tmp_path: Path) -> None:
    code = """
from django.conf import settings as s
print(s.DEBUG, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS)
print(s.CSRF_TRUSTED_ORIGINS, s.X_FRAME_OPTIONS)
"""
    assert start(tmp_path, code, **production()).out == (
        "False True True True True 31536000\n['https://ml-connector.example'] DENY\n"
    )


def test_a_rotated_key_stands_behind_the_new_one(tmp_path: Path) -> None:
    new, old = secrets.token_urlsafe(40), secrets.token_urlsafe(40)
    code = "from django.conf import settings; print(settings.CREDENTIAL_KEYS)"

    assert start(tmp_path, code, **production(CREDENTIAL_KEYS=f"{new}, {old},")).out == f"{[new, old]}\n"


def test_production_logs_in_json(tmp_path: Path) -> None:
    code = "import logging; logging.getLogger('x').warning('password=canary-1234 %s', 'Bearer Canary0123456789')"

    line = start(tmp_path, code, **production()).errors

    assert line.startswith("{")
    assert '"level": "warning"' in line
    assert "anary" not in line

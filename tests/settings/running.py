"""Django's start in a process of its own, under an environment that a test makes up."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Start:
    """How a start went: what ``code`` printed, or why nothing started."""

    ok: bool
    out: str
    errors: str

    @property
    def why(self) -> str:
        """The last paragraph: the sentence of the exception."""
        return self.errors.strip().rpartition("ImproperlyConfigured: ")[2]


def start(folder: Path, code: str = "", *command: str, **environment: str) -> Start:
    """Run ``code`` after Django's set-up, or ``manage.py`` with ``command``; nothing but ``environment`` is set."""
    run = [str(ROOT / "manage.py"), *command] if command else ["-c", f"import django; django.setup()\n{code}"]
    known = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "mlconnector.settings", "VAR_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, *run], env=known | environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return Start(done.returncode == 0, done.stdout, done.stderr)


def production(**changed: str) -> dict[str, str]:
    """The least that a production installation sets."""
    return {
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "CREDENTIAL_KEYS": secrets.token_urlsafe(40),
        "AUDIT_KEY": secrets.token_urlsafe(40),
        "ALLOWED_HOSTS": "ml-connector.example",
        "PUBLIC_URL": "https://ml-connector.example",
        "DATABASE_URL": "postgres://mlc_app@db.example/mlc",
        **changed,
    }

"""Django's ``check --deploy`` under the settings of a production installation: ``python -m tests.production_check``."""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment(folder: str) -> dict[str, str]:
    """The least that a production installation has to set."""
    return {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "CREDENTIAL_KEYS": secrets.token_urlsafe(40),
        "AUDIT_KEY": secrets.token_urlsafe(40),
        "ALLOWED_HOSTS": "ml-connector.example",
        "PUBLIC_URL": "https://ml-connector.example",
        "DATABASE_URL": "postgres://mlc_app@db.example/mlc",  # named, not connected to
        "VAR_DIR": folder,
    }


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "manage.py"), "check", "--deploy", "--fail-level", "WARNING"]
        return subprocess.run(command, env=environment(folder), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""One file of settings: a laptop and production differ only by their environment (docs/settings.md lists every variable)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from mlconnector import env
from mlconnector.logs import LOG_LEVELS, logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.folder("VAR_DIR", BASE_DIR / "var")

# -- Who may run this how ------------------------------------------------------------------------------------------------------

IN_PRODUCTION = env.choice("ENVIRONMENT", "development", ("development", "production")) == "production"

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", "" if IN_PRODUCTION else "development-only-secret-key-never-used-in-production-0123456789")
ALLOWED_HOSTS = env.texts("ALLOWED_HOSTS", [] if IN_PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
PUBLIC_URL = env.url("PUBLIC_URL", "" if IN_PRODUCTION else "http://localhost:8000")

# Newest first. The first key seals; all of them open.
CREDENTIAL_KEYS = env.texts(
    "CREDENTIAL_KEYS", [] if IN_PRODUCTION else ["development-only-credential-key-never-used-in-production"]
)
# Signs the audit chain; must not be kept in the database.
AUDIT_KEY = env.text("AUDIT_KEY", "" if IN_PRODUCTION else "development-only-audit-key-never-used-in-production-0123456789")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "tenants",
    "mappings",
    "integrations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.scoping.ClearTenantMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "mlconnector.urls"
WSGI_APPLICATION = "mlconnector.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
        },
    }
]

AUTH_USER_MODEL = "tenants.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns when there is nothing to serve from
STATICFILES_DIRS = [BASE_DIR / "mlconnector" / "static"]

# -- Databases: default is the application's role, owner migrates, staff sees all tenants -----------------------------------------

_SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def _database(config: dict[str, Any]) -> dict[str, Any]:
    if config["ENGINE"].endswith("sqlite3"):
        return {**config, "OPTIONS": {**_SQLITE_OPTIONS, **config.get("OPTIONS", {})}}
    return {**config, "CONN_MAX_AGE": env.number("DATABASE_CONN_MAX_AGE", 60), "CONN_HEALTH_CHECKS": True}


DATABASES = {"default": _database(env.database("DATABASE_URL", default=VAR_DIR / "ml-connector.sqlite3") or {})}
for _alias, _name in (("owner", "DATABASE_OWNER_URL"), ("staff", "DATABASE_STAFF_URL")):
    if _config := env.database(_name):
        DATABASES[_alias] = _database(_config)

# -- The queue (docs/engine.md says why each value is what it is) -----------------------------------------------------------------

Q_WORKERS = env.number("Q_WORKERS", 2, least=1)
_CLUSTER: dict[str, Any] = {
    "workers": Q_WORKERS,
    "timeout": 120,
    "retry": 180,
    "save_limit": -1,
    "ack_failures": True,
    "max_attempts": 1,
    "queue_limit": Q_WORKERS,
    "bulk": 1,
    "catch_up": False,
    "poll": 0.5,
    "recycle": 500,
    "label": "Queue",
    "orm": "default",
}
# The broker lives in the database: on the same PostgreSQL, with any number of worker hosts.
if env.text("Q_BROKER", "orm") != "orm":
    raise ImproperlyConfigured("Q_BROKER must be orm: other brokers are not part of this version.")
Q_CLUSTER = {
    "name": "bulk",
    **_CLUSTER,
    "ALT_CLUSTERS": {"people": {**_CLUSTER}},
}

# -- Vendors -------------------------------------------------------------------------------------------------------------------

VENDOR_ADDRESSES = {
    name: env.url(name, "")
    for name in (
        "INTACCT_URL",
        "INTACCT_REST_URL",
        "EXACT_URL",
        "MONDAY_API_URL",
        "MONDAY_AUTH_URL",
        "GRAPH_URL",
        "ENTRA_URL",
        "ASANA_API_URL",
        "ASANA_AUTH_URL",
    )
}
"""Empty: the real vendor's address, which its package knows."""
SANDBOX_URL = env.url("SANDBOX_URL", "")
"""Where connections of the sample world go, whatever the addresses above say."""
INTACCT_SENDER_ID = env.text("INTACCT_SENDER_ID")
INTACCT_SENDER_PASSWORD = env.text("INTACCT_SENDER_PASSWORD")

# -- The web ---------------------------------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("SECURE_COOKIES", default=IN_PRODUCTION)
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=IN_PRODUCTION)
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 31_536_000 if IN_PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IN_PRODUCTION
if env.flag("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []

LOGGING = logging_config(as_json=env.flag("LOG_JSON", default=IN_PRODUCTION), level=env.choice("LOG_LEVEL", "INFO", LOG_LEVELS))
LOGGING_CONFIG = "mlconnector.logs.configure"


# -- Unsafe values refuse to start ------------------------------------------------------------------------------


def _is_weak(key: str, least: int) -> bool:
    """Too short, one letter over and over, or the one that everybody knows from this file."""
    return len(key) < least or len(set(key)) < 5 or "development-only" in key


def _refuse_unsafe() -> None:
    complaints = [
        (DEBUG, "DEBUG must be off in production: error pages would show settings and source to anybody."),
        (_is_weak(SECRET_KEY, 50), "SECRET_KEY must be a random text of at least 50 characters."),
        (
            not ALLOWED_HOSTS or any("*" in host for host in ALLOWED_HOSTS),
            "ALLOWED_HOSTS must name the hosts that this installation answers for, without *.",
        ),
        (not PUBLIC_URL.startswith("https://"), "PUBLIC_URL must be this installation's https:// address."),
        (not SESSION_COOKIE_SECURE, "SECURE_COOKIES must not be switched off in production."),
        (SECURE_HSTS_SECONDS < 31_536_000, "SECURE_HSTS_SECONDS must be at least one year (31536000) in production."),
        (
            not CREDENTIAL_KEYS or any(_is_weak(key, 32) for key in CREDENTIAL_KEYS),
            "CREDENTIAL_KEYS must hold random keys of at least 32 characters, newest first, separated by commas.",
        ),
        (_is_weak(AUDIT_KEY, 32), "AUDIT_KEY must be a random text of at least 32 characters."),
        (
            SECRET_KEY in CREDENTIAL_KEYS or (bool(AUDIT_KEY) and AUDIT_KEY in (SECRET_KEY, *CREDENTIAL_KEYS)),
            "SECRET_KEY, AUDIT_KEY and CREDENTIAL_KEYS must differ.",
        ),
        (
            any(not each["ENGINE"].endswith(".postgresql") for each in DATABASES.values()),
            "DATABASE_URL must be a PostgreSQL address, and so must those of the owner and the staff: only there do rows have locks.",
        ),
        *(
            (bool(address) and not address.startswith("https://"), f"{name} must be an https:// address in production.")
            for name, address in VENDOR_ADDRESSES.items()
        ),
    ]
    if found := [sentence for is_wrong, sentence in complaints if is_wrong]:
        raise ImproperlyConfigured("This installation refuses to start:\n- " + "\n- ".join(found))


def _is_here(host: str) -> bool:
    """A name that leads nowhere but to this machine; a database's may be a socket's folder, or nothing."""
    return host.strip("[]").casefold() in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")


def _database_host(config: dict[str, Any]) -> str:
    options = config.get("OPTIONS", {})
    return str(config.get("HOST") or options.get("host") or options.get("hostaddr") or "")


def _refuse_known_keys() -> None:
    """The keys that everybody knows from this file guard nothing that others can reach."""
    if not any("development-only" in key for key in (SECRET_KEY, AUDIT_KEY, *CREDENTIAL_KEYS)):
        return
    elsewhere = [
        ("ALLOWED_HOSTS", all(_is_here(host) for host in ALLOWED_HOSTS)),
        ("PUBLIC_URL", _is_here(urlsplit(PUBLIC_URL).hostname or "")),
        ("the database's address", all(_is_here(_database_host(each)) for each in DATABASES.values())),
    ]
    if found := [name for name, is_here in elsewhere if not is_here]:
        raise ImproperlyConfigured(
            f"This installation refuses to start: its keys are for development only, and it is not by itself on this machine "
            f"({', '.join(found)}). Set ENVIRONMENT=production, or keep it on this machine."
        )


if IN_PRODUCTION:
    _refuse_unsafe()
else:
    _refuse_known_keys()

"""Logs: JSON lines in production, readable lines on a laptop; run and flow ids bound by context; no secret in either."""

import logging.config
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from tenants.redaction import redact

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The last look at a line before it is written: anything that is named or looks like a secret is masked."""
    return {key: redact(value, key=key) for key, value in event.items()}


def _processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redacted,
    ]


def logging_config(*, as_json: bool, level: str) -> dict[str, Any]:
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": _processors(),
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # httpx logs every address it calls; our own line for a call says the same without the address.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "django.db.backends": {"level": "WARNING"},
            # Every bell that is rung, once at each end.
            "django-q": {"level": "WARNING"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: set up structlog and the standard library in one go."""
    structlog.configure(
        processors=[*_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(config)

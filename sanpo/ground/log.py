"""Logs as JSON lines on stderr. Personal data never goes in: callers give codes, counts and identifiers of things."""

import logging
import sys

import structlog


def start_log(level: str, *, pretty: bool = False) -> None:
    """Configures structlog and the standard library's loggers, once per process."""
    number = getattr(logging, level.upper())
    render = structlog.dev.ConsoleRenderer(colors=False) if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in ("procrastinate", "httpx", "_granian"):
        logging.getLogger(name).setLevel(logging.WARNING)

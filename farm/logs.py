"""Structured logs: one JSON object a line for machines, or text for people."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

from farm.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from farm.settings import Settings

TALKATIVE = ("boto3", "botocore", "httpcore2", "httpx2", "kombu", "s3transfer", "urllib3")
"""Libraries that tell whole requests at the level debug, signatures and all; theirs is info."""


def configure_logs(settings: Settings) -> None:
    """Send this process' own logs and those of its libraries through one formatter, to standard error.

    No secret goes the same way: what the settings hold of them is cut out of each line, and what looks like one.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Discreet(
            redactor(settings),
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendered(settings)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.INFO))


class _Discreet(structlog.stdlib.ProcessorFormatter):
    """Cuts secrets out of each finished line, whatever put them there: a field, a message, a traceback."""

    def __init__(self, cut: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self._cut = cut

    def format(self, record: logging.LogRecord) -> str:
        return self._cut(super().format(record))


def _rendered(settings: Settings) -> list[structlog.typing.Processor]:
    if settings.log_format == "console":
        return [structlog.dev.ConsoleRenderer(colors=False)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]

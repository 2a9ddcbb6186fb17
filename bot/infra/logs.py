"""Structured logs for the bot and its libraries, with the token removed from every line."""

import logging
import sys

import discord
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.infra.discord.connection import OUTAGES, one_line
from bot.settings import Settings

# The INFO lines of these libraries are useful to their own developers only.
RECONNECTING = ("discord.client", "discord.shard")
QUIET = ("alembic", "dbos", "discord.client", "discord.gateway", "discord.http")


class Redaction:
    """A structlog processor that replaces a secret in every log line."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Remove the secret from every value of the event."""
        del logger, method
        if not self._secret:
            return event
        return {
            key: value
            if key.startswith("_") or self._secret not in str(value)
            else str(value).replace(self._secret, "[token]")
            for key, value in event.items()
        }


class OneLineOutages(logging.Filter):
    """Logs an outage that discord.py waits for as one line instead of a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; no record is dropped."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, (*OUTAGES, discord.HTTPException, discord.ConnectionClosed)):
            record.msg, record.args = f"{record.getMessage()}: {one_line(error)}", ()
            record.exc_info = None
        return True


def configure_logs(settings: Settings) -> None:
    """Send structlog's and the standard library's records to stderr in one format."""
    token = settings.discord_token.get_secret_value() if settings.discord_token else ""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        Redaction(token),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # If stderr is closed or full, the line is lost, but nothing else fails.
    logging.raiseExceptions = False
    for name in RECONNECTING:
        logging.getLogger(name).filters[:] = [OneLineOutages()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))

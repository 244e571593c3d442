"""The log: one line an event on stderr, JSON where a program reads it, text where a person does."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from mektep_collector.config.settings import LogForm, LogLevel

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_LEVELS = {LogLevel.DEBUG: logging.DEBUG, LogLevel.INFO: logging.INFO, LogLevel.WARNING: logging.WARNING}


def set_up_log(level: LogLevel, form: LogForm) -> None:
    """Send everything that is logged to stderr, and be quiet about the HTTP server's own steps."""
    handler = logging.StreamHandler(sys.stderr)
    readable = form is LogForm.TEXT or (form is LogForm.AUTO and sys.stderr.isatty())
    handler.setFormatter(TextLine() if readable else JsonLine())
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    for name in ("uvicorn", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _details(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}


class JsonLine(logging.Formatter):
    """An event as one object of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for an event."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "from": record.name,
            **_details(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class TextLine(logging.Formatter):
    """An event as one line for a person; a traceback follows it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for an event."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        details = "".join(f" {name}={value}" for name, value in _details(record).items())
        text = f"{at} {record.levelname.lower():7} {record.getMessage()}{details}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text

"""One line an event: JSON on a pipe, text on a terminal, with the wire's field names. No secret is ever given to it."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from mektep_agent.config import LogForm, LogLevel

_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVELS = {LogLevel.DEBUG: logging.DEBUG, LogLevel.INFO: logging.INFO, LogLevel.WARNING: logging.WARNING}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, event, and what was said about it."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **_said(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class TextLines(logging.Formatter):
    """The same for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: local time, level where it matters, event, and what was said about it."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        level = f" {record.levelname}" if record.levelno >= logging.WARNING else ""
        said = "".join(f" {name}={value}" for name, value in _said(record).items())
        line = f"{at}{level} {record.getMessage()}{said}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up_log(level: LogLevel, form: LogForm) -> None:
    """Send the log to standard error from now on, for the whole process."""
    is_text = form is LogForm.TEXT or (form is LogForm.AUTO and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLines() if is_text else JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_LEVELS[level])
    # Its every firing is a line at INFO, which tells nothing that the agent does not say itself.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


def _said(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS and value is not None}

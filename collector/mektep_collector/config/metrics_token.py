"""The token that shows the metrics beyond this computer: in a file, so that no setting shown to anyone holds it."""

from pathlib import Path

from mektep_collector.config.settings import ConfigError

_MIN_LENGTH = 32


def read_metrics_token(file: str) -> str:
    """Return the token that a file holds, empty where no file is named.

    Raises ConfigError for a file that cannot be read and for a token that can be guessed or cannot stand in a header.
    """
    if not file:
        return ""
    try:
        token = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"`metrics_token_file` {file} cannot be read: {error}") from error
    if len(token) < _MIN_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"`metrics_token_file` {file} must hold one token of at least {_MIN_LENGTH} printable ASCII characters; "
            "`openssl rand -hex 32` makes one"
        )
    return token

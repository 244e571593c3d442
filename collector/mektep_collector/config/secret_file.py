"""Secrets: each in a file of its own, so that no setting shown to anyone holds one."""

from pathlib import Path

from mektep_collector.config.settings import ConfigError

_MIN_TOKEN_LENGTH = 32


def read_secret(setting: str, file: str) -> str:
    """Return the secret in the file that `setting` names, empty where it names none.

    Raises ConfigError for a file that cannot be read, and for a secret that cannot stand in a header.
    """
    if not file:
        return ""
    try:
        secret = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"`{setting}` {file} cannot be read: {error}") from error
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ConfigError(f"`{setting}` {file} must hold one line of printable ASCII characters without spaces")
    return secret


def read_metrics_token(file: str) -> str:
    """Return the token that shows the metrics, empty where no file is named.

    Raises ConfigError as `read_secret` does, and for a token that can be guessed.
    """
    token = read_secret("metrics_token_file", file)
    if token and len(token) < _MIN_TOKEN_LENGTH:
        raise ConfigError(
            f"`metrics_token_file` {file} must hold at least {_MIN_TOKEN_LENGTH} characters; "
            "`openssl rand -hex 32` makes such a token"
        )
    return token

"""Where a test goes: speedtest.net, which chooses a server by itself, or one Speedtest Mini server."""

from typing import Final
from urllib.parse import urlsplit

import msgspec

PUBLIC: Final = "speedtest.net"


class TargetError(ValueError):
    """An address that speedtest-cli cannot test; the message says what is wrong with it and how one reads."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A place to test. `mini_url` is the address of a Mini server, empty for speedtest.net itself."""

    mini_url: str = ""


def parse_target(text: str) -> Target:
    """Return the place that `text` names: `speedtest.net`, or a Mini server as `http://host[:port]/mini/`.

    Raises TargetError.
    """
    if text == PUBLIC:
        return Target()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _wrong(text, str(error)) from None
    if parts.scheme not in {"http", "https"}:
        raise _wrong(text, "the scheme must be http or https")
    if not parts.hostname or not text.isascii() or any(sign.isspace() or not sign.isprintable() for sign in text):
        raise _wrong(text, "it names no host in plain letters")
    if parts.username is not None or parts.query or parts.fragment or port == 0:
        raise _wrong(text, "it must hold no user name, no query, no fragment, and a port that can be")
    return Target(mini_url=text if parts.path else f"{text}/")


def _wrong(text: str, why: str) -> TargetError:
    return TargetError(
        f"`{text[:200]}` cannot be tested by speedtest-cli: {why}. "
        f"It reads {PUBLIC}, or http://host:port/mini/ for a Speedtest Mini server"
    )

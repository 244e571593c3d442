"""Where a test goes: an iperf3 server's host and port."""

from typing import Final
from urllib.parse import urlsplit

import msgspec

DEFAULT_PORT: Final = 5201


class TargetError(ValueError):
    """An address that cannot be an iperf3 server's; the message says what is wrong with it and how one reads."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """An iperf3 server. `host` is a name or an IP address without brackets."""

    host: str
    port: int


def parse_target(text: str) -> Target:
    """Return the server that `text` names: `iperf3://host[:port]`; raises TargetError."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _wrong(text, str(error)) from None
    if parts.scheme != "iperf3":
        raise _wrong(text, "the scheme must be iperf3")
    if not parts.hostname or any(sign.isspace() or not sign.isprintable() for sign in text):
        raise _wrong(text, "it names no host")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None:
        raise _wrong(text, "it holds more than host and port")
    if port == 0:
        raise _wrong(text, "port 0 is no server's port")
    return Target(host=parts.hostname, port=port or DEFAULT_PORT)


def _wrong(text: str, why: str) -> TargetError:
    return TargetError(
        f"`{text[:200]}` is not the address of an iperf3 server: {why}. It reads iperf3://host or iperf3://host:port"
    )

"""Where a test goes: the folder in which a LibreSpeed server has `garbage.php` and `empty.php`."""

import ipaddress
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

_USUAL_FOLDER: Final = "/backend/"


class Scheme(StrEnum):
    """How the bytes travel."""

    HTTP = "http"
    HTTPS = "https"


_PORTS: Final = {Scheme.HTTP: 80, Scheme.HTTPS: 443}


class TargetError(ValueError):
    """An address that cannot be a LibreSpeed server's; the message says what is wrong with it and how one reads."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A LibreSpeed server. `host` is without brackets, `folder` begins and ends with a slash."""

    scheme: Scheme
    host: str
    port: int
    folder: str

    @property
    def authority(self) -> str:
        """Return host and port as the Host header wants them: brackets around IPv6, no default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_literal(self) -> bool:
        """Whether the host is an IP address."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


def parse_target(text: str) -> Target:
    """Return the server that `text` names: `http://host[:port][/folder/]` or `https://...`; raises TargetError.

    Without a folder it is `/backend/`, where LibreSpeed's own installation has its files.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _wrong(text, str(error)) from None
    if parts.scheme not in set(Scheme):
        raise _wrong(text, "the scheme must be http or https")
    if not parts.hostname or not text.isascii() or any(sign.isspace() or not sign.isprintable() for sign in text):
        raise _wrong(text, "it names no host in plain letters")
    if parts.username is not None or parts.password is not None or parts.fragment or parts.query:
        raise _wrong(text, "it must hold no user name, no query and no fragment")
    if port == 0:
        raise _wrong(text, "port 0 is no server's port")
    scheme = Scheme(parts.scheme)
    folder = _USUAL_FOLDER if parts.path in {"", "/"} else f"{parts.path.rstrip('/')}/"
    return Target(scheme=scheme, host=parts.hostname, port=port or _PORTS[scheme], folder=folder)


def _wrong(text: str, why: str) -> TargetError:
    return TargetError(
        f"`{text[:200]}` is not the address of a LibreSpeed server: {why}. It reads http://host:port/backend/"
    )

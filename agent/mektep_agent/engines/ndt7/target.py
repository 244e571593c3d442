"""Where a test goes: an address as people and assignments write it, taken apart once."""

import ipaddress
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

import msgspec

from mektep_agent.engines.ndt7.specification import DOWNLOAD_PATH, UPLOAD_PATH


class Scheme(StrEnum):
    """How the bytes travel."""

    WS = "ws"
    WSS = "wss"


_PORTS = {Scheme.WS: 80, Scheme.WSS: 443}


class TargetError(ValueError):
    """An address that cannot be an NDT7 server's; the message says what is wrong with it and how one reads."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """An NDT7 server. `host` is a name or an IP address without brackets; `query` is what the address brought along."""

    scheme: Scheme
    host: str
    port: int
    query: tuple[tuple[str, str], ...] = ()

    @property
    def authority(self) -> str:
        """Return host and port as the Host header wants them: brackets around IPv6, no default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_literal(self) -> bool:
        """Whether the host is an IP address, so that no name needs to be resolved."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


def parse_target(text: str) -> Target:
    """Return the server that `text` names: `ws://host[:port]` or `wss://host[:port]`; raises TargetError.

    An address as M-Lab's Locate gives it, with an NDT7 path and a query, is taken too: the query goes along, and the
    path gives way to that of the direction which is measured.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _wrong(text, str(error)) from None
    if parts.scheme not in set(Scheme):
        raise _wrong(text, "the scheme must be ws or wss")
    if not parts.hostname or any(sign.isspace() or not sign.isprintable() for sign in text):
        raise _wrong(text, "it names no host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _wrong(text, "it must hold no user name and no fragment")
    if port == 0:
        raise _wrong(text, "port 0 is no server's port")
    if parts.path not in {"", "/", DOWNLOAD_PATH, UPLOAD_PATH}:
        raise _wrong(text, f"the path `{parts.path}` is not NDT7's; leave it out")
    scheme = Scheme(parts.scheme)
    query = tuple(parse_qsl(parts.query))
    if len({key for key, _ in query}) < len(query):
        raise _wrong(text, "its query holds a key twice")
    return Target(scheme=scheme, host=_ascii_host(text, parts.hostname), port=port or _PORTS[scheme], query=query)


def _ascii_host(text: str, host: str) -> str:
    if ":" in host:
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise _wrong(text, f"`{host}` is no host name") from None


def _wrong(text: str, why: str) -> TargetError:
    return TargetError(
        f"`{text[:200]}` is not the address of an NDT7 server: {why}. It reads ws://host:port or wss://host"
    )

"""The collector's address: over TLS, or to this computer itself, unless a person says otherwise."""

import ipaddress
import socket
from enum import StrEnum
from urllib.parse import urlsplit


class PlainHttp(StrEnum):
    """Whether readings and token may cross a network without TLS."""

    REFUSED = "refused"
    ALLOWED = "allowed"


class AddressError(ValueError):
    """An address that cannot be used; the message says why and what to do."""


def collector_address(text: str, plain_http: PlainHttp) -> str:
    """Return the address in its one form, without a slash at the end; raises AddressError."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressError(f"{text!r} is no address: {error}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise AddressError(f"{text!r} is no address of a collector: it reads https://HOST or https://HOST:PORT")
    if parts.username is not None or parts.query or parts.fragment:
        raise AddressError(f"{text!r}: leave out user names, `?` and `#`; the code goes into --code")
    if parts.scheme == "http" and plain_http is PlainHttp.REFUSED and not _is_loopback(host):
        raise AddressError(
            f"{text!r} would send the device's token over the network unprotected; use https://, or say "
            "--insecure-http if the network between is trusted"
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port is not None else ''}{parts.path.rstrip('/')}"


def own_address(url: str, peer: str) -> str:
    """Return the IP address `peer` where it is that of the collector at `url`; empty where a proxy answered for it."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except OSError:
        return ""
    return peer if any(str(where[0]).partition("%")[0] == peer for *_, where in found) else ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""The proxy that this computer's programs are to use: from the environment, or the system's own settings."""

import base64
import urllib.request
from urllib.parse import unquote, urlsplit

import msgspec

from mektep_agent.engines.engine import EngineError
from mektep_wire import FailureKind

_DEFAULT_PORT = 8080


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """Where the proxy listens, and what it wants to hear as `Proxy-Authorization`, if anything."""

    host: str
    port: int
    authorization: str | None = None

    @property
    def shown(self) -> str:
        """The proxy for a person, without its password."""
        return f"{self.host}:{self.port}"


def system_proxy(host: str) -> str | None:
    """Return the address of the proxy for `host`, None for none; what is to be reached without one is."""
    if urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get("https") or proxies.get("all")


def parse_proxy(address: str) -> Proxy:
    """Return the proxy at `address`; raises EngineError (PROXY_ERROR) for one that cannot be used."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        port = parts.port or _DEFAULT_PORT
    except ValueError:
        port = 0
    if parts.scheme != "http" or not parts.hostname or not port:
        told = (
            f"the proxy of this computer's settings is a {parts.scheme} one; only http://host:port can be measured by"
        )
        raise EngineError(FailureKind.PROXY_ERROR, told)
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    return Proxy(host=parts.hostname, port=port, authorization=authorization)

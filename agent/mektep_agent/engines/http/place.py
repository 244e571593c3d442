"""Where a page lies, and which places are of one site: read from addresses alone. Pure."""

import ipaddress
from urllib.parse import urljoin, urlsplit

import msgspec

_HTTPS_PORT = 443
_SECOND_LEVELS = {"ac", "co", "com", "edu", "gov", "mil", "net", "org"}
_LOCAL_ENDINGS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Host (as ASCII), port and path with query, as they go into a request."""

    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them (RFC 9110, 7.2)."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == _HTTPS_PORT else f"{shown}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"https://{self.authority}{self.path}"


def parse_place(target: str) -> Place:
    """Return the place of an https address; raises ValueError that says what is wrong with it."""
    parts = urlsplit(target)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(f"{target[:200]!r} is no address that begins with https://")
    if parts.username is not None:
        raise ValueError(f"{parts.hostname}: an address with a user's name is not measured")
    try:
        host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{parts.hostname[:80]!r} is no host name") from None
    path = parts.path or "/"
    whole = f"{path}?{parts.query}" if parts.query else path
    if not whole.isascii() or any(character <= " " for character in whole):
        raise ValueError(f"the path of {target[:200]!r} is not written in plain ASCII")
    return Place(host=host, port=parts.port or _HTTPS_PORT, path=whole)


def target_of(place: Place, location: str) -> str:
    """Return the address that a Location header means at `place` (RFC 9110, 10.2.2), without its fragment."""
    return urljoin(place.url, location).partition("#")[0]


def is_same_site(one: str, other: str) -> bool:
    """Tell whether two hosts belong together: the same but for what stands before the name that was registered."""
    return _registered(one) == _registered(other)


def is_local_host(host: str) -> bool:
    """Tell whether a host can only be one of the network that this computer is in."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host.strip(".") or host.endswith(_LOCAL_ENDINGS)


def _registered(host: str) -> str:
    """Return the last two labels, three under names such as edu.kz; an IP address stands for itself."""
    name = host.lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        labels = name.split(".")
    count = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS else 2
    return ".".join(labels[-count:])

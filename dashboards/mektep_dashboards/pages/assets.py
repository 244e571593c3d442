"""Style sheet, script and icon: read once, served with a hash in their address, so that a browser may keep them."""

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType

import msgspec

_TYPES = MappingProxyType(
    {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
)


class Asset(msgspec.Struct, frozen=True):
    """One file: the address that it is served at, its media type and its bytes."""

    address: str
    media_type: str
    body: bytes


def read_assets() -> Mapping[str, Asset]:
    """Return the files of `static` by name."""
    found: dict[str, Asset] = {}
    for place in (files("mektep_dashboards") / "static").iterdir():
        stem, dot, suffix = place.name.rpartition(".")
        media_type = _TYPES.get(dot + suffix)
        if media_type is not None:
            body = place.read_bytes()
            address = f"/static/{stem}.{sha256(body).hexdigest()[:12]}.{suffix}"
            found[place.name] = Asset(address, media_type, body)
    return MappingProxyType(found)

"""How a computer is told to join: the command that a person types, and the text that a QR code carries."""

from typing import Final
from urllib.parse import urlencode, urlsplit

from mektep_collector.config.loopback import is_loopback

_LINK: Final = "mektep:enrol?"


def joining_command(address: str, code: str) -> str:
    """Return what is typed on the school's computer. An address without TLS has to be allowed there too."""
    parts = urlsplit(address)
    in_the_clear = parts.scheme == "http" and not is_loopback(parts.hostname or "")
    return f"mektep-agent enrol {address} --code {code}" + (" --insecure-http" if in_the_clear else "")


def joining_link(address: str, code: str) -> str:
    """Return address and code as one URI of the scheme `mektep` (docs/codes.md); its values are percent-encoded.

    No program that a phone has opens it, so that a scanned code stays on that phone.
    """
    return _LINK + urlencode({"url": address, "code": code})

"""Which addresses an OpenID provider may have (OpenID Connect Discovery 1.0, section 2; Core 1.0, section 16.17)."""

from urllib.parse import urlsplit

from mektep_collector.config.loopback import is_loopback


def check_issuer(text: str) -> None:
    """Refuse what cannot be an issuer. Raises ValueError that says what to do."""
    if not is_safe_address(text):
        raise ValueError(f"`oidc_issuer` is {text!r}; it begins with https://, or http:// on this computer alone")
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"`oidc_issuer` is {text!r}; leave out user names, `?` and `#`")


def is_safe_address(text: str) -> bool:
    """Tell whether what is sent there is protected on its way: by TLS, or because it stays on this computer."""
    try:
        parts = urlsplit(text)
        sound = bool(parts.hostname) and (parts.port is None or parts.port > 0) and text.isprintable()
    except ValueError:
        return False
    return sound and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))

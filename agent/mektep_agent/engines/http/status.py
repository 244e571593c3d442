"""What a platform's answer means when it is not its page: by status, by where it sends us, by what it holds. Pure."""

from urllib.parse import urlsplit

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.place import Place, is_local_host, is_same_site, parse_place, target_of
from mektep_wire import FailureKind

REDIRECTS = frozenset({301, 302, 303, 307, 308})
GOOD = frozenset({200, 203, 206})
_KINDS = {
    401: FailureKind.HTTP_FORBIDDEN,
    403: FailureKind.HTTP_FORBIDDEN,
    429: FailureKind.HTTP_FORBIDDEN,
    451: FailureKind.HTTP_LEGALLY_BLOCKED,
    511: FailureKind.CAPTIVE_PORTAL,  # Network Authentication Required (RFC 6585)
}


def refusal(place: Place, status: int) -> EngineError:
    """Return what a status that is neither good nor a redirect means."""
    if status in _KINDS:
        kind = _KINDS[status]
    elif 400 <= status < 500:
        kind = FailureKind.HTTP_CLIENT_ERROR
    elif 500 <= status < 600:
        kind = FailureKind.HTTP_SERVER_ERROR
    else:
        kind = FailureKind.PROTOCOL_ERROR
    return EngineError(kind, f"{place.host} answered with status {status}")


def next_place(place: Place, location: str) -> Place:
    """Return where a redirect leads, if it stays on the site and under TLS; raises EngineError where it does not.

    No site leads its visitors to plain HTTP on another one, or into the visitor's own network: a portal does.
    """
    try:
        target = target_of(place, location)
        parts = urlsplit(target)
        host, scheme = (parts.hostname or "").lower(), parts.scheme
    except ValueError:
        raise EngineError(FailureKind.PROTOCOL_ERROR, f"{place.host} sends on to {location[:200]!r}") from None
    is_other = not is_same_site(place.host, host)
    if is_other and (scheme == "http" or is_local_host(host)):
        raise EngineError(
            FailureKind.CAPTIVE_PORTAL, f"in the name of {place.host} something sends on to {scheme}://{host}"
        )
    if is_other or scheme != "https":
        told = f"{place.host} sends on to {scheme}://{host}; measure that address instead if it is the platform's"
        raise EngineError(FailureKind.HTTP_REDIRECT, told)
    try:
        return parse_place(target)
    except ValueError as error:
        raise EngineError(FailureKind.HTTP_REDIRECT, f"{place.host} sends on wrongly: {error}") from None


def check_content(place: Place, body: bytes, expected_text: str | None) -> None:
    """Raise EngineError (HTTP_UNEXPECTED_CONTENT) where the page does not hold what it must."""
    if expected_text is not None and expected_text.encode() not in body:
        told = f"the first {len(body)} bytes of the page of {place.host} do not hold {expected_text[:80]!r}"
        raise EngineError(FailureKind.HTTP_UNEXPECTED_CONTENT, told)

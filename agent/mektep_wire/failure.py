"""Why a measurement gave no value: a closed vocabulary, after OONI's df-007.

A failed measurement is a reading: it counts against availability, and is never 0 Mbit/s and never silence.
"""

from enum import StrEnum
from typing import Annotated

import msgspec


class FailureKind(StrEnum):
    """What stopped a measurement, as seen from the school's computer."""

    NO_INTERFACE = "no_interface"
    """No network interface is up, or there is no default route."""
    NETWORK_UNREACHABLE = "network_unreachable"
    """The system answered that there is no route to the target."""
    HOST_UNREACHABLE = "host_unreachable"
    """A router answered that the target cannot be reached."""
    GATEWAY_UNREACHABLE = "gateway_unreachable"
    """This computer's own gateway did not answer."""
    DNS_TIMEOUT = "dns_timeout"
    """No resolver answered in time."""
    DNS_NXDOMAIN = "dns_nxdomain"
    """The resolver says that the name does not exist."""
    DNS_ERROR = "dns_error"
    """The resolver answered with an error."""
    DNS_BOGUS = "dns_bogus"
    """The resolver gave an address that cannot be the target's, such as a private or loopback one."""
    CONNECT_TIMEOUT = "connect_timeout"
    """No answer to the TCP connection in time."""
    CONNECTION_REFUSED = "connection_refused"
    """The target refused the TCP connection."""
    CONNECTION_RESET = "connection_reset"
    """The connection was reset before a value could be had."""
    CLOSED_EARLY = "closed_early"
    """The server ended the test before a value could be had."""
    STALLED = "stalled"
    """The connection stood, but nothing came for so long that the test was given up."""
    TIMEOUT = "timeout"
    """The test as a whole took longer than allowed, for a cause that no other kind names."""
    TLS_CERTIFICATE = "tls_certificate"
    """The server's certificate is not trusted, expired, or for another name."""
    TLS_ERROR = "tls_error"
    """The TLS handshake failed otherwise."""
    CAPTIVE_PORTAL = "captive_portal"
    """Something on the way answered with a web page instead of the target."""
    PROXY_ERROR = "proxy_error"
    """The proxy refused, asked for credentials, or could not be used for this test."""
    HANDSHAKE_REFUSED = "handshake_refused"
    """The target speaks HTTP but refused the test, for instance with 400, 403, 404 or 503."""
    PROTOCOL_ERROR = "protocol_error"
    """The target broke the protocol of the test, or does not speak it."""
    HTTP_SERVER_ERROR = "http_server_error"
    """The platform answered with an error of its own: a status of 5xx."""
    HTTP_FORBIDDEN = "http_forbidden"
    """The platform refused to show its public page: status 401, 403 or 429."""
    HTTP_LEGALLY_BLOCKED = "http_legally_blocked"
    """The page is withheld for legal reasons: status 451 (RFC 7725)."""
    HTTP_CLIENT_ERROR = "http_client_error"
    """The platform answered, but has no such public page: any other status of 4xx, such as 404."""
    HTTP_REDIRECT = "http_redirect"
    """The platform sent the request on to another site, or in a circle; it was not followed."""
    HTTP_UNEXPECTED_CONTENT = "http_unexpected_content"
    """The platform answered, but not with what its page is to say, as while it is under maintenance."""
    NO_ANSWER = "no_answer"
    """All packets were sent, none came back."""
    ENGINE_UNAVAILABLE = "engine_unavailable"
    """The engine cannot run on this computer; the detail says what is missing."""
    INTERRUPTED = "interrupted"
    """The computer slept, was switched off, or the agent was stopped during the test."""


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One failure: its kind for counting, its detail for the person who must act."""

    kind: FailureKind
    detail: Annotated[str, msgspec.Meta(max_length=500)] = ""

"""Pure: whom an ID token speaks of, once everything in it was checked (OpenID Connect Core 1.0, section 3.1.3.7)."""

from datetime import datetime
from typing import Final

import msgspec
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from mektep_collector.access.elsewhere import NotLetIn
from mektep_collector.api.oidc.error import OidcError, wrong

_ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
)  # fmt: skip
"""Signatures by a key that the provider alone has: none without one, and none by the client's secret."""
_LEEWAY_S: Final = 60
_LONGEST_MAIL: Final = 254


class KeyAbsentError(Exception):
    """The token is signed by a key that is not among those given; the provider may have a new one."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a token has to be for: the issuer, the client and the one request that it answers."""

    issuer: str
    client_id: str
    nonce: str


def verified_mail(token: str, access_token: str, keys: KeySet, expected: Expected, now: datetime) -> str:
    """Return the verified e-mail address of whom a token speaks, in lower case. Raises OidcError and KeyAbsentError."""
    try:
        read = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            read.claims,
            read.header,
            options={
                "iss": {"essential": True, "value": expected.issuer},
                "aud": {"essential": True, "value": expected.client_id},
                "exp": {"essential": True},
                "nonce": {"essential": True, "value": expected.nonce},
            },
            params={"client_id": expected.client_id, "nonce": expected.nonce, "access_token": access_token},
        )
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_S)
    except InvalidKeyIdError:
        raise KeyAbsentError from None
    except ClaimError as error:
        raise wrong(f"the ID token's claim does not hold: {type(error).__name__} {error.claim}") from None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise wrong(f"the ID token cannot be believed: {type(error).__name__}") from None
    mail = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(mail, str) or not _is_plain(mail):
        raise OidcError(NotLetIn.UNVERIFIED, "the ID token has no verified e-mail address")
    return mail.lower()


def _is_plain(mail: str) -> bool:
    """Tell whether an address has ASCII alone: other letters may become the same as somebody's in lower case."""
    return mail.isascii() and mail.isprintable() and "@" in mail and len(mail) <= _LONGEST_MAIL

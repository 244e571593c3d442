"""Logging in by an identity provider: what the pages, their entrance and the provider's side agree on."""

from enum import StrEnum
from typing import Final

SET_OUT: Final = "/login/oidc"
"""Where a browser sets out for the identity provider; `next` names the page that is asked for."""
COME_BACK: Final = "/login/oidc/callback"
"""Where the identity provider sends it back to."""
WHY: Final = "elsewhere"
"""Name in the login page's address of why nobody was let in."""
_LONGEST: Final = 1_000


class NotLetIn(StrEnum):
    """Why nobody was let in who came back from the identity provider."""

    DECLINED = "declined"
    STALE = "stale"
    TOO_OFTEN = "too_often"
    PROVIDER_AWAY = "provider_away"
    PROVIDER_WRONG = "provider_wrong"
    UNVERIFIED = "unverified"
    UNKNOWN = "unknown"
    SECOND_FACTOR = "second_factor"


def own_address(asked: str) -> str:
    """Return an address of this collector's own that was asked for, or its first page: never another site's."""
    is_own = asked.startswith("/") and not asked.startswith(("//", "/\\")) and asked.isprintable()
    return asked if is_own and "\\" not in asked and len(asked) <= _LONGEST else "/"

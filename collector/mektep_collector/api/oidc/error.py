"""Why a way by the identity provider ended."""

from mektep_collector.access.elsewhere import NotLetIn


class OidcError(Exception):
    """Nobody is let in. `why` is for the person who comes, the message for the log: it holds nothing of a token."""

    def __init__(self, why: NotLetIn, reason: str) -> None:
        super().__init__(reason)
        self.why = why


def away(reason: str) -> OidcError:
    """Return that the provider cannot be asked at the moment, or does not answer as one."""
    return OidcError(NotLetIn.PROVIDER_AWAY, reason)


def wrong(reason: str) -> OidcError:
    """Return that what the provider says cannot be believed, or that it does not know this collector."""
    return OidcError(NotLetIn.PROVIDER_WRONG, reason)

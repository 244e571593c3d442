"""What has to be remembered between setting out and coming back: in the browser, sealed, for ten minutes, good once.

It is kept in a cookie of that browser, which makes it that browser's own, lets any of several collectors answer, and
fills no memory however many set out and never come back. What came back is remembered here until it is too old.
"""

import base64
import hmac
import secrets
import threading
from collections import OrderedDict
from datetime import timedelta
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mektep_collector.access.elsewhere import NotLetIn
from mektep_collector.api.oidc.error import OidcError
from mektep_collector.clock import TimeSource

LABEL: Final = b"mektep-meter/1/ways to the identity provider and back"
LASTS: Final = timedelta(minutes=10)
_NONCE_BYTES: Final = 12
_SECRET_BYTES: Final = 32
_LONGEST: Final = 4_000
_REMEMBERED_COUNT: Final = 20_000


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """One way to the provider and back. `verifier` is PKCE's (RFC 7636), `ends_at_s` seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    next: str
    ends_at_s: float


class Attempts:
    """Seals attempts and takes each back once. Safe for many threads."""

    def __init__(self, key: bytes, time: TimeSource) -> None:
        self._cipher = AESGCM(key)
        self._time = time
        self._lock = threading.Lock()
        self._spent: OrderedDict[str, float] = OrderedDict()

    def new(self, next_: str) -> tuple[Attempt, str]:
        """Return a fresh attempt to reach a page, and what the browser keeps of it."""
        state, nonce, verifier = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(3))
        attempt = Attempt(state, nonce, verifier, next_, (self._time.now() + LASTS).timestamp())
        salt = secrets.token_bytes(_NONCE_BYTES)
        sealed = salt + self._cipher.encrypt(salt, msgspec.msgpack.encode(attempt), LABEL)
        return attempt, base64.urlsafe_b64encode(sealed).decode("ascii")

    def take_back(self, kept: str, state: str) -> Attempt:
        """Return the attempt that the browser kept and the provider's answer names.

        Raises OidcError for none, another one, one that is too old, and one that was taken back before.
        """
        attempt = self._opened(kept)
        if not hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "replace")):
            raise _stale("it answers another request than this browser's")
        now_s = self._time.now().timestamp()
        if attempt.ends_at_s <= now_s:
            raise _stale("it is too old")
        with self._lock:
            while self._spent and next(iter(self._spent.values())) <= now_s:
                self._spent.popitem(last=False)
            if attempt.state in self._spent:
                raise _stale("it came back before")
            self._spent[attempt.state] = attempt.ends_at_s
            if len(self._spent) > _REMEMBERED_COUNT:
                self._spent.popitem(last=False)
        return attempt

    def _opened(self, kept: str) -> Attempt:
        if not 0 < len(kept) <= _LONGEST:
            raise _stale("the browser kept nothing")
        try:
            sealed = base64.b64decode(kept.encode("ascii"), altchars=b"-_", validate=True)
            opened = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], LABEL)
        except (InvalidTag, ValueError):
            raise _stale("what the browser kept is not of this collector") from None
        return msgspec.msgpack.decode(opened, type=Attempt)


def _stale(reason: str) -> OidcError:
    return OidcError(NotLetIn.STALE, reason)

"""Passwords of people: strong enough, and kept as argon2id hashes (RFC 9106, its second recommended option)."""

import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mektep_collector.registry.error import PasswordRefused

LEAST_CHARACTERS: Final = 12
_MOST_CHARACTERS: Final = 256
_LEAST_SCORE: Final = 3
_SCORED_CHARACTERS: Final = 64
_AT_ONCE_COUNT: Final = 2


class Passwords:
    """Hashes and checks. A check takes 64 MiB and some tenths of a second, so few run at once: others wait."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._at_once = threading.BoundedSemaphore(_AT_ONCE_COUNT)
        self._nobodys = self._hasher.hash("nobody's")

    def hash(self, password: str) -> str:
        """Return what to keep of a password."""
        with self._at_once:
            return self._hasher.hash(password)

    def is_right(self, kept: str | None, password: str) -> bool:
        """Check a password; where nothing is kept, of an unknown person, in the same time and in vain."""
        with self._at_once:
            try:
                self._hasher.verify(kept if kept is not None else self._nobodys, password[:_MOST_CHARACTERS])
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None


def check_strength(password: str, login: str) -> None:
    """Refuse a password that is guessed soon. Raises PasswordRefused that says what to do."""
    # Only the command that sets a password needs it, and it reads lists of words.
    from zxcvbn import zxcvbn

    if len(password) < LEAST_CHARACTERS:
        raise PasswordRefused(f"the password has {len(password)} characters; take {LEAST_CHARACTERS} at least")
    if len(password) > _MOST_CHARACTERS:
        raise PasswordRefused(f"the password is too long; {_MOST_CHARACTERS} characters are enough")
    if zxcvbn(password[:_SCORED_CHARACTERS], user_inputs=[login, "mektep"])["score"] < _LEAST_SCORE:
        raise PasswordRefused(
            "the password would be guessed soon; take four words that have nothing to do with each other"
        )

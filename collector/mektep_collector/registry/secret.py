"""The texts that let a device in: join codes and bearer tokens. Only their hashes are ever stored.

A token is `mkd_<id>_<secret><checksum>`: the prefix lets scanners of leaked secrets know it, the checksum (CRC-32 in
base 62, as GitHub does it) refuses a mistyped one without a look at the database. Secrets have 256 bits, so a plain
SHA-256 keeps them: there is nothing to guess. A code's secret has 82 bits, lives for days, and its tries are counted.
"""

import hashlib
import hmac
import secrets
import string
import zlib

import msgspec

TOKEN_PREFIX = "mkd"  # noqa: S105 (the public part of every token)
CODE_ALPHABET = string.ascii_lowercase + string.digits

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_TOKEN_ID_LENGTH = 12
_SECRET_BYTES = 32
_SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6
_CODE_ID_LENGTH = 6
_CODE_SECRET_LENGTH = 16


class Credential(msgspec.Struct, frozen=True):
    """A code or token in its two parts: `id` finds the row, the secret's hash proves it."""

    id: str
    secret_hash: bytes

    def matches(self, secret_hash: bytes) -> bool:
        """Compare in a time that does not tell how much is right."""
        return hmac.compare_digest(self.secret_hash, secret_hash)


def new_token() -> str:
    """Return a fresh bearer token, from the system's own randomness."""
    number = int.from_bytes(secrets.token_bytes(_SECRET_BYTES), "big")
    identifier = "".join(secrets.choice(_BASE62) for _ in range(_TOKEN_ID_LENGTH))
    body = f"{TOKEN_PREFIX}_{identifier}_{_base62(number, _SECRET_LENGTH)}"
    return body + _checksum(body)


def parse_token(text: str) -> Credential | None:
    """Return the parts of a token, None for anything that cannot be one of ours."""
    body, checksum = text[:-_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
    parts = body.split("_")
    if len(parts) != 3 or parts[0] != TOKEN_PREFIX or not text.isascii():
        return None
    if len(parts[1]) != _TOKEN_ID_LENGTH or len(parts[2]) != _SECRET_LENGTH or checksum != _checksum(body):
        return None
    return Credential(parts[1], _hash(parts[2]))


def new_code() -> str:
    """Return a fresh join code, short enough to be read out and typed in."""
    identifier = "".join(secrets.choice(CODE_ALPHABET) for _ in range(_CODE_ID_LENGTH))
    secret = "".join(secrets.choice(CODE_ALPHABET) for _ in range(_CODE_SECRET_LENGTH))
    return f"{identifier}.{secret}"


def parse_code(text: str) -> Credential:
    """Return the parts of a code whose form the wire has checked."""
    identifier, _, secret = text.partition(".")
    return Credential(identifier, _hash(secret))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii", "replace")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_BASE62))
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))

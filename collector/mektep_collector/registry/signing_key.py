"""The collector's own Ed25519 key (RFC 8032): agents know it from their enrolment on, and trust assignments by it.

Whoever loses this file must enrol every device anew; whoever copies it can give orders to every agent.
"""

import hmac
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from mektep_collector.registry.error import KeyFileError
from mektep_wire import Purpose, signing_input

_OTHERS = 0o077


class SigningKey:
    """Signs for the collector."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_bytes = key.public_key().public_bytes_raw()

    def sign(self, purpose: Purpose, payload: bytes) -> bytes:
        """Return the signature over `payload` for one purpose."""
        return self._key.sign(signing_input(purpose, payload))

    def derived(self, label: bytes) -> bytes:
        """Return 32 secret bytes of a label, always the same: HMAC-SHA-256 with the private key as its key.

        It is one step of HKDF-Expand (RFC 5869). A label names what the bytes are for and is used for nothing else.
        """
        return hmac.digest(self._key.private_bytes_raw(), label, "sha256")


def open_signing_key(path: Path) -> SigningKey:
    """Return the key that the file holds; makes both where there is none. Raises KeyFileError."""
    try:
        if not path.exists():
            _make(path)
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise KeyFileError(f"{path} can be read by others; run `chmod 600 {path}`, and think who may have a copy")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be used: {error.strerror or error}") from error
    except ValueError as error:
        raise KeyFileError(f"{path} is not a private key in PEM; bring it back from a backup: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} holds a key of another kind than Ed25519; bring the right one back from a backup")
    return SigningKey(key)


def _make(path: Path) -> None:
    """Write a new key beside the file and link it into place: two processes at once end up with the same key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor, made = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(made, path)
        except FileExistsError:
            return
    finally:
        Path(made).unlink()

"""Ed25519 keys (RFC 8032): made on the device, used to sign batches, and to check the collector's assignments."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mektep_wire import Purpose, signing_input


def new_private_key() -> bytes:
    """Return the 32 bytes of a new private key, from the system's own randomness."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_key_of(private_key: bytes) -> bytes:
    """Return the 32 bytes of the public key; raises ValueError for what is no private key."""
    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def sign(private_key: bytes, purpose: Purpose, payload: bytes) -> bytes:
    """Return the signature over the exact bytes of `payload` for this purpose alone."""
    return Ed25519PrivateKey.from_private_bytes(private_key).sign(signing_input(purpose, payload))


def is_signed(public_key: bytes, purpose: Purpose, payload: bytes, signature: bytes) -> bool:
    """Tell whether `signature` vouches for `payload` with this purpose."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signing_input(purpose, payload))
    except (InvalidSignature, ValueError):
        return False
    return True

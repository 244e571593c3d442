"""What is signed, and how a signature is written: Ed25519 (RFC 8032) over exact bytes, with a purpose in front.

The purpose keeps a signature made for one thing from being shown for another. Making and checking signatures is not
done here: the agent's `identity` and the collector's `registry` do it with a library.
"""

import base64
import binascii
from enum import StrEnum

SIGNATURE_HEADER = "Mektep-Signature"
SIGNATURE_BYTES = 64
PUBLIC_KEY_BYTES = 32


class Purpose(StrEnum):
    """What a signature vouches for."""

    BATCH = "batch"
    ENROLMENT = "enrolment"
    ASSIGNMENT = "assignment"


def signing_input(purpose: Purpose, payload: bytes) -> bytes:
    """Return the bytes to sign for `payload`: the exact bytes that cross the wire, compressed or not."""
    return b"mektep-meter/1/" + purpose.value.encode() + b"\n" + payload


def format_signature(signature: bytes) -> str:
    """Return the text form, for a header or a field: `ed25519=` and base64."""
    return "ed25519=" + base64.b64encode(signature).decode("ascii")


def parse_signature(text: str) -> bytes:
    """Return the 64 bytes of a signature in text form; raises ValueError that says what is wrong with it."""
    scheme, separator, encoded = text.partition("=")
    if scheme != "ed25519" or not separator:
        raise ValueError("a signature reads `ed25519=` and base64")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the signature is not base64: {error}") from None
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    return signature
